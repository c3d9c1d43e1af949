"""Names of files and of members of zips cannot forge a line of output."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from helpers.small_exports import talk

CATS = [talk("Cats", "me: A name for a cat?", "ai: Pixel.")]
FORGED = "mem: all is well"
BREAKS = ["\n", "\r", "\u2028", "\x85", "\x0b"]


@pytest.mark.parametrize("end", BREAKS)
def test_a_line_break_in_a_name_begins_no_line(mem, end):
    mem.write(f"a{end}{FORGED}{end}.json", CATS)
    mem.write(f"b{end}{FORGED}{end}.json", "no export")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr(f"c{end}{FORGED}{end}.json", '{"broken')
    mem.write("all.zip", packed.getvalue())

    for arguments in (("ingest", "."), ("sources",), ("doctor",), ("ingest", f"no{end}{FORGED}")):
        done = mem(*arguments)

        lines = (done.out + done.err).splitlines()
        assert not any(line.startswith(FORGED) for line in lines), lines


def forged_archive(mem, end):
    """Import names of people and of a chat that hold a line, and set and remember some."""
    name = f"Ann{end}{FORGED}{end}"
    chat = talk(f"Door{end}{FORGED}{end}", "me: The door code?", "ai: It is 3826.")
    chat["messages"][0]["role"] = name
    untitled = talk("", "me: The door of the boat.", key="boat")
    untitled["messages"][0]["role"] = f"Bo{end}{FORGED}"
    mem.write("chats.json", [chat, untitled])
    assert mem("ingest", "chats.json").code == 0
    mem("memories", "add", f"door{end}{FORGED}", "It jams", "--tag", f"flat{end}{FORGED}")
    mem("config", "set", f"people.{name}", f"annie{end}{FORGED}", name)
    mem("config", "set", "models.reader", f"reader{end}{FORGED}")


@pytest.mark.parametrize("end", BREAKS)
def test_a_line_break_in_a_name_of_a_person_or_chat_begins_no_line(mem, end):
    forged_archive(mem, end)
    sessions = [one["id"] for one in mem("sessions", "--jsonl").lines]
    memories = [one["id"] for one in mem("memories", "--jsonl").lines]  # none with a control

    for words in (
        *[("show", session) for session in sessions],
        *[("show", memory) for memory in memories],
        ("sessions",),
        ("sessions", "--format", "tsv"),
        ("sessions", "--format", "markdown"),
        ("search", "door"),
        ("search", "door", "--format", "markdown"),
        ("search", "door", "--speaker", f"Nobody{end}{FORGED}"),
        ("ask", "door code"),
        ("ask", "door code", "--format", "context"),
        ("timeline", "door"),
        ("people",),
        ("stats",),
        ("memories",),
        ("memories", "search", "door"),
        ("config",),
        ("config", "get", "models.reader"),
        ("models", "list"),
        ("doctor",),
        ("forget", *sessions, *memories, "--dry-run"),
        ("forget", *sessions, *memories, "--yes"),
    ):
        done = mem(*words)

        lines = (done.out + done.err).splitlines()
        assert not any(line.strip().startswith(FORGED) for line in lines), (words, lines)


def test_tab_offers_no_forged_line(mem):
    forged_archive(mem, "\n")

    for typed in ("show s_", "show m_", "sessions --speaker ", "config get ", "sources remove "):
        done = mem("", _MEM_COMPLETE=f"mem {typed}")

        assert not any(line.startswith(FORGED) for line in done.out.splitlines()), done.out


@pytest.mark.parametrize("mark", ["\u202e", "\u200f", "\u061c", "\u2067"])
def test_a_mark_of_direction_in_a_name_is_dropped(mem, mark):
    mem.write(f"a{mark}b.json", CATS)

    done = mem("ingest", f"a{mark}b.json", "missing" + mark)

    assert mark not in done.out + done.err
