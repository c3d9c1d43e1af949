"""How fast exports are imported, and in how much memory."""

import multiprocessing
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from memcli.errors import BackendError
from memcli.evaluation.speed import Spent, Stopwatch
from memcli.evaluation.synthetic_exports import write_export
from memcli.formats import Format, Reading, load
from memcli.formats.sources import places
from memcli.protocols import Embedder
from memcli.store import Store

KINDS = ("chatgpt", "telegram")  # many conversations in one line; one chat


class Ingest(Protocol):
    """What takes exports in: `memcli.pipeline.ingest.ingest`."""

    def __call__(
        self,
        paths: Sequence[Path],
        store: Store,
        embedder: Embedder | None,
        reading: Reading,
        *,
        forced: Format | None = None,
    ) -> object:
        """Bring what exports hold into a database; without an embedder, index nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of an import, from its beginning, in a process of its own."""

    megabytes: float  # millions of bytes a second, by the clock
    cpu_megabytes: float  # the same by processor time, of all its processes together
    peak: int  # bytes of memory, of all of them, at most


@dataclass(frozen=True, slots=True)
class ImportSpeed:
    """What importing an export takes."""

    kind: str
    megabytes: float
    parsed: Stage  # read, and thrown away
    stored: Stage  # read and stored, nothing indexed
    indexed: Stage | None  # all that `mem ingest` does; None where it was not asked for


def measure_import(
    kind: str,
    megabytes: float,
    ingest: Ingest,
    open_embedder: Callable[[], Embedder] | None = None,
) -> ImportSpeed:
    """Write an export, and import it stage by stage.

    Args:
        kind: one of KINDS.
        megabytes: of the export, in millions of bytes; it lies in the folder for temporary files,
            and a database of about its size beside it.
        ingest: what takes it in; a function of a module, as is `open_embedder`, for they are
            named to another process.
        open_embedder: makes the vectors; without it the last stage is left out.

    Raises:
        BackendError: a stage ended without a result.
    """
    with TemporaryDirectory(prefix="mem-bench-") as folder:
        export = Path(folder, "export.json")
        size = write_export(kind, megabytes, export) / 1e6
        return ImportSpeed(
            kind,
            size,
            parsed=_stage(size, _parse, kind, export),
            stored=_stage(size, _store, kind, export, ingest, None),
            indexed=open_embedder and _stage(size, _store, kind, export, ingest, open_embedder),
        )


def _stage(size: float, work: Callable[..., None], *arguments: object) -> Stage:
    """Do something in a process of its own, whose memory holds nothing else."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(theirs, work, *arguments))
    process.start()
    theirs.close()
    try:
        spent: Spent
        peak: int
        spent, peak = ours.recv()
    except EOFError as error:
        raise BackendError("an import that was measured came to no end") from error
    finally:
        process.join()
        ours.close()
    return Stage(size / spent.seconds, size / spent.cpu_seconds, peak)


def _measured(results: Connection, work: Callable[..., None], *arguments: object) -> None:
    watch = Stopwatch()
    work(*arguments)
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = watch.spent + Spent(0.0, helpers.ru_utime + helpers.ru_stime)
    results.send((spent, _peak() + _in_bytes(helpers.ru_maxrss)))


def _parse(kind: str, export: Path) -> None:
    for place in places(export):
        for document in place.documents():
            for _ in load(kind).parse(document, Reading()):
                pass


def _store(
    kind: str, export: Path, ingest: Ingest, open_embedder: Callable[[], Embedder] | None
) -> None:
    embedder = open_embedder() if open_embedder else None
    with TemporaryDirectory(dir=export.parent) as folder, Store(Path(folder, "mem.db")) as store:
        ingest([export], store, embedder, Reading(), forced=load(kind))


def _peak() -> int:
    """Return the most memory that this process ever had, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return _in_bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # Not `ru_maxrss`: on Linux it begins with what the parent had.
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if "VmHWM" in line)


def _in_bytes(most: int) -> int:
    """Return what `getrusage` says of memory: kilobytes, but for macOS."""
    return most if sys.platform == "darwin" else most << 10
