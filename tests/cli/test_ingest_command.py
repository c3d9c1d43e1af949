"""`mem ingest`: what is imported, what is said about it, and what bad files get."""

import io
import json
import os
import subprocess
import zipfile

import pytest
from helpers.mem_process import MEM, Run
from helpers.small_exports import (
    chatgpt,
    claude,
    locomo,
    longmemeval,
    talk,
    telegram,
    transcript,
    whatsapp,
)

from memcli.formats.guides import load_guides

CATS = ("me: A name for a cat?", "ai: Pixel.", "me: Good.", "ai: Glad to help.")
FRIENDS = ("Ann: A name for a cat?", "Bea: Pixel.")
EXPORTS = {
    "chatgpt": ("conversations.json", [chatgpt("Cats", *CATS)], "chatgpt", 4),
    "claude": ("conversations.json", [claude("Cats", *CATS)], "claude", 4),
    "telegram": ("result.json", telegram("Ann", *FRIENDS), "telegram", 2),
    "longmemeval": ("longmemeval_s.json", [longmemeval(*CATS)], "longmemeval", 4),
    "locomo": ("locomo.json", [locomo(*FRIENDS)], "locomo", 2),
    "generic_json": ("talks.json", [talk("Cats", *CATS)], "generic", 4),
    "whatsapp": ("WhatsApp Chat with Ann.txt", whatsapp(*FRIENDS), "whatsapp", 2),
    "generic_text": ("talk.md", transcript(*CATS), "transcript", 4),
}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01" + bytes(range(256))
TWO = json.dumps([chatgpt("Cats", *CATS), chatgpt("Dogs", *CATS)])


def counts(new=0, changed=0, unchanged=0, **skipped):
    return {"new": new, "changed": changed, "unchanged": unchanged, **skipped}


def sessions(mem):
    return mem("sessions", "--json").json["sessions"]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_of_every_format_is_recognised_and_counted(mem, name):
    file, content, source, turns = EXPORTS[name]
    mem.write(file, content)

    done = mem("ingest", file, "--json")

    [found] = sessions(mem)
    report = {
        "path": file,
        "format": name,
        "conversations": 1,
        "sessions": counts(new=1, skipped=0),
        "turns": counts(new=turns),
        "messages": {"seen": turns, "reasons": {}, "unknown": {}},
        "memories": 0,
        "warnings": done.json["sources"][0]["warnings"],
    }
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "schema": "mem.ingest/1",
        "sources": [report],
        "not_recognised": [],
        "totals": {"sessions": counts(new=1, skipped=0), "turns": counts(new=turns)},
        "seconds": done.json["seconds"],
    }
    assert (found["source"], found["turns"]) == (source, turns)


def test_a_second_run_changes_nothing_and_says_so_in_every_form(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])
    told = mem("ingest", "talks.json")
    before = sessions(mem)

    again = mem("ingest", "talks.json")
    [line] = mem("ingest", "talks.json", "--jsonl").lines

    assert told == Run(0, "talks.json: generic_json, 1 new session, 4 new turns\n")
    assert again == Run(0, "talks.json: generic_json, 1 unchanged session, 4 unchanged turns\n")
    assert (line["path"], line["sessions"], line["turns"]) == (
        "talks.json",
        counts(unchanged=1, skipped=0),
        counts(unchanged=4),
    )
    assert sessions(mem) == before


def test_a_conversation_that_grew_grows_in_place(mem):
    mem.remembers(talk("Cats", *CATS[:2]))
    [before] = sessions(mem)

    grown = mem.remembers(talk("Cats", *CATS))

    [after] = sessions(mem)
    assert grown["totals"] == {
        "sessions": counts(changed=1, skipped=0),
        "turns": counts(new=2, unchanged=2),
    }
    assert (after["id"], before["turns"], after["turns"]) == (before["id"], 2, 4)


def test_a_folder_and_a_zip_are_read_whole_and_hold_the_same(mem):
    for name in ("chatgpt", "whatsapp"):
        file, content, *_ = EXPORTS[name]
        mem.write(f"export/{file}", content)
    mem.write("export/.DS_Store", b"\x00")
    mem.write("export/readme.html", "<p>Your export</p>")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (mem.folder / "export").iterdir():
            archive.write(path, path.name)
    mem.write("export.zip", packed.getvalue())

    folder = mem("ingest", "export", "--json")
    zipped = mem("ingest", "export.zip", "--json")

    assert (folder.code, zipped.code) == (0, 0)
    assert [source["path"] for source in folder.json["sources"]] == [
        "export/WhatsApp Chat with Ann.txt",
        "export/conversations.json",
    ]
    assert [source["path"] for source in zipped.json["sources"]] == [
        "export.zip/WhatsApp Chat with Ann.txt",
        "export.zip/conversations.json",
    ]
    assert folder.json["totals"]["sessions"] == counts(new=2, skipped=0)
    assert zipped.json["totals"]["sessions"] == counts(unchanged=2, skipped=0)


