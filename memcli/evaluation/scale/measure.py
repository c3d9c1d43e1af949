"""Measures every command on a generated archive, each as a process of its own.

Processor seconds are compared, because other programs disturb them less than the clock; and each
command stands beside a program that does no more than it must, in the same run.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from memcli.evaluation.scale import floors
from memcli.evaluation.scale.archive import sample_questions, write_archive
from memcli.evaluation.scale.processes import CommandCost, CommandRunner, median_cost
from memcli.evaluation.scale.report import ScaleReport, ScaleRow
from memcli.store import Filters, Store
from memcli.temporary import temporary_folder

REPEATS = 3  # runs of a short command, of which the median counts
QUESTIONS = 3

_ZONE = ("--timezone", "UTC")
_FULL_TEXT = "FTS5 alone"
Announce = Callable[[str], None]  # tells a person what is measured next


def measure_scale(sessions: int, small_exports: Path, announce: Announce) -> ScaleReport:
    """Generate an archive, import it, and run every command on it.

    Args:
        sessions: about how many.
        small_exports: an archive of everyday size, which is searched, too.
        announce: tells what is measured next.

    Raises:
        BackendError: a command failed; with its error message.
        OSError: the temporary disk is full: it needs about eight times the size of the exports.
    """
    with temporary_folder() as folder:
        exports = folder / "exports"
        exports.mkdir()
        announce(f"writing exports of about {sessions:,} sessions")
        size = write_archive(sessions, exports)
        benchmark = _ScaleBenchmark(folder, exports, announce)
        imports = list(benchmark.measure_imports())
        with Store.existing(folder / "mem.db", read_only=True) as store:
            totals, disk = store.statistics.totals(), store.statistics.disk_use()
        rows = [*benchmark.measure_starts(), *imports, *benchmark.measure_commands(small_exports)]
        cost = imports[0].cost
        return ScaleReport(
            sessions=totals.sessions,
            turns=totals.turns,
            export_bytes=size,
            import_cpu_seconds_per_megabyte=cost.cpu_seconds / (size / 1e6),
            import_seconds_per_megabyte=cost.seconds / (size / 1e6),
            rows=rows,
            disk=disk,
            database_to_text=disk.database_bytes / max(disk.text_bytes, 1),
        )


class _ScaleBenchmark:
    """The commands, each beside a program that does no more than it must."""

    def __init__(self, folder: Path, exports: Path, announce: Announce) -> None:
        self._runner, self._exports, self._announce = CommandRunner(folder), exports, announce
        self._database, self._full_text = folder / "mem.db", folder / "full_text.db"

    def measure_starts(self) -> Iterator[ScaleRow]:
        """Yield the costs of commands that do nothing but start."""
        self._announce("starting")
        floor = median_cost([self._run_floor(floors.START) for _ in range(REPEATS)])
        for command in ("--version", "--help"):
            yield ScaleRow(command, self._measure(command), "python -c pass", floor)

    def measure_imports(self) -> Iterator[ScaleRow]:
        """Yield the costs of an import, and of another one after which nothing has changed."""
        self._announce("importing")
        exports, paths = str(self._exports), sorted(self._exports.iterdir())
        cost = self._runner.run_mem("ingest", exports, *_ZONE)
        texts = self._runner.folder / "texts.json"
        with Store.existing(self._database, read_only=True) as store:
            texts.write_text(json.dumps(list(store.statistics.turn_texts())), "utf-8")
        floor = self._run_floor(floors.BUILD_FULL_TEXT, str(texts), str(self._full_text))
        texts.unlink()
        yield ScaleRow("ingest", cost, _FULL_TEXT, floor)
        for path in paths:
            path.touch()
        cost = self._runner.run_mem("ingest", exports, *_ZONE)
        floor = self._run_floor(floors.DIGEST, *map(str, paths))
        yield ScaleRow("ingest, files touched", cost, "sha256 of the files", floor)

    def measure_commands(self, small_exports: Path) -> Iterator[ScaleRow]:
        """Yield the costs of commands that read, and then of those that change the database."""
        yield from self._measure_search("search", self._runner, self._full_text)
        for command in ("stats", "doctor", "sessions"):
            self._announce(command)
            yield ScaleRow(command, self._measure(command))
        yield from self._measure_exports()
        yield from self._measure_changes()
        small = CommandRunner(self._runner.folder / "small")
        small.folder.mkdir()
        small.run_mem("ingest", str(small_exports), *_ZONE)
        yield from self._measure_search("search of a small archive", small, None)

    def _measure_search(
        self, name: str, runner: CommandRunner, full_text: Path | None
    ) -> Iterator[ScaleRow]:
        self._announce(name)
        questions = sample_questions(QUESTIONS)
        runner.run_mem("search", "warm up")
        new = median_cost([runner.run_mem("search", question) for question in questions])
        again = median_cost([runner.run_mem("search", question) for question in questions])
        search, floor = floors.SEARCH_FULL_TEXT, None
        if full_text:
            costs = [self._run_floor(search, str(full_text), question) for question in questions]
            floor = median_cost(costs)
        for kind, cost in (("new question", new), ("asked again", again)):
            yield ScaleRow(f"{name}, {kind}", cost, _FULL_TEXT if floor else "", floor)

    def _measure_exports(self) -> Iterator[ScaleRow]:
        self._announce("exporting")
        copy = self._runner.folder / "copy.db"
        floor = self._runner.run("cp", str(self._database), str(copy))
        copy.unlink()
        folder = self._runner.folder / "markdown"
        for name, options in (
            ("jsonl", ()),
            ("markdown", ("--format", "markdown", "--to", str(folder))),
        ):
            cost = self._runner.run_mem("export", *options)
            yield ScaleRow(f"export, {name}", cost, "cp of the database", floor)
        shutil.rmtree(folder)

    def _measure_changes(self) -> Iterator[ScaleRow]:
        self._announce("forgetting")
        with Store.existing(self._database, read_only=True) as store:
            ids = [summary.id for summary in store.sessions.summaries(Filters())]
        chosen = ids[:: len(ids) // REPEATS][:REPEATS]
        costs = [self._runner.run_mem("forget", one, "--yes") for one in chosen]
        yield ScaleRow("forget one session", median_cost(costs))
        self._announce("rebuilding the index")
        yield ScaleRow("index --rebuild", self._runner.run_mem("index", "--rebuild"))

    def _measure(self, *command: str) -> CommandCost:
        return median_cost([self._runner.run_mem(*command) for _ in range(REPEATS)])

    def _run_floor(self, program: str, *arguments: str) -> CommandCost:
        return self._runner.run(sys.executable, "-c", program, *arguments)
