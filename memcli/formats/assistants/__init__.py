"""Parsers of assistants' exports.

ai_studio       prompts of Google AI Studio
chatgpt         data exports of ChatGPT
claude          data exports of Claude.ai
deepseek        data exports of DeepSeek
gemini_takeout  prompts to Gemini in Google Takeout
grok            data exports of Grok
lechat          data exports of Mistral Le Chat
lm_studio       conversations of LM Studio
open_webui      chats of Open WebUI
perplexity      Perplexity threads saved by browser extensions
sillytavern     chats of SillyTavern
"""
