"""`mem stats`: the same counts as a chart, as lines and as JSON."""

import pytest
from helpers.mem_process import Run
from helpers.panes import pane
from helpers.small_exports import BEGIN, talk, telegram

SHOWN = """\
4 sessions, 6 turns, 19 words, from 2024-03-01 to 2025-01-03
turns of Ann 1, 林晓 1
/mem.db: 0.2 MB, 4 vectors of wordllama-256

sessions by source; a bar is a month, the highest 2
             2024      2025
generic   3  █         ▄
telegram  1  ▄
"""


@pytest.fixture
def archive(mem):
    mem.remembers(
        talk("Cats", "me: A name for a cat?", "ai: Pixel."),
        talk("Noodles", "me: 大阪で一番"),
        talk("Dogs", "me: Rex is it.", at=BEGIN.replace(year=2025, month=1, day=3)),
    )
    mem.write("result.json", telegram("Ann", "Ann: Hello there you", "林晓: 你好"))
    assert mem("ingest", "result.json").code == 0
    return mem


def test_a_pipe_gets_a_line_for_every_month_of_a_source(archive):
    head, _, rows = archive("stats").out.partition("\n\n")

    assert head.splitlines()[:2] == [
        "4 sessions, 6 turns, 19 words, from 2024-03-01 to 2025-01-03",
        "turns of Ann 1, 林晓 1",
    ]
    assert rows.splitlines() == [
        "2024-03  generic        2",
        "2024-03  telegram       1",
        "2025-01  generic        1",
    ]


def test_json_has_the_same_facts(archive):
    found = archive("stats", "--json").json

    assert {key: found[key] for key in ("schema", "sessions", "turns", "words", "memories")} == {
        "schema": "mem.stats/1", "sessions": 4, "turns": 6, "words": 19, "memories": 0,
    }  # fmt: skip
    assert found["months"][1] == {"month": "2024-03", "source": "telegram", "sessions": 1}
    assert found["people"] == [{"name": "Ann", "turns": 1}, {"name": "林晓", "turns": 1}]
    assert found["size"] == archive.database.stat().st_size
    assert (found["first"][:10], found["last"][:10]) == ("2024-03-01", "2025-01-03")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_on_a_terminal_it_is_a_chart_that_fits(archive, width):
    shown = pane(archive, "stats", width=width, MEM_DB="mem.db")

    joined = shown.replace(str(archive.folder), "").replace("\n2025-01-03", " 2025-01-03")
    assert joined[joined.index("\n\n") :] == SHOWN[SHOWN.index("\n\n") :]
    assert max(map(len, shown.splitlines())) <= width


def test_more_months_than_there_is_room_for_share_a_bar(mem):
    mem.remembers(
        *[talk(f"T{year}", "me: x", at=BEGIN.replace(year=year)) for year in range(2004, 2025)]
    )

    rows = pane(mem, "stats", width=60).splitlines()

    assert "sessions by source; a bar is 6 months, the highest 1" in rows
    assert rows[-1].startswith(f"generic  21  {' '.join('█' * 21)}")
    assert len(rows[-1]) <= 60


def test_an_empty_database_has_nothing_to_draw(mem):
    mem.write("empty.json", [talk("Cats", "me: Pixel?")])
    mem("ingest", "empty.json")
    [session] = mem("sessions", "--jsonl").lines
    mem("forget", session["id"], "--yes")

    done = mem("stats")

    assert (done.code, done.out.splitlines()[0]) == (0, "0 sessions, 0 turns, 0 words")


def test_without_a_database_it_says_so(mem):
    assert mem("stats") == Run(
        5,
        err=f"mem: nothing was ingested yet: no database at {mem.database}\n"
        "hint: `mem ingest PATH` imports an export, `mem ingest --discover` finds those on"
        " this machine\n",
    )
