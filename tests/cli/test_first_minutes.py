"""The first ten minutes on a machine with logs and an export: what is typed, what is shown."""

import json
import re
import shutil

from helpers.small_exports import chatgpt

SCREEN = """\
$ mem ingest
mem: no path is remembered yet
hint: `mem ingest PATH` imports an export, `mem ingest --discover` finds those on this machine
$ mem ingest --discover --dry-run
claude_code  1 file  DAY  DAY  HOME/.claude/projects
chatgpt      1 file  DAY  DAY  HOME/Downloads/chatgpt.zip
$ mem ingest --discover --yes
HOME/.claude/projects/p/s.jsonl: claude_code, 1 new session, 1 new turn
HOME/Downloads/chatgpt.zip/conversations.json: chatgpt, 1 new session, 2 new turns
claude_code  1 file  DAY  DAY  HOME/.claude/projects
chatgpt      1 file  DAY  DAY  HOME/Downloads/chatgpt.zip
$ mem find passport
mem: no such command 'find'
hint: did you mean `mem search`
$ mem search blue drawer
 1. Passport
    2024-03-01 12:00  chatgpt  ID  SCORE
    │ assistant: In the blue drawer. [ID:2]

why  No model thought about this. Sessions were ranked by words and meaning.
$ mem show 1
Passport
ID  chatgpt  2024-03-01 12:00

Friday 2024-03-01

1  user  12:00
Where is my passport?

2  assistant  12:01
In the blue drawer.
$ mem sources
unchanged  DAY TIME  1 session  claude_code  HOME/.claude/projects
unchanged  DAY TIME  1 session  chatgpt      HOME/Downloads/chatgpt.zip
$ mem people
2 turns  2024-03-01 to 2025-05-01  2 sessions      me  chatgpt, claude_code
$ mem rm ID
mem: no such command 'rm'
hint: did you mean `mem forget`
$ mem ingest
"""


def test_the_first_ten_minutes(mem):
    line = {
        "type": "user",
        "uuid": "1",
        "parentUuid": None,
        "sessionId": "s",
        "timestamp": "2025-05-01T12:00:00Z",
        "message": {"role": "user", "content": "Fix the test."},
    }
    mem.write("home/.claude/projects/p/s.jsonl", json.dumps(line) + "\n")
    talk = chatgpt("Passport", "me: Where is my passport?", "ai: In the blue drawer.")
    mem.write("export/conversations.json", [talk])
    (mem.home / "Downloads").mkdir()
    shutil.make_archive(str(mem.home / "Downloads/chatgpt"), "zip", mem.folder / "export")

    screen = ""
    for typed in re.findall(r"^\$ mem (.*)$", SCREEN, re.MULTILINE):
        done = mem(*typed.split())
        screen += f"$ mem {typed}\n{done.out}{done.err}"

    screen = screen.replace(str(mem.home), "HOME")
    for pattern, name in (
        (r"s_[0-9a-z]{10}", "ID"),
        (r"(?<=ID  )[01]\.\d\d", "SCORE"),
        (r"20(?!24|25)\d\d-\d\d-\d\d", "DAY"),
        (r"(?<=DAY )\d\d:\d\d", "TIME"),
    ):
        screen = re.sub(pattern, name, screen)
    assert screen == SCREEN