def test_a_dash_is_standard_input(mem):
    done = mem("ingest", "-", stdin=whatsapp(*FRIENDS).encode())

    assert done == Run(0, "standard input: whatsapp, 1 new session, 2 new turns\n")


def test_a_format_that_is_named_is_not_looked_for(mem):
    mem.write("talk.txt", "User: Is one question enough?\n\nAssistant: Rarely.\n")

    asked = mem("ingest", "talk.txt")
    told = mem("ingest", "talk.txt", "--format", "generic_text")
    unknown = mem("ingest", "talk.txt", "--format", "carrier_pigeon")

    assert asked == Run(4, err="mem: no chat export was recognised in talk.txt\n")
    assert (told.code, unknown.code, unknown.out) == (4, 2, "")
    assert told.err == "mem: talk.txt is not a transcript\n"
    hint = "hint: `mem ingest --formats` lists them\n"
    assert unknown.err == f"mem: no format `carrier_pigeon`\n{hint}"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("missing.json", None, "no file or folder at missing.json"),
        ("empty.json", b"", "empty.json is empty"),
        ("picture.png", PNG, "no chat export was recognised in picture.png"),
        ("deep.json", b"[" * 100_000, "no chat export was recognised in deep.json"),
        ("words.txt", "Only words.\n", "no chat export was recognised in words.txt"),
        ("broken.zip", b"PK\x03\x04" + b"\x00" * 99, None),
        ("empty folder", ..., "no chat export was recognised in empty folder"),
    ],
)
def test_what_is_no_export_ends_in_status_4_and_is_named(mem, name, content, why):
    if content is ...:
        (mem.folder / name).mkdir()
    elif content is not None:
        mem.write(name, content)

    told = mem("ingest", name)
    shape = mem("ingest", name, "--json")

    why = why or "broken.zip is a damaged zip: it has no list of its files"
    assert told == Run(4, err=f"mem: {why}\n")
    assert (shape.code, shape.err) == (4, "")
    assert shape.json["sources"][0]["format"] is None
    assert shape.json["sources"][0]["warnings"] == [{"where": name, "what": why}]


def test_without_a_path_what_has_changed_is_read_and_otherwise_nothing_is_said(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])
    assert mem("ingest", "talks.json").code == 0
    assert mem("ingest") == Run(0)
    mem.write("talks.json", [talk("Cats", *CATS, "me: Thanks.")])

    done = mem("ingest", "--json")

    [source] = done.json["sources"]
    assert (source["sessions"]["changed"], source["turns"]["new"]) == (1, 1)
    assert mem("ingest") == Run(0)


def test_without_a_path_there_is_no_other_way_to_read(mem):
    assert mem("ingest", "--me", "Ann").code == 2


def test_a_dry_run_tells_what_would_be_new_and_leaves_no_trace(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])

    for _ in range(2):
        assert mem("ingest", "talks.json", "--dry-run", "--json").json["totals"]["sessions"] == {
            "new": 1,
            "changed": 0,
            "unchanged": 0,
            "skipped": 0,
        }

    assert mem("sessions").code == 5  # not even a database
    assert mem("ingest", "talks.json").code == 0
    assert mem("ingest", "talks.json", "--dry-run").code == 0


def test_strict_stops_where_something_is_damaged(mem):
    mem.write("broken.json", '[{"role": "user", "content": "Hi"}, {"ro')
    mem.write("talks.json", [talk("Cats", *CATS)])

    done = mem("ingest", "broken.json", "talks.json", "--strict")

    assert done.code == 4
    assert "broken.json ends in the middle" in done.err
    assert mem("sessions").code == 3


def test_only_what_nobody_said_can_be_included(mem):
    assert mem("ingest", "x", "--include", "text").code == 2


def test_an_empty_path_is_bad_usage_and_never_the_folder_one_is_in(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])

    done = mem("ingest", "")

    assert (done.code, done.out, mem.database.exists()) == (2, "", False)


