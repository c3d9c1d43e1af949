"""Parsers of coding agents' logs.

aider               the chat history file of Aider
antigravity         transcripts of Antigravity
claude_code         session logs of Claude Code
claude_code_queue   prompts in those logs that waited in a queue
cline               tasks of Cline, Roo Code and Kilo Code
cline_messages      the messages in those tasks
codex               session logs of Codex CLI
codex_copies        copies that it made of other programs' sessions
copilot_cli         session logs of GitHub Copilot CLI
cursor              chats of Cursor
cursor_store        chats of its command-line agent
cursor_transcripts  the transcripts of its agents
gemini_cli          session logs of Gemini CLI
llm_logs            the database of the command-line tool llm
opencode            sessions of OpenCode
pi                  session logs of pi
qwen_code           session logs of Qwen Code
vscode_copilot      chats of GitHub Copilot and others in VS Code
windsurf            transcripts of Windsurf's Cascade
"""
