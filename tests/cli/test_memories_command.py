"""`mem memories`, and what `mem forget` does to them."""

import sqlite3
from contextlib import closing

import pytest
from helpers.mem_process import Mem, Run
from helpers.small_exports import talk

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.domain import Fact, MemoryType, Segment
from memcli.memories.remember import MemoryWriter
from memcli.store import Filters, Store

ARCHIVE = [
    talk("Home", "me: I live in Lisbon now.", "ai: Nice."),
    talk("Diet", "me: No hazelnuts for me, ever."),
]


def filled(folder):
    """`mem` with an archive that a model has read."""
    mem = Mem(folder)
    mem.remembers(*ARCHIVE)
    read(mem, "Home", "home city", "Lives in Lisbon", MemoryType.USER, "place")
    read(mem, "Diet", "diet", "Eats no hazelnuts", MemoryType.USER, "food")
    read(mem, "Diet", "pets", "Has 3 cats", MemoryType.LONG_TERM)
    return mem


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """An archive that no test changes."""
    return filled(tmp_path_factory.mktemp("library"))


@pytest.fixture
def archive(library, tmp_path):
    """An archive of one's own."""
    copy = Mem(tmp_path)
    copy.database.write_bytes(library.database.read_bytes())
    return copy


def read(mem, title, key, value, kind, *tags):
    """Do what `mem read` does where a model calls add_memory."""
    with Store(mem.database) as store:
        [session] = [one for one in store.sessions.summaries(Filters()) if one.title == title]
        segment = Segment(session.id, 1, session.turns)
        fact = Fact(key, kind, value, tags)
        MemoryWriter(store, WordLlamaEmbedder()).remember(fact, segment, model="memreader-4b 0123")


def ids(mem, *arguments):
    """Ids by key, of what a list shows."""
    return {one["key"]: one["id"] for one in mem("memories", *arguments, "--jsonl").lines}


def test_memories_are_listed_newest_first_and_the_doubtful_apart(library):
    found = ids(library)

    assert library("memories") == Run(
        0,
        f"{found['diet']}  2024-03-01  UserMemory      diet: Eats no hazelnuts  #food\n"
        f"{found['home city']}  2024-03-01  UserMemory      home city: Lives in Lisbon  #place\n",
        "mem: 1 unsupported, not shown: `mem memories list --unsupported`\n",
    )
    doubtful = library("memories", "--unsupported")
    assert doubtful.err == ""
    assert doubtful.out.endswith("LongTermMemory  pets: Has 3 cats  (unsupported: 3)\n")


def test_a_query_finds_memories_by_words_and_meaning(library):
    [first, *_] = library("memories", "search", "which", "city", "is", "home", "--jsonl").lines

    assert first["key"] == "home city"
    assert library("memories", "list", "hazelnuts", "--limit", "1").out.count("\n") == 1
    assert library("memories", "search", "xyzzy").code == 3


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (("--tag", "FOOD"), {"diet"}),
        (("--type", "LongTermMemory", "--unsupported"), {"pets"}),
        (("--speaker", "nobody"), set()),
        (("--since", "2024-03-02"), set()),
        (("--until", "2024-03"), {"diet", "home city"}),
    ],
)
def test_the_list_is_limited_by_filters(library, options, keys):
    assert set(ids(library, *options)) == keys


def test_as_json_a_memory_has_its_sources_and_what_became_of_it(library):
    done = library("memories", "--tag", "place", "--json").json

    [memory] = done["memories"]
    [source] = memory["sources"]
    assert done["schema"] == "mem.memories/1"
    assert memory == {
        "id": memory["id"],
        "key": "home city",
        "type": "UserMemory",
        "value": "Lives in Lisbon",
        "tags": ["place"],
        "said_at": "2024-03-01T12:00:00+00:00",
        "by": "memreader-4b 0123",
        "accepted": False,
        "unsupported": [],
        "superseded_by": None,
        "edited": False,
        "conflicts": [],
        "sources": [
            {
                "session": source["session"],
                "turn": f"{source['session']}:1",
                "key": source["key"],
                "speaker": "user",
                "at": "2024-03-01T12:00:00+00:00",
                "text": "I live in Lisbon now.",
            }
        ],
    }


def test_an_id_shows_the_memory_with_the_words_it_came_from(library):
    key = ids(library)["home city"]
    [source] = library("memories", key, "--json").json["memory"]["sources"]

    assert library("memories", key[:6]) == Run(
        0,
        "home city\nLives in Lisbon\n"
        f"{key}  UserMemory  2024-03-01  by memreader-4b  #place\n\n"
        f"{source['turn']}  user  2024-03-01 12:00\nI live in Lisbon now.\n",
    )
    assert library("memories", "show", key) == library("memories", key)
    assert library("memories", "m_zzz").code == 3


