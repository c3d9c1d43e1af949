"""Parsers of coding agents' logs.

aider               the chat history file of Aider
claude_code         session logs of Claude Code
cline               tasks of Cline, Roo Code and Kilo Code
cline_messages      the messages in those tasks
codex               session logs of Codex CLI
copilot_cli         session logs of GitHub Copilot CLI
cursor              chats of Cursor
cursor_transcripts  the transcripts of its agents
gemini_cli          session logs of Gemini CLI
llm_logs            the database of the command-line tool llm
opencode            sessions of OpenCode
pi                  session logs of pi
qwen_code           session logs of Qwen Code
vscode_copilot      chats of GitHub Copilot and others in VS Code
windsurf            transcripts of Windsurf's Cascade
"""
