"""How long a person waits for `mem`, from Enter to the prompt."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from memcli.errors import BackendError, ExitCode

AGAIN = 2  # times that a command is run after the first


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that a command takes the first time, and again."""

    cold: float  # nothing is remembered; what files the system has in memory is left to it
    warm: float  # the median of the next ones


@dataclass(frozen=True, slots=True)
class ArchiveSpeed:
    """What `mem` takes for an archive in a new database."""

    sessions: int
    turns: int
    ingest: float  # seconds
    search: Latency
    ask: Latency


def archive_speed(
    exports: Path, question: str, ask_options: Sequence[str], *, zone: str
) -> ArchiveSpeed:
    """Import an archive into a temporary database and ask it a question, as a person does.

    Args:
        exports: of the archive.
        question: that it answers.
        ask_options: of `mem ask`: which models.
        zone: of clocks in it that name none.

    Raises:
        BackendError: a command failed; with what it said.
    """
    with TemporaryDirectory(prefix="mem-bench-") as folder:
        mem = (sys.executable, "-m", "memcli", "--db", str(Path(folder, "mem.db")))
        imported, seconds = _run(*mem, "ingest", str(exports), "--timezone", zone, "--json")
        totals = json.loads(imported)["totals"]
        return ArchiveSpeed(
            sessions=totals["sessions"]["new"],
            turns=totals["turns"]["new"],
            ingest=seconds,
            search=_latency(*mem, "search", question),
            ask=_latency(*mem, "ask", question, "--quiet", *ask_options),
        )


def _latency(*command: str) -> Latency:
    cold, *warm = (_run(*command)[1] for _ in range(1 + AGAIN))
    return Latency(cold, median(warm))


def _run(*command: str) -> tuple[str, float]:
    """Run a command; return what it printed, and its seconds."""
    began = perf_counter()
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    seconds = perf_counter() - began
    if done.returncode not in (ExitCode.OK, ExitCode.NOTHING_FOUND):
        said = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise BackendError(f"`mem {command[5]}` failed: {said.removeprefix('mem: ')}")
    return done.stdout.decode(), seconds
