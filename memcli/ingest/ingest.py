"""From exports to a database one can ask: find, recognise, parse, absorb, remember."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from memcli.domain import Conversation, Doubt, Skipped
from memcli.errors import InputError
from memcli.formats import Document, Format, Reading, recognise
from memcli.formats.format import Kept
from memcli.formats.sources import Place, extent, places, weight
from memcli.ingest.import_conversations import Absorber, Counts, Tally
from memcli.ingest.known_files import Known, Way
from memcli.ingest.parse_process import parsed
from memcli.ingest.progress import Meter, ProgressCallback, ignore_progress
from memcli.ingest.restore import ArchiveRestorer
from memcli.protocols import Embedder
from memcli.store import Store

BATCH_TURNS, BATCH_CHARACTERS = 10_000, 4_000_000  # in one transaction, about


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one document gave."""

    path: str
    format: str | None  # None: not recognised, or not readable
    conversations: int = 0
    sessions: Counts = field(default_factory=Counts)
    turns: Counts = field(default_factory=Counts)
    warnings: tuple[Skipped | Doubt, ...] = ()
    memories: int = 0  # new ones, of what another database wrote down

    @property
    def damaged(self) -> bool:
        """Whether something was there and could not be read."""
        return any(isinstance(warning, Skipped) and warning.lost for warning in self.warnings)

    @property
    def idle(self) -> bool:
        """Whether it gave nothing new, and nothing to tell."""
        counts = (self.sessions, self.turns)
        changed = self.memories or any(each.new or each.changed for each in counts)
        return not (self.warnings or changed)


def ingest(
    paths: Sequence[Path],
    store: Store,
    embedder: Embedder | None,
    reading: Reading,
    *,
    forced: Format | None = None,
    strict: bool = False,
    progress: ProgressCallback = ignore_progress,
) -> list[SourceReport]:
    """Bring what exports hold into the database, and remember where they are.

    A document, or a part of one, that cannot be read is reported and never stops the others. A
    file that has not changed since it was read in the same way is not read again.

    Args:
        paths: files, folders, zips, or `-` for standard input.
        store: where to.
        embedder: makes the vectors; without one nothing is indexed, and nothing is found.
        reading: what the person said about how to read.
        forced: read every document as this format, instead of recognising it.
        strict: stop at the first thing that cannot be read.
        progress: told now and then how far it is.

    Returns:
        A report for every recognised document, and one for every path where none was.

    Raises:
        InputError: something cannot be read, and `strict` is set.
    """
    meter = Meter(paths, progress)
    work = _Work(store, embedder, Way(reading, forced), strict, meter)
    return [report for path in paths for report in work.path(path)]


def refresh(
    store: Store,
    embedder: Embedder,
    here: Reading,
    *,
    strict: bool = False,
    progress: ProgressCallback = ignore_progress,
) -> list[SourceReport]:
    """Read again whatever was ingested before and has changed since, as it was read then.

    Args:
        store: where to.
        embedder: makes the vectors.
        here: how to read what nobody said anything about then.
        strict: stop at the first thing that cannot be read.
        progress: told now and then how far it is.

    Returns:
        A report for every document that was read, and for every path that is no more.

    Raises:
        InputError: something cannot be read, and `strict` is set.
    """
    reports: list[SourceReport] = []
    sources = store.sources.all()
    meter = Meter((Path(path) for path, _ in sources), progress)
    for path, options in sources:
        work = _Work(store, embedder, Way.from_options(options, here), strict, meter, again=True)
        reports += work.path(Path(path))
    return reports


