"""The first ten minutes on a machine with logs and exports: what is typed, what is shown.

`first_minutes.txt` beside this file is the screen. When it is meant to change: delete the lines
below the commands, run the test, and look at what it wrote.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from helpers.small_exports import chatgpt, whatsapp

SCREEN = Path(__file__).with_name("first_minutes.txt")
LINE = {
    "type": "user",
    "uuid": "1",
    "parentUuid": None,
    "sessionId": "s",
    "timestamp": "2025-05-01T12:00:00Z",
    "message": {"role": "user", "content": "Fix the test."},
}
ID = re.compile(r"\b[sm]_[0-9a-z]{10}\b")


@pytest.fixture
def machine(mem):
    """A person with an agent's log, a packed export, a chat and a picture in Downloads."""
    mem.write("home/.claude/projects/p/s.jsonl", json.dumps(LINE) + "\n")
    talks = [
        chatgpt("Passport", "me: Where is my passport?", "ai: In the blue drawer."),
        chatgpt("Bread", "me: How long does the dough rest?", "ai: Two hours."),
    ]
    mem.write("export/conversations.json", talks)
    chat = whatsapp("Ann: The passport office opens at nine", "Bob: See you there!")
    mem.write("home/Downloads/WhatsApp Chat with Bob.txt", chat)
    mem.write("home/Downloads/photo.png", b"\x89PNG\r\n")
    shutil.make_archive(str(mem.home / "Downloads/chatgpt"), "zip", mem.folder / "export")
    return mem


def steady(screen, mem):
    """Return a screen without what differs from run to run: places, ids, scores and today."""
    screen = screen.replace(str(mem.home), "HOME").replace(str(mem.folder), "FOLDER")
    for id_, name in named_ids(screen).items():
        screen = screen.replace(id_, name)
    for pattern, name in (
        (r"(?<=ID\d  )[01]\.\d\d", "SCORE"),
        (r"\b20(?!24|25)\d\d-\d\d-\d\d", "DAY"),
        (r"(?<=DAY )\d\d:\d\d", "TIME"),
        (r"\d+\.\d MB", "SIZE"),
    ):
        screen = re.sub(pattern, name, screen)
    return screen


def named_ids(screen):
    """Return a name for each id on a screen, in the order in which they appear there."""
    found = dict.fromkeys(ID.findall(screen))
    return {id_: f"ID{number}" for number, id_ in enumerate(found, start=1)}


def test_the_first_ten_minutes(machine):
    kept = SCREEN.read_text("utf-8")
    screen = ""
    for typed in re.findall(r"^\$ (.*)$", kept, re.MULTILINE):
        line = typed
        for id_, name in named_ids(screen).items():
            line = line.replace(name, id_)
        done = machine(*shlex.split(line)[1:])
        status = f"[{done.code}]\n" if done.code else ""
        screen += f"$ {line}\n{done.out}{done.err}{status}"
    screen = steady(screen, machine)

    if re.fullmatch(r"(\$ .*\n)+", kept):
        SCREEN.write_text(screen, "utf-8")
        pytest.fail(f"wrote {SCREEN}: look at it")
    assert screen == kept