def test_an_accepted_memory_is_listed_with_the_others(archive):
    key = ids(archive, "--unsupported")["pets"]

    shown = archive("memories", "accept", key)

    assert shown.out.endswith("pets: Has 3 cats  (accepted although unsupported: 3)\n")
    assert set(ids(archive)) == {"diet", "home city", "pets"}
    assert archive("memories", "--unsupported").code == 3


def test_an_edit_takes_the_place_of_what_was_wrong_and_no_model_takes_its(archive):
    key = ids(archive)["home city"]

    archive("memories", "edit", key, "Lives in Porto", "--tag", "north")
    read(archive, "Home", "Home City", "Lives in Lisbon now", MemoryType.USER)
    read(archive, "Home", "home city", "Lives in Lisbon", MemoryType.USER)

    [current] = [one for one in archive("memories", "--jsonl").lines if one["key"] == "home city"]
    assert (current["value"], current["tags"], current["by"]) == (
        "Lives in Porto",
        ["north"],
        "you",
    )
    assert [one["text"] for one in current["sources"]] == [
        "I live in Lisbon now.",
        "Lives in Porto",
    ]
    history = archive("memories", current["id"], "--json").json["history"]
    assert [(one["value"], one["superseded_by"]) for one in history] == [
        ("Lives in Lisbon", current["id"]),
        ("Lives in Lisbon now", current["id"]),
        ("Lives in Porto", None),
    ]


def test_an_edit_back_is_current_again(archive):
    key = ids(archive)["home city"]
    archive("memories", "edit", key, "Lives in Porto")
    archive("memories", "edit", ids(archive)["home city"], "Lives in Lisbon")

    assert ids(archive)["home city"] == key
    assert archive("memories", "search", "home city", "--history").out.count("(edited: now") == 1


def test_a_fact_of_ones_own_is_found_by_ask_as_well(mem):
    assert mem("memories", "add", "door code", "It is 3826", "--tag", "flat").code == 0

    assert mem("memories").out.endswith("UserMemory      door code: It is 3826  #flat\n")
    [session] = mem("search", "door code", "--json").json["sessions"]
    assert (session["source"], session["evidence"][0]["text"]) == ("you", "It is 3826")


def test_a_forgotten_memory_is_gone_with_what_was_written_for_it(archive):
    archive("memories", "add", "door code", "It is xylophone")
    key = ids(archive)["door code"]
    assert archive("forget", key, "--dry-run", "--json").json["memories"][0]["id"] == key

    assert archive("forget", key, "--yes").code == 0

    assert "door code" not in ids(archive)
    assert len(archive("sessions", "--jsonl").lines) == 2
    assert b"xylophone" not in archive.database.read_bytes()


def test_with_a_session_go_the_memories_that_come_from_it_alone(archive):
    [session] = [
        one["id"] for one in archive("sessions", "--jsonl").lines if one["title"] == "Diet"
    ]

    done = archive("forget", session, "--yes", "--json")

    assert {one["key"] for one in done.json["memories"]} == {"diet", "pets"}
    assert set(ids(archive)) == {"home city"}


def test_what_was_exported_is_imported_as_it_was(archive, tmp_path):
    archive("memories", "edit", ids(archive)["diet"], "Eats no nuts")
    archive("memories", "accept", ids(archive, "--unsupported")["pets"])
    archive("memories", "add", "note", "mine\x1b[31m, «naïve» 🙂", "--type", "LongTermMemory")
    exported = archive("memories", "export").out
    (tmp_path / "other").mkdir()
    other = Mem(tmp_path / "other")
    other.remembers(*ARCHIVE)
    other.write("memories.json", exported)

    assert other("memories", "import", "memories.json") == Run(0, "5 new\n")
    assert other("memories", "import", "-", stdin=exported.encode()) == Run(
        0, "0 new, 5 already known\n"
    )

    assert other("memories", "export").out == exported


def test_facts_written_by_hand_are_ones_own(mem):
    lines = '{"key": "k", "value": "v"}\n\n{"key": "k2", "value": "w", "said_at": "2020-01-01"}\n'

    assert mem("memories", "import", "-", stdin=lines.encode()) == Run(0, "2 new\n")
    assert mem("memories", "import", "-", stdin=lines.encode()) == Run(
        0, "0 new, 2 already known\n"
    )

    old, new = sorted(mem("memories", "--jsonl").lines, key=lambda one: one["said_at"])
    assert (old["said_at"], old["by"], new["accepted"]) == (
        "2020-01-01T00:00:00+00:00",
        "you",
        True,
    )


def test_what_came_from_elsewhere_is_ones_own_after_an_import(archive, tmp_path):
    exported = archive("memories", "export").out.encode()
    (tmp_path / "other").mkdir()
    other = Mem(tmp_path / "other")

    assert other("memories", "import", "-", stdin=exported) == Run(0, "3 new\n")

    found = other("memories", "--jsonl").lines
    assert {one["by"] for one in found} == {"you"}
    assert {one["said_at"] for one in found} == {"2024-03-01T12:00:00+00:00"}