def test_of_a_file_cut_short_every_whole_conversation_is_kept(mem):
    mem.write("cut.json", TWO[:-40])

    done = mem("ingest", "cut.json")

    assert done.code == 4
    assert done.out == "cut.json: chatgpt, 1 new session, 4 new turns\n"
    assert done.err.startswith("mem: cut.json ends in the middle")
    assert [one["title"] for one in sessions(mem)] == ["Cats"]


def test_a_broken_conversation_is_named_and_those_around_it_are_kept(mem):
    broken = '{"title": "Dogs", "mapping": {"m1": nonsense}}'
    good = [json.dumps(chatgpt(title, *CATS)) for title in ("Cats", "Birds")]
    mem.write("malformed.json", f"[{good[0]}, {broken}, {good[1]}]")

    done = mem("ingest", "malformed.json")

    assert (done.code, done.out) == (4, "malformed.json: chatgpt, 2 new sessions, 8 new turns\n")
    assert done.err.startswith("mem: malformed.json: conversation 2: ")
    assert {one["title"] for one in sessions(mem)} == {"Cats", "Birds"}


def test_brackets_as_deep_as_a_well_end_in_status_4_even_where_the_format_is_named(mem):
    mem.write("deep.json", b'[{"mapping":' * 100_000)

    done = mem("ingest", "deep.json", "--format", "chatgpt")

    assert (done.code, done.out) == (4, "deep.json: chatgpt, no sessions, no turns\n")
    assert done.err.startswith("mem: deep.json ")
    assert done.err.count("\n") == 1


def test_lone_surrogates_and_nuls_are_no_obstacle(mem):
    mem.write(
        "odd.json", [chatgpt("Odd \ud83d title", "me: half \udc00 pair", "ai: nul \x00 byte")]
    )

    done = mem("ingest", "odd.json")
    [found] = sessions(mem)
    shown = mem("show", found["id"], "--json").json["session"]

    assert done == Run(0, "odd.json: chatgpt, 1 new session, 2 new turns\n")
    assert shown["title"] == "Odd � title"
    assert [turn["text"] for turn in shown["turns"]] == ["half � pair", "nul  byte"]


def test_a_file_whose_name_is_no_text_is_imported(mem):
    name = os.fsdecode(b"talks-\xff.json")
    mem.write(name, [talk("Cats", *CATS)])

    done = mem("ingest", name, PYTHONIOENCODING="utf-8")
    shape = mem("ingest", name, "--json")

    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(": generic_json, 1 new session, 4 new turns\n")
    assert (shape.code, shape.json["totals"]["sessions"]["unchanged"]) == (0, 1)


def test_a_folder_with_a_good_and_a_bad_file_gives_the_good_one(mem):
    mem.write("export/a.json", TWO[:-40])
    mem.write("export/b.json", TWO)

    done = mem("ingest", "export")

    assert done.code == 4
    assert done.out == (
        "export/a.json: chatgpt, 1 new session, 4 new turns\n"
        "export/b.json: chatgpt, 1 new and 1 unchanged session, 4 new and 4 unchanged turns\n"
    )
    assert done.err.startswith("mem: export/a.json ends in the middle")


def test_a_bad_path_does_not_keep_a_good_one_out(mem):
    mem.write("good.json", TWO)

    done = mem("ingest", "missing.json", "good.json")

    assert done == Run(
        4,
        out="good.json: chatgpt, 2 new sessions, 8 new turns\n",
        err="mem: no file or folder at missing.json\n",
    )


def test_quiet_is_silent_when_all_is_well_and_tells_only_of_losses(mem):
    mem.write("good.json", TWO)
    mem.write("empty talks.json", [talk("Cats", *CATS), *[talk("Empty")] * 30])

    assert mem("ingest", "good.json", "--quiet") == Run(0)
    assert mem("ingest", "empty talks.json", "--quiet") == Run(0)
    assert mem("ingest", "good.json", "gone.json", "-q") == Run(
        4, err="mem: no file or folder at gone.json\n"
    )


def test_of_many_warnings_a_person_is_told_twenty_and_a_script_all(mem):
    mem.write("empty talks.json", [talk("Cats", *CATS), *[talk("Empty")] * 30])

    told = mem("ingest", "empty talks.json")
    shape = mem("ingest", "empty talks.json", "--json")

    assert told.code == 0
    assert len(told.err.splitlines()) == 21
    assert told.err.endswith("mem: empty talks.json: 10 more warnings; `--json` prints all\n")
    assert len(shape.json["sources"][0]["warnings"]) == 30