class _Work:
    """Ingesting paths that are all read in one way."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        way: Way,
        strict: bool,
        meter: Meter,
        again: bool = False,
    ) -> None:
        self._store, self._way, self._strict, self._meter = store, way, strict, meter
        self._embedder = embedder
        self._absorber = Absorber(store, embedder, way.reading.included)
        self._again = again  # only what has changed is told

    def path(self, path: Path) -> list[SourceReport]:
        """Ingest what lies at one path."""
        reports: list[SourceReport] = []
        strange: list[str] = []
        try:
            for place in places(path):
                reports += self._place(place, strange)
        except InputError as error:
            reports.append(self._unread(str(path), error))
        if reports:
            self._remember(path, reports)
        if self._again:
            return reports
        if not reports:
            name = strange[0] if len(strange) == 1 else str(path)
            return [self._unread(name, InputError(f"no chat export was recognised in {name}"))]
        if strange:
            told = (*reports[-1].warnings, _passed_over(path, strange))
            reports[-1] = replace(reports[-1], warnings=told)
        return reports

    def _remember(self, path: Path, reports: Sequence[SourceReport]) -> None:
        if str(path) != "-" and any(report.format for report in reports) and not self._again:
            self._store.sources.remember(str(path.absolute()), self._way.options())

    def _place(self, place: Place, strange: list[str]) -> list[SourceReport]:
        """Read a file, unless it is known to have stayed as it was."""
        known = Known(place.file, self._way, self._store.sources) if place.file else None
        if place.file and known and known.unchanged is not None:
            self._meter.pass_over(extent(place.file))
            if self._again:
                return []
            reports = [_report(shape) for shape in known.unchanged]
            told = [report for report in reports if report.format or report.warnings]
            strange += [report.path for report in reports if report not in told]
            return [_as_before(report) for report in told]
        mark = known.mark() if known else None
        reports = []
        passed: list[str] = []
        try:
            for document in place.documents():
                own = document.name == place.name  # not one of a zip's
                watched = self._meter.begin(document, counted=place.file is not None)
                self._document(replace(watched, mark=mark if own else None), reports, passed)
        except InputError as error:
            reports.append(self._unread(place.name, error))
        strange += passed
        if known:
            found = [_shape(report) for report in reports]
            known.keep([*found, *(_shape(SourceReport(name, None)) for name in passed)])
        return reports

    def _document(
        self, document: Document, reports: list[SourceReport], strange: list[str]
    ) -> None:
        try:
            found = self._way.forced or recognise(document)
            if found is None:
                self._meter.pass_over(weight(document.name, document.size))
                strange.append(document.name)
            else:
                if not found.grows:
                    document = replace(document, mark=None)
                reports.append(self._ingest(document, found))
        except InputError as error:
            self._meter.pass_over(weight(document.name, document.size))
            reports.append(self._unread(document.name, error))

    def _ingest(self, document: Document, found: Format) -> SourceReport:
        tally, warnings = Tally(), list[Skipped | Doubt]()
        partial = bool(document.mark and document.mark.offset)
        restoring = ArchiveRestorer(self._store, self._embedder) if self._embedder else None
        for batch in self._batches(document, found, warnings):
            self._meter.batch()
            self._absorber.take(
                [one for one in batch if isinstance(one, Conversation)],
                tally,
                unique_keys=found.unique_keys,
                threads=found.threads,
                partial=partial,
                told=self._meter.stored,
            )
            for lost in restoring.restore(batch) if restoring else ():
                self._refuse(document.name, lost)
                warnings.append(lost)
            self._meter.stored(1)
        if restoring:
            warnings += restoring.end(document.name)
        self._meter.end()
        skipped = sum(isinstance(warning, Skipped) for warning in warnings)
        return SourceReport(
            *(document.name, found.name, len(tally.conversations)),
            *(tally.sessions(skipped), tally.turns, tuple(warnings)),
            memories=len(restoring.new) if restoring else 0,
        )

    def _batches(
        self, document: Document, found: Format, warnings: list[Skipped | Doubt]
    ) -> Iterator[list[Kept]]:
        """Yield what was read in batches; what was not goes to the warnings."""
        batch: list[Kept] = []
        turns = characters = 0
        try:
            for one in parsed(document, found, self._way.reading):
                if isinstance(one, Skipped | Doubt):
                    self._refuse(document.name, one)
                    warnings.append(one)
                    continue
                batch.append(one)
                said = one.turns if isinstance(one, Conversation) else ()
                turns += max(len(said), 1)
                characters += sum(len(turn.text) for turn in said)
                if turns >= BATCH_TURNS or characters >= BATCH_CHARACTERS:
                    yield batch
                    batch, turns, characters = [], 0, 0
        except InputError as error:
            if self._strict:
                raise
            warnings.append(Skipped(document.name, str(error)))
        self._meter.last()
        yield batch

    def _refuse(self, name: str, warning: Skipped | Doubt) -> None:
        if self._strict and isinstance(warning, Skipped) and warning.lost:
            raise InputError(f"{name}: {warning.where}: {warning.why}")

    def _unread(self, name: str, error: InputError) -> SourceReport:
        if self._strict:
            raise error
        why = f"{error}; {error.hint}" if error.hint else str(error)
        return SourceReport(name, None, warnings=(Skipped(name, why),))


def _passed_over(path: Path, names: Sequence[str]) -> Doubt:
    """Say which files lie beside recognised ones and were not."""
    shown = [name.removeprefix(f"{path}/") for name in names[:3]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return Doubt(str(path), f"not recognised as chat exports: {', '.join(shown)}{more}")


def _shape(report: SourceReport) -> dict[str, Any]:
    """Return a report as it is kept."""
    kept = asdict(report)
    kept["warnings"] = [[type(one).__name__, asdict(one)] for one in report.warnings]
    return kept


def _report(shape: dict[str, Any]) -> SourceReport:
    """Return a kept report as it was."""
    kinds = {"Skipped": Skipped, "Doubt": Doubt}
    return SourceReport(
        **{
            **shape,
            "sessions": Counts(**shape["sessions"]),
            "turns": Counts(**shape["turns"]),
            "warnings": tuple(kinds[kind](**values) for kind, values in shape["warnings"]),
        }
    )


def _as_before(report: SourceReport) -> SourceReport:
    """Return the report of a file that has not changed: nothing of it is new."""

    def unchanged(counts: Counts) -> Counts:
        there = counts.new + counts.changed + counts.unchanged
        return Counts(unchanged=there, skipped=counts.skipped)

    sessions, turns = unchanged(report.sessions), unchanged(report.turns)
    return replace(report, sessions=sessions, turns=turns, memories=0)
