"""`mem sessions` and `mem show`."""

import re
from datetime import timedelta

import pytest
from helpers.mem_process import Mem, Run
from helpers.small_exports import BEGIN, chatgpt, talk, telegram

HOSTILE = "\x1b[31mred\x1b]0;owned\x07 \x9b2J\x08text"


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    """`mem` with a small archive that no test changes."""
    mem = Mem(tmp_path_factory.mktemp("archive"))
    lines = ("me: A name for a cat?", "ai: Biscuit.", "ai: Pixel.")
    mem.write("chatgpt.json", [chatgpt("Branches", *lines, kept=3)])
    chat = ("Ann: Hello!", "Me: Hi Ann.")
    mem.write("telegram.json", telegram("Ann Ng", *chat, at=BEGIN + timedelta(days=2)))
    mem.write(
        "notes.json",
        [
            talk("Timeless", "me: When was this?", at=None),
            talk("Hostile \x1b[2J", f"me: {HOSTILE}", at=BEGIN - timedelta(days=40)),
        ],
    )
    assert mem("ingest", "chatgpt.json", "telegram.json", "notes.json").code == 0
    return mem


def listed(mem, *options):
    return [one["title"] for one in mem("sessions", "--json", *options).json["sessions"]]


def key_of(mem, title):
    [key] = [one["id"] for one in mem("sessions", "--jsonl").lines if one["title"] == title]
    return key


def test_sessions_are_listed_latest_first_and_those_without_a_time_last(mem):
    assert listed(mem) == ["Ann Ng", "Branches", "Hostile \x1b[2J", "Timeless"]


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (("--limit", "1"), ["Ann Ng"]),
        (("--since", "2024-03-02"), ["Ann Ng"]),
        (("--until", "2024-03-01", "--since", "2024-03"), ["Branches"]),
        (("--source", "generic"), ["Hostile \x1b[2J", "Timeless"]),
        (("--speaker", "ann"), ["Ann Ng"]),
    ],
)
def test_the_list_is_limited_by_filters(mem, options, titles):
    assert listed(mem, *options) == titles


def test_a_speaker_is_found_by_any_of_their_names(mem, tmp_path):
    settings = tmp_path / "config.toml"
    settings.write_text('[people]\n"Ann Ng" = ["ann", "+81 90"]\nme = ["Mira"]\n')

    def by(name):
        shown = mem("sessions", "--json", "--speaker", name, MEM_CONFIG=str(settings))
        return [one["title"] for one in shown.json["sessions"]]

    assert by("+81 90") == ["Ann Ng"]
    assert by("mira") == listed(mem, "--speaker", "me")
    assert by("mira") == ["Ann Ng", "Branches", "Hostile \x1b[2J", "Timeless"]


def test_every_form_of_the_list_holds_the_same(mem):
    done = mem("sessions", "--json")
    [first, *_] = done.json["sessions"]

    assert set(done.json) >= {"schema", "sessions"}
    assert done.json["schema"] == "mem.sessions/1"
    assert first == {
        "id": first["id"],
        "title": "Ann Ng",
        "source": "telegram",
        "started_at": "2024-03-03T12:00:00+00:00",
        "ended_at": "2024-03-03T12:01:00+00:00",
        "participants": ["Ann", "Me"],
        "turns": 2,
    }
    assert mem("sessions", "--jsonl").lines == done.json["sessions"]
    told = mem("sessions").out.splitlines()
    assert told[0] == f"{first['id']}  2024-03-03 12:00     2 turns  telegram      Ann Ng"
    assert len(told) == 4


def test_a_list_without_sessions_ends_in_status_3(mem):
    undated = "mem: 1 session without a date is left out\n"

    done = mem("sessions", "--since", "2030")

    assert done == Run(3, err=f"{undated}mem: no sessions found\n")
    assert mem("sessions", "--since", "2030", "--json").json["sessions"] == []


def test_show_prints_the_transcript(mem):
    key = key_of(mem, "Ann Ng")

    assert mem("show", key) == Run(
        0,
        f"Ann Ng\n{key}  telegram  2024-03-03 12:00\n\nSunday 2024-03-03\n\n"
        "1  Ann  12:00\nHello!\n\n2  Me  12:01\nHi Ann.\n",
    )


def test_show_as_json_has_every_turn_and_its_id(mem):
    key = key_of(mem, "Ann Ng")

    shape = mem("show", key, "--json").json

    turns = shape["session"].pop("turns")
    assert shape["schema"] == "mem.show/1"
    assert set(shape["session"]) == set(mem("sessions", "--json").json["sessions"][0]) - {"turns"}
    assert turns[0] == {
        "id": f"{key}:1",
        "position": 1,
        "role": "person",
        "speaker": "Ann",
        "at": "2024-03-03T12:00:00+00:00",
        "clock": "exact",
        "kind": "text",
        "active": True,
        "text": "Hello!",
    }
    assert [turn["id"] for turn in turns] == [f"{key}:1", f"{key}:2"]


