"""`mem forget`."""

import sqlite3
from contextlib import closing

import pytest
from helpers.small_exports import talk

from memcli.domain import fingerprint


@pytest.fixture
def archive(mem):
    mem.write("notes.json", [talk("Lisbon", "me: We fly in May."), talk("Diet", "me: No nuts.")])
    assert mem("ingest", "notes.json").code == 0
    return mem


def titles(mem):
    return [one["title"] for one in mem("sessions", "--jsonl").lines]


def key_of(mem, title):
    [key] = [one["id"] for one in mem("sessions", "--jsonl").lines if one["title"] == title]
    return key


def test_a_forgotten_session_is_gone_and_stays_away(archive):
    assert archive("forget", key_of(archive, "Diet"), "--yes").code == 0

    archive("ingest", "notes.json")

    assert titles(archive) == ["Lisbon"]


def test_a_dry_run_shows_what_would_go(archive):
    result = archive("forget", key_of(archive, "Diet")[:5], "--dry-run", "--json")

    assert [one["title"] for one in result.json["sessions"]] == ["Diet"]
    assert result.json["schema"] == "mem.forget/1"
    assert result.json["forgotten"] is False
    assert sorted(titles(archive)) == ["Diet", "Lisbon"]


def test_a_whole_source_can_be_forgotten(archive):
    [source] = {one["source"] for one in archive("sessions", "--jsonl").lines}

    assert archive("forget", "--source", source, "--yes").code == 0

    assert archive("sessions").code == 3


def test_without_a_terminal_and_without_yes_nothing_is_forgotten(archive):
    result = archive("forget", key_of(archive, "Diet"))

    assert (result.code, result.err) == (
        2,
        "mem: would delete 1 session permanently; add `--yes`\n",
    )
    assert sorted(titles(archive)) == ["Diet", "Lisbon"]


@pytest.mark.parametrize("arguments", [(), ("s_1", "--source", "x")])
def test_either_sessions_or_a_source_are_named(archive, arguments):
    assert archive("forget", *arguments).code == 2


def test_what_is_not_there_cannot_be_forgotten(archive):
    assert archive("forget", "s_zzz", "--yes").code == 3
    assert archive("forget", "--source", "nobody", "--yes").code == 3


WHATSAPP = """\
[01.05.24, 10:00:00] Ann: The xylophone arrives at nine.
[01.05.24, 10:01:00] Bo: I will open the door.
[01.05.24, 10:02:00] Ann: ok
"""
SIGNAL = """\
[2024-05-01, 10:00:00] Ann: The xylophone arrives at nine.
[2024-05-01, 10:01:00] Me: I will open the door.
"""
INSTAGRAM = {
    "participants": [{"name": "Ann"}, {"name": "Bo"}],
    "title": "Ann",
    "messages": [
        {"sender_name": "Bo", "timestamp_ms": 1714557660000, "content": "I will open the door."},
        {"sender_name": "Ann", "timestamp_ms": 1714557600000, "content": "The xylophone comes."},
    ],
}
DISCORD_CSV = """\
AuthorID,Author,Date,Content,Attachments,Reactions
1,ann,2024-05-01T10:00:00.0000000+00:00,The xylophone arrives at nine.,,
2,bo,2024-05-01T10:01:00.0000000+00:00,I will open the door.,,
"""


@pytest.mark.parametrize(
    ("content", "name", "renamed"),
    [
        (WHATSAPP, "WhatsApp Chat with Ann.txt", "notes.txt"),
        (SIGNAL, "Ann/chat.md", "other/chat.md"),
        (INSTAGRAM, "instagram/inbox/ann_1/message_1.json", "chats/x_2/message_1.json"),
        (DISCORD_CSV, "Direct Messages - ann.csv", "renamed.csv"),
    ],
)
def test_a_chat_stays_forgotten_under_any_file_name(mem, content, name, renamed):
    mem.write(name, content)
    assert mem("ingest", name).code == 0
    assert "xylophone" in mem("search", "xylophone").out
    [source] = {one["source"] for one in mem("sessions", "--json").json["sessions"]}
    assert mem("forget", "--source", source, "--yes").code == 0

    mem.write(renamed, content)
    mem("ingest", renamed)

    assert mem("search", "xylophone").code == 3
    assert mem("sessions").code == 3