def test_what_was_forgotten_is_not_imported_again(archive):
    exported = archive("memories", "export").out.encode()
    archive("forget", ids(archive)["diet"], "--yes")

    done = archive("memories", "import", "-", stdin=exported)

    assert done == Run(0, "0 new, 2 already known, 1 forgotten earlier and not imported\n")


def test_an_import_that_cannot_be_read_changes_nothing(archive):
    lines = b'{"key": "k", "value": "v"}\n{"key": "k2"}\n'

    done = archive("memories", "import", "-", stdin=lines)

    assert done == Run(4, "", "mem: -: line 2: `value` is missing\n")
    assert archive("memories", "import", "-", stdin=b"\xff") == Run(4, "", "mem: - is not UTF-8\n")
    assert archive("memories", "import", "nowhere").code == 4
    assert "k" not in ids(archive)


def test_markdown_is_for_reading(archive):
    archive("memories", "add", "note *x*", "a\nb `c` <d>")

    document = archive("memories", "export", "--format", "markdown").out

    assert document.startswith("# UserMemory\n\n- **note \\*x\\***: a b \\`c\\` \\<d\\>  \n  ")
    assert (
        "\n\n# LongTermMemory\n\n- **pets**: Has 3 cats  \n  2024-03-01; by memreader" in document
    )


def test_contradictions_without_an_order_are_both_shown(archive):
    read(archive, "Home", "home city", "It is Lisbon now", MemoryType.USER)

    listed = [line for line in archive("memories").out.splitlines() if "home city" in line]

    assert len(listed) == 2, listed
    assert all("(conflicts with m_" in line for line in listed), listed


@pytest.mark.parametrize(
    "arguments",
    [("edit", "m_x"), ("list", "--type", "x"), ("add", "k"), ("export", "--format", "x")],
)
def test_wrong_usage_ends_in_status_2(library, arguments):
    assert library("memories", *arguments).code == 2


def test_without_a_database_there_is_nothing_to_list(mem):
    assert mem("memories").code == 5


def test_mem_show_opens_a_memory_too(library):
    key = ids(library)["diet"]

    assert library("show", key) == library("memories", key)
    assert library("show", f"[{key}]", "--json") == library("memories", key, "--json")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("show", "m_zzz"), 3, "no memory `m_zzz`\nhint: list memories with `mem memories`"),
        (("show", "m_zzz:3"), 2, "a memory has no turns of its own\nhint: `mem show m_zzz`"),
        (("show", "m_zzz", "--jsonl"), 2, "a memory cannot be printed as jsonl\nhint: `--json`"),
        (("show", "door"), 3, "no session `door`\nhint: an id looks like `s_k3j`; `mem search"),
        (("show", "s_zzz"), 3, "no session `s_zzz`\nhint: list sessions with `mem sessions`"),
        (("export", "m_zzz"), 3, "no session `m_zzz`\nhint: `mem show m_zzz` shows a memory"),
        (("memories", "show", "s_zz"), 3, "no memory `s_zz`\nhint: `mem show s_zz` shows a ses"),
    ],
)
def test_the_wrong_kind_of_reference_is_told_what_to_type(library, arguments, status, told):
    done = library(*arguments)

    assert (done.code, done.out) == (status, "")
    assert done.err.startswith(f"mem: {told}")


def test_a_word_that_is_no_command_is_not_a_query(library):
    done = library("memories", "hazelnuts")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mem: no such command 'hazelnuts'\nhint: ")


def test_a_query_with_list_is_still_understood(library):
    assert library("memories", "list", "hazelnuts") == library("memories", "search", "hazelnuts")


def test_memories_are_forgotten_among_memories(archive):
    diet = ids(archive)["diet"]

    dry = archive("memories", "forget", diet, "--dry-run")
    done = archive("memories", "forget", diet, "--yes")

    assert "Eats no hazelnuts" in dry.out
    assert dry.err == "mem: would delete 1 memory permanently\n"
    assert done == Run(0, "deleted 1 memory permanently: diet\n")
    assert "diet" not in ids(archive)


def test_a_session_is_not_forgotten_among_memories(archive):
    done = archive("memories", "forget", "s_k3j", "--yes")

    assert (done.code, done.err) == (
        2,
        "mem: not the id of a memory: `s_k3j`\nhint: `mem memories` lists them\n",
    )


def test_a_clock_that_was_set_back_does_not_supersede_a_new_fact(mem, monkeypatch):
    mem("memories", "add", "home", "Lives in Paris")
    with closing(sqlite3.connect(mem.database)) as database, database:
        database.execute("update turns set sent_at = sent_at + 3600000")

    mem("memories", "add", "home", "Lives in Berlin")

    current = [
        one["value"]
        for one in mem("memories", "list", "--json").json["memories"]
        if one["superseded_by"] is None
    ]
    assert current == ["Lives in Berlin"]