def test_the_beginning_of_an_id_is_enough_and_so_is_the_id_of_a_turn(mem):
    key = key_of(mem, "Ann Ng")
    whole = mem("show", key)

    assert mem("show", key[:8]) == whole
    assert mem("show", f"{key}:2") == whole


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """`mem` with one session of ten turns."""
    mem = Mem(tmp_path_factory.mktemp("long"))
    mem.remembers(talk("Ten", *(f"me: number {number}" for number in range(1, 11))))
    return mem


@pytest.mark.parametrize(
    ("named", "options", "shown"),
    [
        ("KEY:5", (), range(2, 9)),
        ("KEY:5", ("-C", "0"), [5]),
        ("KEY:4-6", ("--context", "1"), range(3, 8)),
        ("KEY:1", ("-C", "1"), [1, 2]),
        ("KEY:10", ("-C", "99"), range(1, 11)),
        ("[KEY:10]", ("-C", "0"), [10]),  # as it stands in an answer
        ("KEY:7?", ("-C", "0"), [7]),
        ("KEY", ("-C", "0"), range(1, 11)),
    ],
)
def test_turns_are_shown_with_those_around_them(long, named, options, shown):
    key = key_of(long, "Ten")

    done = long("show", named.replace("KEY", key), *options)
    shape = long("show", named.replace("KEY", key), *options, "--json").json

    assert [turn["position"] for turn in shape["session"]["turns"]] == list(shown)
    assert re.findall(r"number (\d+)", done.out) == [str(position) for position in shown]
    before, after = shown[0] - 1, 10 - shown[-1]
    assert re.findall(r"… (\d+) turns? before", done.out) == [str(before)] * bool(before)
    assert re.findall(r"… (\d+) turns? after", done.out) == [str(after)] * bool(after)


@pytest.mark.parametrize(
    ("named", "code", "told"),
    [
        ("KEY:11", 3, "has turns 1 to 10, not 11"),
        ("KEY:0", 3, "has turns 1 to 10, not 0"),
        ("KEY:6-4", 3, "has turns 1 to 10, not 6-4"),
        ("KEY:9-11", 3, "has turns 1 to 10, not 9-11"),
        ("KEY:x", 2, "not a session or turn"),
        ("KEY:1-", 2, "not a session or turn"),
        ("KEY:1:2", 2, "not a session or turn"),
        ("KEY:²", 2, "not a session or turn"),
        ("KEY:9999999999", 2, "not a session or turn"),
    ],
)
def test_turns_that_are_not_there_are_told(long, named, code, told):
    done = long("show", named.replace("KEY", key_of(long, "Ten")))

    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_a_turn_on_another_branch_is_shown_where_it_is_named(mem):
    key = key_of(mem, "Branches")

    assert "Biscuit." in mem("show", f"{key}:2", "-C", "0").out
    assert "Biscuit." not in mem("show", f"{key}:3").out


def test_an_id_that_fits_several_sessions_or_none_ends_in_status_3(mem):
    hint = "hint: list sessions with `mem sessions`\n"

    assert mem("show", "s_") == Run(3, err=f"mem: more than one session begins with `s_`\n{hint}")
    assert mem("show", "s_nowhere") == Run(3, err=f"mem: no session `s_nowhere`\n{hint}")
    assert mem("show", "s_%") == Run(3, err=f"mem: no session `s_%`\n{hint}")


def test_branches_that_were_not_kept_are_shown_with_all(mem):
    key = key_of(mem, "Branches")

    kept, every = mem("show", key).out, mem("show", key, "--all").out

    assert ("Pixel." in kept, "Biscuit." in kept) == (True, False)
    assert ("Pixel." in every, "Biscuit." in every) == (True, True)
    assert every.count("(another branch)") == 1


def test_a_session_without_a_time_has_no_date(mem):
    key = key_of(mem, "Timeless")

    assert mem("show", key).out.splitlines()[1].rstrip() == f"{key}  generic  no date"
    assert mem("show", key, "--json").json["session"]["started_at"] is None


def test_escape_sequences_are_neither_listed_nor_shown(mem):
    key = key_of(mem, "Hostile \x1b[2J")
    shown, shape = mem("show", key), mem("show", key, "--json")

    outputs = [mem("sessions").out, mem("sessions", "--json").out, shown.out, shape.out]
    assert shown.out.endswith("\nred 2Jtext\n")
    assert not any(sign in out for out in outputs for sign in "\x1b\x07\x08\x9b")
    assert shape.json["session"]["turns"][0]["text"] == HOSTILE


def test_a_list_with_tabs_has_five_fields_and_no_line_break_in_a_title(mem):
    lines = mem("sessions", "--format", "tsv").out.splitlines()

    assert [line.split("\t")[1:] for line in lines] == [
        ["2024-03-03", "telegram", "2", "Ann Ng"],
        ["2024-03-01", "chatgpt", "2", "Branches"],
        ["2024-01-21", "generic", "1", "Hostile"],
        ["no date", "generic", "1", "Timeless"],
    ]
    assert [line.split("\t")[0] for line in lines] == [
        one["id"] for one in mem("sessions", "--jsonl").lines
    ]