def test_other_chats_with_the_same_words_are_kept(mem):
    mem.write("Ann.txt", WHATSAPP)
    mem("ingest", "Ann.txt")
    mem("forget", "--source", "whatsapp", "--yes")

    mem.write(
        "Cleo.txt",
        "[01.05.24, 10:02:00] Ann: ok\n[01.05.24, 10:03:00] Cleo: Where is the harp?\n",
    )
    done = mem("ingest", "Cleo.txt", "--json")

    assert done.json["totals"]["turns"]["new"] == 2


def test_no_path_keeps_the_name_of_a_forgotten_contact(mem):
    mem.write("export/WhatsApp Chat with Quixana.txt", WHATSAPP)
    mem.write("export/other.json", [talk("Harp", "me: Where is it?")])
    mem("ingest", "export/WhatsApp Chat with Quixana.txt", "export/other.json")
    assert b"Quixana" in everything(mem)

    mem("forget", "--source", "whatsapp", "--yes")

    assert b"Quixana" not in everything(mem)
    assert b"other.json" in everything(mem)


def everything(mem):
    names = ("", "-wal")
    files = [mem.database.with_name(f"{mem.database.name}{name}") for name in names]
    return b"".join(file.read_bytes() for file in files if file.exists())


def test_backups_made_before_are_named_as_long_as_they_are_there(mem):
    mem.remembers(talk("Harp", "me: Where is the harp?"), talk("Drum", "me: And the drum?"))
    mem("backup", "one.db")
    mem("backup", "two.db")
    (mem.folder / "two.db").unlink()
    [first, second] = mem("sessions", "--json").json["sessions"]

    done = mem("forget", first["id"], "--yes", "--json")

    assert done.json["backups"] == [str(mem.folder / "one.db")]
    assert "one.db" in done.err
    assert "two.db" not in done.err
    (mem.folder / "one.db").unlink()
    assert "backup" not in mem("forget", second["id"], "--yes").err


def test_an_earlier_wording_does_not_become_current_again(mem):
    mem("memories", "add", "home", "Lives in Paris")
    [memory] = mem("memories", "list", "--json").json["memories"]
    mem("memories", "edit", memory["id"], "Lives in Berlin")
    [current] = [
        one
        for one in mem("memories", "list", "--json").json["memories"]
        if one["superseded_by"] is None
    ]

    mem("forget", current["id"], "--yes")

    assert mem("memories", "list", "--json").json["memories"] == []


def test_a_tombstone_confirms_no_guess(mem):
    mem.write("Ann.txt", WHATSAPP)
    mem("ingest", "Ann.txt")
    mem("forget", "--source", "whatsapp", "--yes")

    with closing(sqlite3.connect(mem.database)) as database:
        rows = {digest for (digest,) in database.execute("select digest from forgotten")}

    assert rows
    assert fingerprint("forgotten", "whatsapp", "ann") not in rows
    assert all(digest.startswith("k") for digest in rows)


def test_a_deletion_is_told_apart_from_a_dry_run(archive):
    key = key_of(archive, "Diet")

    dry = archive("forget", key, "--dry-run")
    done = archive("forget", key, "--yes")

    assert (dry.out.startswith(key), dry.err) == (True, "mem: would delete 1 session permanently\n")
    assert (done.out, done.err) == ("deleted 1 session permanently: Diet\n", "")
    assert archive("forget", key_of(archive, "Lisbon"), "--yes", "--quiet").out == ""


def test_a_note_and_its_memory_can_be_forgotten_together(mem):
    mem("memories", "add", "door", "The code is 3826")
    [memory] = [one["id"] for one in mem("memories", "--jsonl").lines]
    [note] = [one["id"] for one in mem("sessions", "--jsonl").lines]

    assert mem("forget", note, memory, "--yes").code == 0
    mem("memories", "add", "door", "The code is 6194")
    assert mem("forget", "--source", "you", "--yes").code == 0
    assert mem("sessions").code == 3
