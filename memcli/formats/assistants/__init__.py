"""Parsers of assistants' exports.

ai_studio       prompts of Google AI Studio
character_ai    chats with characters of Character.AI
chatgpt         data exports of ChatGPT
chatgpt_content the content of its messages
claude          data exports of Claude.ai
claude_content  the content of its messages
claude_projects its projects and memories
deepseek        data exports of DeepSeek
gemini_phrases  the phrases around prompts in My Activity
gemini_times    times in its HTML
gemini_takeout  prompts to Gemini in Google Takeout
grok            data exports of Grok
lechat          data exports of Mistral Le Chat
librechat       conversations of LibreChat
llama_cpp       conversations of llama.cpp's web page
lm_studio       conversations of LM Studio
open_webui      chats of Open WebUI
perplexity      Perplexity threads saved by browser extensions
poe             conversations of Poe
sillytavern     chats of SillyTavern
x_grok          chats with Grok inside X
"""