def test_clocks_without_a_zone_are_read_in_the_zone_named(mem):
    mem.write("chat.txt", whatsapp(*FRIENDS))

    mem("ingest", "chat.txt", "--timezone", "Asia/Tokyo")
    wrong = mem("ingest", "chat.txt", "--timezone", "Mars/Olympus")

    [found] = sessions(mem)
    assert found["started_at"] == "2024-03-20T12:00:00+09:00"
    assert wrong == Run(
        2, err="mem: not a time zone: `Mars/Olympus`\nhint: write it as in `Europe/Lisbon`\n"
    )


def test_clocks_without_a_zone_are_those_of_this_machine_otherwise(mem):
    mem.write("chat.txt", whatsapp(*FRIENDS))

    mem("ingest", "chat.txt", TZ="America/New_York")

    assert sessions(mem)[0]["started_at"] == "2024-03-20T12:00:00-04:00"


def test_the_name_given_with_me_is_the_owner_of_a_chat(mem):
    mem.write("chat.txt", whatsapp(*FRIENDS))

    mem("ingest", "chat.txt", "--me", "ann")

    [found] = sessions(mem)
    shown = mem("show", found["id"], "--json").json["session"]["turns"]
    assert [(turn["role"], turn["speaker"]) for turn in shown] == [
        ("user", "Ann"),
        ("person", "Bea"),
    ]


def test_real_exports_are_imported_and_the_second_run_finds_nothing_new(mem, samples):
    folders = [str(samples / name) for name in ("chatgpt", "claude", "whatsapp", "telegram")]

    first = mem("ingest", *folders, "--json")
    again = mem("ingest", *folders, "--json")

    totals = first.json["totals"]["sessions"]
    unchanged = again.json["totals"]
    assert (first.err, again.err, first.code) == ("", "", again.code)
    assert totals["new"] > 50
    assert unchanged["sessions"] == counts(
        unchanged=unchanged["sessions"]["unchanged"], skipped=totals["skipped"]
    )
    assert unchanged["turns"] == counts(unchanged=unchanged["turns"]["unchanged"])
    assert unchanged["sessions"]["unchanged"] >= totals["new"]


def test_interrupted_it_keeps_what_it_read_and_says_what_to_type(mem):
    mem.write("talks.json", [talk(f"Talk {n}", "me: Hello?", "ai: Hello.") for n in range(40)])
    script = (
        "import os, signal, sys\n"
        "from memcli import cli\n"
        "from memcli.ingest import import_conversations, import_exports\n"
        "import_exports.BATCH_TURNS, calls = 10, []\n"
        "importer = import_conversations.ConversationImporter\n"
        "take = importer.import_batch\n"
        "def taken(*arguments, **keywords):\n"
        "    calls.append(1)\n"
        "    len(calls) == 3 and os.kill(os.getpid(), signal.SIGINT)\n"
        "    take(*arguments, **keywords)\n"
        "importer.import_batch = taken\n"
        "sys.exit(cli.main(['ingest', 'talks.json']))"
    )

    done = subprocess.run(
        [MEM.with_name("python"), "-c", script],
        env=mem.environment,
        cwd=mem.folder,
        capture_output=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        130,
        b"",
        b"mem: interrupted; what was imported is kept, and the same command imports the rest\n",
    )
    assert len(sessions(mem)) == 10
    assert mem("ingest", "talks.json").code == 0
    assert len(sessions(mem)) == 40


def test_formats_are_listed_with_how_to_get_each_export(mem):
    listed = mem("ingest", "--formats")

    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == list(load_guides())
    assert "WhatsApp: open the chat, More, Export chat" in listed.out
    assert [one["name"] for one in mem("ingest", "--formats", "--json").json["formats"]] == list(
        load_guides()
    )


def test_a_format_and_its_source_have_one_name(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])
    mem("ingest", "talks.json", "--format", "generic")

    for name in ("generic", "generic_json"):
        [found] = mem("sessions", "--source", name, "--json").json["sessions"]
        assert found["title"] == "Cats"


def test_verbose_prints_what_became_of_every_message(mem):
    lines = ("Messages are end-to-end encrypted.", "Ann: Hi", "Bob: Yo")
    chat = "\n".join(f"13.03.2024, 14:0{at} - {line}" for at, line in enumerate(lines))
    mem.write("WhatsApp Chat with Ann.txt", chat)

    done = mem("ingest", "WhatsApp Chat with Ann.txt", "--verbose")

    assert "3 messages: 2 turns; kept, but not searched: 1 service" in done.err
