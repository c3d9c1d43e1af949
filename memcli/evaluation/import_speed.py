"""Measures how fast exports are imported, and in how much memory."""

import multiprocessing
import resource
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Protocol

from memcli.errors import BackendError
from memcli.evaluation.speed import ElapsedTime, Stopwatch
from memcli.evaluation.synthetic_exports import write_export
from memcli.formats import Format, ParseOptions, load_format
from memcli.formats.sources import find_sources
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Embedder
from memcli.store import Store
from memcli.temporary import temporary_folder

SYNTHETIC_FORMATS = ("chatgpt", "telegram")  # many conversations in one line; one chat


class ImportExports(Protocol):
    """A function that imports exports: `memcli.ingest.import_exports.import_exports`."""

    def __call__(
        self,
        paths: Sequence[Path],
        store: Store,
        embedder: Embedder | None,
        parse_options: ParseOptions,
        *,
        forced: Format | None = None,
    ) -> object:
        """Import exports into a database; without an embedder, index nothing."""
        ...


@dataclass(frozen=True, slots=True)
class ImportStage:
    """The speed of an import up to a stage, in a process of its own."""

    megabytes_per_second: float  # millions of bytes, by the clock
    cpu_megabytes_per_second: Annotated[float, "By the processor's time."]  # of all processes
    peak_bytes: Annotated[int, "Most memory that it took."]  # of all processes together


@dataclass(frozen=True, slots=True)
class ImportSpeed:
    """The speed of importing a format, from the beginning up to each stage."""

    format: str
    megabytes: float
    parsed: ImportStage  # read, and thrown away
    stored: ImportStage  # read and stored, nothing indexed
    indexed: ImportStage | None = None  # all that `mem ingest` does; None without an embedder


def measure_import(
    format_name: str,
    megabytes: float,
    import_exports: ImportExports,
    open_embedder: Callable[[], Embedder] | None = None,
) -> ImportSpeed:
    """Write an export, and import it stage by stage.

    Args:
        format_name: one of SYNTHETIC_FORMATS.
        megabytes: size of the export, in millions of bytes; it lies in the folder for temporary
            files, and a database of about its size beside it.
        import_exports: imports it; a function of a module, as is `open_embedder`, for another
            process finds them by name.
        open_embedder: opens the model for the vectors; without it the last stage is left out.

    Raises:
        BackendError: a stage ended without a result.
    """
    with temporary_folder() as folder:
        export = Path(folder, "export.json")
        size = write_export(format_name, megabytes, export) / 1e6
        return ImportSpeed(
            format_name,
            size,
            parsed=_measure_stage(size, _parse, format_name, export),
            stored=_measure_stage(size, _store, format_name, export, import_exports, None),
            indexed=open_embedder
            and _measure_stage(size, _store, format_name, export, import_exports, open_embedder),
        )


def _measure_stage(size: float, work: Callable[..., None], *arguments: object) -> ImportStage:
    """Do some work in a process of its own, whose memory holds nothing else."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run_and_send, args=(theirs, work, *arguments))
    process.start()
    theirs.close()
    try:
        elapsed: ElapsedTime
        peak: int
        elapsed, peak = ours.recv()
    except EOFError as error:
        raise BackendError("an import that was measured came to no end") from error
    finally:
        process.join()
        ours.close()
    return ImportStage(size / elapsed.seconds, size / elapsed.cpu_seconds, peak)


def _run_and_send(results: Connection, work: Callable[..., None], *arguments: object) -> None:
    watch = Stopwatch()
    work(*arguments)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    elapsed = watch.elapsed + ElapsedTime(0.0, children.ru_utime + children.ru_stime)
    results.send((elapsed, _peak_memory() + _in_bytes(children.ru_maxrss)))


def _parse(format_name: str, export: Path) -> None:
    for place in find_sources(export):
        for document in place.documents():
            for _ in load_format(format_name).parse(document, ParseOptions()):
                pass


def _store(
    format_name: str,
    export: Path,
    import_exports: ImportExports,
    open_embedder: Callable[[], Embedder] | None,
) -> None:
    embedder = open_embedder() if open_embedder else None
    with TemporaryDirectory(dir=export.parent) as folder, Store(Path(folder, "mem.db")) as store:
        import_exports([export], store, embedder, ParseOptions(), forced=load_format(format_name))


def _peak_memory() -> int:
    """Return the most memory that this process ever had, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return _in_bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # `ru_maxrss` will not do: on Linux it begins with the parent's peak.
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if "VmHWM" in line)


def _in_bytes(most: int) -> int:
    """Return a size that `getrusage` gave, in bytes: it counts kilobytes, but for macOS."""
    return most if sys.platform == "darwin" else most << 10
