"""Parsers of coding agents' logs.

aider           the chat history file of Aider
claude_code     session logs of Claude Code
cline           tasks of Cline, Roo Code and Kilo Code
cline_messages  the messages in those tasks
codex           session logs of Codex CLI
gemini_cli      session logs of Gemini CLI
llm_logs        the database of the command-line tool llm
opencode        sessions of OpenCode
pi              session logs of pi
"""
