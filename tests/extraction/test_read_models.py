"""Reading with real models in llama.cpp: random ones that may call anything, and a real one."""

import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.scripted_reader import Bench

from memcli.backends.llama import open_reader
from memcli.extraction.tool_loop import parse_facts
from memcli.extraction.tools import ADD
from memcli.protocols import Sampling, ToolCall
from memcli.store import MemoryFilters, ReadingOutcome, Store

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
DAY = 1440 * MINUTE
THINGS = ("Lisbon", "hazelnuts", "a cat called Pixel", "tram 28", "我的自行车", "the violin", "😀")


def archive(bench, sessions):
    for n in range(sessions):
        thing = THINGS[n % len(THINGS)]
        lines = (f"me: I like {thing}.", f"ai: {thing}, noted {n}.", f"me: {'word ' * 30}")
        bench.ingest(talk(f"T{n}", *lines, at=BEGIN + n * DAY))


def dump(database):
    """Return every row that reading wrote."""
    with apsw.Connection(str(database)) as db:
        return {
            table: db.execute(f"select * from {table} order by 1, 2, 3").fetchall()
            for table in ("readings", "read_turns", "memories", "memory_sources")
        }


def read(*arguments):
    done = subprocess.run(
        [sys.executable, TESTS / "helpers" / "killed_reading.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(TESTS), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_killed_at_any_moments_it_ends_as_if_it_had_not_been(tmp_path, tiny):
    killed, whole = tmp_path / "killed.db", tmp_path / "whole.db"
    with Store(killed) as store:
        archive(Bench(store), 12)
        store._database.rows("pragma wal_checkpoint(truncate)")
    shutil.copy(killed, whole)

    assert read(whole, tiny, 0) == 0
    kills = read(killed, tiny, 20)

    assert kills >= 10
    assert dump(killed) == dump(whole)
    assert len(dump(whole)["readings"]) >= 12


class RecordingReader:
    """A reader that keeps its calls."""

    def __init__(self, reader):
        self.name, self.fingerprint, self.context = reader.name, reader.fingerprint, reader.context
        self.count = reader.count
        self._reader, self.calls = reader, []

    def call(self, messages, tools, **budget):
        for piece in self._reader.call(messages, tools, **budget):
            if isinstance(piece, ToolCall):
                assert piece.name in {tool.name for tool in tools}
                self.calls.append(piece)
            yield piece


def test_every_call_of_a_real_model_can_be_executed(tmp_path, smollm):
    with Store(tmp_path / "mem.db") as store:
        bench = Bench(store)
        archive(bench, 10)
        opened = open_reader(smollm, context=4096, sampling=Sampling(temperature=0.2), threads=1)
        reader = RecordingReader(opened)
        report = bench.read(reader, thought_tokens=4, call_tokens=32)
        opened.close()
        kept = {memory.fact.value for memory in store.memories.find(MemoryFilters())}

    wanted = [fact for call in reader.calls if call.name == ADD.name for fact in parse_facts(call)]
    assert (report.segments, report.failures, report.stopped_by) == (10, (), None)
    assert report.outcomes.keys() <= {ReadingOutcome.ADDED, ReadingOutcome.IGNORED}
    assert len(reader.calls) >= 10
    assert kept == {fact.value for fact in wanted}
