"""`mem people` and `mem timeline`."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from helpers.mem_process import Mem, Run
from helpers.small_exports import talk, telegram


def at(month, day=5):
    return datetime(2024, month, day, 12, tzinfo=UTC)


def filled(folder):
    mem = Mem(folder)
    mem.remembers(
        talk("Porto", "me: A trip to Porto?", "ai: In May.", at=at(1)),
        talk("Cats", "me: A name for a cat?", at=at(4)),
        talk("Later", "annie: Porto was fine.", at=at(6)),
        talk("Undated", "me: Porto again.", at=None),
    )
    lines = ("Ann Ng: The trip to Porto?", "Mira: Yes!", "Ann Ng: Good.")
    mem.write("telegram.json", telegram("Ann Ng", *lines, at=at(4, 9)))
    assert mem("ingest", "telegram.json").code == 0
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


def people(mem, *options):
    return {one["name"]: one for one in mem("people", "--jsonl", *options).lines}


def test_people_are_listed_with_their_turns_days_and_sources(library):
    found = people(library)

    assert list(found) == ["me", "Ann Ng", "Mira", "annie"]
    assert found["Ann Ng"] == {
        "name": "Ann Ng",
        "names": ["Ann Ng"],
        "turns": 2,
        "sessions": 1,
        "first": "2024-04-09T12:00:00+00:00",
        "last": "2024-04-09T12:02:00+00:00",
        "sources": ["telegram"],
    }
    assert library("people", "-n", "1").out.startswith("3 turns  2024-01-05 to 2024-04-05  3 sess")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--source", "telegram"), ["Ann Ng", "Mira"]),
        (("--since", "2024-06"), ["annie"]),
        (("--limit", "2"), ["me", "Ann Ng"]),
    ],
)
def test_people_are_limited_by_filters(library, options, names):
    assert list(people(library, *options)) == names


def test_names_of_one_person_are_merged(archive):
    merged = archive("people", "merge", "Ann Ng", "annie")
    mine = archive("people", "merge", "me", "Mira")

    config = archive.home / ".config" / "mem" / "config.toml"
    assert merged == Run(0, f"people.Ann Ng = annie  ({config})\n")
    assert mine.code == 0
    found = people(archive)
    assert {name: one["turns"] for name, one in found.items()} == {"me": 4, "Ann Ng": 3}
    assert found["Ann Ng"]["names"] == ["Ann Ng", "annie"]
    assert len(archive("sessions", "--speaker", "annie", "--jsonl").lines) == 2
    archive("people", "merge", "annie", "Ann")  # any of the names will do
    assert archive("config", "get", "people.Ann Ng").out == "annie\nAnn\n"


def test_a_month_without_sessions_is_in_the_timeline(library):
    assert library("timeline") == Run(
        0,
        "2024-01  1\n2024-02  0\n2024-03  0\n2024-04  2\n2024-05  0\n2024-06  1\nundated  1\n",
    )


def test_a_timeline_of_words_has_only_the_sessions_with_all_of_them(library):
    found = library("timeline", "trip", "Porto", "--json").json

    assert found == {
        "schema": "mem.timeline/1",
        "query": "trip Porto",
        "months": [
            {"month": "2024-01", "sessions": 1},
            {"month": "2024-02", "sessions": 0},
            {"month": "2024-03", "sessions": 0},
            {"month": "2024-04", "sessions": 1},
        ],
        "undated": 0,
    }
    assert library("timeline", "zebra") == Run(3, err="mem: no sessions found\n")


def test_a_timeline_is_drawn_for_a_file(library):
    done = library("timeline", "--format", "svg", "Porto", "<&>")
    drawing = library("timeline", "--format", "svg")

    assert done.code in (0, 3)
    bars = ElementTree.fromstring(drawing.out).findall("{http://www.w3.org/2000/svg}rect")
    assert [bar[0].text for bar in bars][2:4] == ["2024-03: 0", "2024-04: 2"]
    assert library("timeline", "--format", "svg", "--json").code == 2
