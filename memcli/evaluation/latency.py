"""Measures how long a person waits for `mem`, from Enter to the prompt."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

from memcli.errors import BackendError, ExitCode
from memcli.evaluation.early_stopping import EarlyStopping, measure_early_stopping
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Embedder
from memcli.temporary import temporary_folder

WARM_RUNS = 2  # runs of a command after the first


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that a command takes."""

    # The system keeps the files that it has in memory.
    cold: Annotated[float, "The first time."]
    warm: Annotated[float, "Median of the next ones."]


@dataclass(frozen=True, slots=True)
class ArchiveSpeed:
    """The latency of commands on the archive of `mem demo`, in a new database."""

    sessions: int
    turns: int
    ingest: Annotated[float, "Seconds."]
    search: Latency
    ask: Latency
    stopping: EarlyStopping


def measure_archive(
    exports: Path, question: str, ask_options: Sequence[str], *, zone: str, embedder: Embedder
) -> ArchiveSpeed:
    """Import an archive into a temporary database and ask it a question, as a person does.

    Args:
        exports: of the archive.
        question: a question that the archive answers.
        ask_options: of `mem ask`: which models.
        zone: of clocks in it that name none.
        embedder: made the vectors that `mem ingest` writes.

    Raises:
        BackendError: a command failed; with its error message.
    """
    with temporary_folder() as folder:
        mem = (sys.executable, "-m", "memcli", "--db", str(Path(folder, "mem.db")))
        output, seconds = _run(*mem, "ingest", str(exports), "--timezone", zone, "--json")
        totals = json.loads(output)["totals"]
        return ArchiveSpeed(
            sessions=totals["sessions"]["new"],
            turns=totals["turns"]["new"],
            ingest=seconds,
            search=_measure_latency(*mem, "search", question),
            ask=_measure_latency(*mem, "ask", question, "--quiet", *ask_options),
            stopping=measure_early_stopping(Path(folder, "mem.db"), embedder),
        )


def _measure_latency(*command: str) -> Latency:
    cold, *warm = (_run(*command)[1] for _ in range(1 + WARM_RUNS))
    return Latency(cold, median(warm))


def _run(*command: str) -> tuple[str, float]:
    """Run a command; return its output, and its seconds."""
    began = perf_counter()
    state = str(Path(command[4]).parent)  # so that the person's last list stays
    done = subprocess.run(
        command,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": state},
        check=False,
    )
    seconds = perf_counter() - began
    if done.returncode not in (ExitCode.OK, ExitCode.NOTHING_FOUND):
        message = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise BackendError(f"`mem {command[5]}` failed: {message.removeprefix('mem: ')}")
    return done.stdout.decode(), seconds
