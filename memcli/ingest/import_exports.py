"""Imports exports: finds their documents, recognises formats, parses and stores conversations."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from time import time

from memcli.callbacks import ignore
from memcli.debug import log
from memcli.domain import Conversation, Doubt, Skipped
from memcli.errors import InputError
from memcli.formats import FORMATS, Document, Format, ParseOptions, load_format, recognise_format
from memcli.formats.format import PARSER_FAILURES, StoredItem
from memcli.formats.parsing.json_stream import parse_or_broken
from memcli.formats.sources import DocumentSource, find_sources, readable_bytes, total_bytes
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportReport, ImportTally, MessageAccount
from memcli.ingest.import_progress import ImportProgress, ProgressCallback
from memcli.ingest.parse_process import parse_document
from memcli.ingest.paths.known_files import KnownFile, SourceOptions
from memcli.ingest.recut import recut_and_index
from memcli.ingest.restore import ArchiveRestorer
from memcli.lazy_dataclasses import replace
from memcli.protocols import Embedder
from memcli.store import Store
from memcli.store.maintenance.peek import is_memcli_database

_LONGEST_REASON = 300  # characters
_LONGEST_BLANK = 200  # bytes of a file that holds nothing
BATCH_TURNS, BATCH_CHARACTERS = 10_000, 4_000_000  # in one transaction, about


def import_exports(
    paths: Sequence[Path],
    store: Store,
    embedder: Embedder | None,
    parse_options: ParseOptions,
    *,
    forced: Format | None = None,
    strict: bool = False,
    progress: ProgressCallback = ignore,
) -> list[ImportReport]:
    """Import exports into the database, and remember their paths.

    A document, or a part of one, that cannot be read is reported and never stops the others. A
    file that has not changed since it was read with the same options is not read again.

    Args:
        paths: files, folders, zips, or `-` for standard input.
        store: the database.
        embedder: makes the vectors; without one nothing is indexed, and nothing is found.
        parse_options: the person's options for parsing.
        forced: read every document as this format, instead of recognising it.
        strict: stop at the first part that cannot be read.
        progress: takes the bytes that are done and how many there are.

    Returns:
        A report for every recognised document, and one for every path where none was.

    Raises:
        InputError: a part cannot be read, and `strict` is set.
    """
    recut_and_index(store, embedder)
    task = _PathImporter(
        store,
        embedder,
        SourceOptions(parse_options, forced),
        ImportProgress(paths, progress),
        strict=strict,
    )
    return [report for path in paths for report in task.import_path(path)]


def import_changed(
    store: Store,
    embedder: Embedder,
    here: ParseOptions,
    *,
    strict: bool = False,
    progress: ProgressCallback = ignore,
) -> list[ImportReport]:
    """Import again every path that was imported before and has changed, with its old options.

    Args:
        store: the database.
        embedder: makes the vectors.
        here: options for parsing, where a path has none.
        strict: stop at the first part that cannot be read, and at a path that has gone; without
            it, such a path is left out.
        progress: takes the bytes that are done and how many there are.

    Returns:
        A report for every document that was read.

    Raises:
        InputError: a part cannot be read, and `strict` is set.
    """
    recut_and_index(store, embedder)
    reports: list[ImportReport] = []
    sources = store.sources.list_paths()
    import_progress = ImportProgress((Path(path) for path, _ in sources), progress)
    for path, kept in sources:
        if not strict and not Path(path).exists():
            continue  # `mem sources` lists it; cron would otherwise send a mail every night
        options = SourceOptions.from_record(kept, here)
        task = _PathImporter(
            store, embedder, options, import_progress, strict=strict, only_changed=True
        )
        reports += task.import_path(Path(path))
    return reports


class _PathImporter:
    """An import of paths that are all read with the same options."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        options: SourceOptions,
        progress: ImportProgress,
        *,
        strict: bool,
        only_changed: bool = False,
    ) -> None:
        self._store, self._embedder, self._options = store, embedder, options
        self._progress, self._strict = progress, strict
        self._only_changed = only_changed  # report only documents that have changed
        self._any_read = False  # whether a file of the current path was read
        self._importer = ConversationImporter(store, embedder, options.parse_options.included_kinds)

    def import_path(self, path: Path) -> list[ImportReport]:
        """Import every document at a path."""
        reports: list[ImportReport] = []
        unrecognized: list[str] = []
        began, self._any_read = time(), False
        try:
            for place in find_sources(path):
                reports += self._import_place(place, unrecognized)
        except (InputError, OSError) as error:
            reports.append(self._failure(str(path), error))
        if self._only_changed:
            if self._any_read:
                self._store.sources.set_read_at(str(path), began)
            return reports
        if str(path) != "-" and any(
            report.format and (report.conversations or not report.damaged) for report in reports
        ):
            self._store.sources.add(str(path.absolute()), self._options.to_record())
            if self._any_read:
                self._store.sources.set_read_at(str(path.absolute()), began)
        unrecognized = _without_lookups(unrecognized, reports)
        if not reports:
            name = unrecognized[0] if len(unrecognized) == 1 else str(path)
            if is_memcli_database(path):
                own = InputError(
                    f"{path} is a database of memcli itself",
                    hint=f"`mem --db {path} export --plain | mem ingest -` imports its sessions",
                )
                return [self._failure(name, own)]
            empty = path.is_file() and not path.stat().st_size
            why = f"{name} is empty" if empty else f"no chat export was recognised in {name}"
            return [self._failure(name, InputError(why))]
        if unrecognized:
            warnings = (*reports[-1].warnings, _unrecognized_beside(path, unrecognized))
            reports[-1] = replace(reports[-1], warnings=warnings, unrecognized=tuple(unrecognized))
        return reports

    def _import_place(self, place: DocumentSource, unrecognized: list[str]) -> list[ImportReport]:
        """Read a file, unless it has not changed; add the names of unrecognized documents.

        The database itself, which may lie in the folder, is not even opened: to close it would
        release the locks that keep other processes from its log.
        """
        if place.file and self._store.owns(place.file):
            return []
        try:
            known = (
                KnownFile(place.file, self._options, self._store.sources) if place.file else None
            )
        except OSError as error:
            return [self._failure(place.name, error)]
        if place.file and known and (before := known.unchanged_reports()) is not None:
            self._progress.skip(total_bytes(place.file))
            return self._report_unchanged(before, unrecognized)
        self._any_read = True
        mark = known.mark() if known else None
        reports: list[ImportReport] = []
        strange: list[str] = []
        try:
            for document in _documents(place):
                own = document.name == place.name  # not one of a zip's
                tracked = self._progress.start(document, counted=place.file is not None)
                self._import_document(
                    replace(tracked, log_position=mark if own else None), reports, strange
                )
        except InputError as error:
            reports.append(self._failure(place.name, error))
        unrecognized += strange
        if known:
            known.keep([*reports, *(ImportReport(name, None) for name in strange)])
        return reports

    def _report_unchanged(
        self, before: Sequence[ImportReport], unrecognized: list[str]
    ) -> list[ImportReport]:
        if self._only_changed:
            return []
        recognized = [report for report in before if report.format or report.warnings]
        unrecognized += [report.path for report in before if report not in recognized]
        return [report.as_unchanged() for report in recognized]

    def _import_document(
        self, document: Document, reports: list[ImportReport], unrecognized: list[str]
    ) -> None:
        try:
            found = self._options.forced or _recognise(document)
            if found:
                document = document if found.grows else replace(document, log_position=None)
                reports.append(self._import_format(document, found))
                return
            if not _is_blank(document):
                unrecognized.append(document.name)
        except InputError as error:
            reports.append(self._failure(document.name, error))
        self._progress.skip(readable_bytes(document.name, document.size))

    def _import_format(self, document: Document, found: Format) -> ImportReport:
        tally, warnings = ImportTally(), list[Skipped | Doubt]()
        restorer = ArchiveRestorer(self._store, self._embedder) if self._embedder else None
        is_continued = bool(document.log_position and document.log_position.offset)
        yielded = 0
        for batch in self._batches(document, found, warnings):
            yielded += len(batch)
            self._progress.start_batch()
            self._importer.import_batch(
                [one for one in batch if isinstance(one, Conversation)],
                tally,
                unique_keys=found.unique_keys,
                threads=found.has_threads,
                partial=bool(document.log_position and document.log_position.offset),
                on_progress=self._progress.store_share,
            )
            for lost in restorer.restore(batch) if restorer else ():
                self._warn(document.name, lost, warnings)
            self._progress.store_share(1)
        if restorer:
            warnings += restorer.finish(document.name)
        if self._importer.has_restored:
            recut_and_index(self._store, self._embedder)
        self._progress.finish()
        account = MessageAccount.close(document.counter, tally)
        if not (is_continued or found.is_index or yielded or any(map(_is_damage, warnings))):
            self._warn(document.name, _nothing_found(document.name, found, account), warnings)
        skipped = sum(isinstance(warning, Skipped) for warning in warnings)
        return ImportReport(
            path=document.name,
            format=found.name,
            conversations=len(tally.conversations),
            sessions=tally.session_counts(skipped),
            turns=tally.turns,
            warnings=tuple(warnings),
            memories=len(restorer.new) if restorer else 0,
            messages=account,
            consulted=tuple(sorted(document.consulted)),
        )

    def _batches(
        self, document: Document, found: Format, warnings: list[Skipped | Doubt]
    ) -> Iterator[list[StoredItem]]:
        """Yield the parsed items in batches; add parts that could not be read to the warnings."""
        batch: list[StoredItem] = []
        turns = characters = 0
        try:
            for one in parse_document(document, found, self._options.parse_options):
                if isinstance(one, Skipped | Doubt):
                    self._warn(document.name, one, warnings)
                    continue
                batch.append(one)
                own = one.turns if isinstance(one, Conversation) else ()
                turns += max(len(own), 1)
                characters += sum(len(turn.text) for turn in own)
                if turns >= BATCH_TURNS or characters >= BATCH_CHARACTERS:
                    yield batch
                    batch, turns, characters = [], 0, 0
        except (InputError, *PARSER_FAILURES) as error:
            if self._strict:
                raise _to_input_error(document.name, error) from error
            warnings.append(Skipped(document.name, _reason(document.name, error)))
        self._progress.read_to_end()
        yield batch

    def _warn(self, name: str, warning: Skipped | Doubt, warnings: list[Skipped | Doubt]) -> None:
        if self._strict and _is_damage(warning):
            raise InputError(f"{name}: {warning.where}: {warning.why}")
        warnings.append(warning)

    def _failure(self, name: str, error: Exception) -> ImportReport:
        if self._strict:
            raise _to_input_error(name, error)
        return ImportReport(name, None, warnings=(Skipped(name, _reason(name, error)),))


def _documents(place: DocumentSource) -> Iterator[Document]:
    """Yield the documents of a source; whatever goes wrong is an InputError."""
    try:
        yield from place.documents()
    except PARSER_FAILURES as error:
        raise _to_input_error(place.name, error) from error


def _recognise(document: Document) -> Format | None:
    """Return the format of a document; whatever goes wrong is an InputError."""
    try:
        return recognise_format(document)
    except PARSER_FAILURES as error:
        raise _to_input_error(document.name, error) from error


def _is_blank(document: Document) -> bool:
    """Return whether a file holds nothing: only spaces, or JSON such as `{"chats": []}`."""
    with document.open() as stream:
        head = stream.read(_LONGEST_BLANK + 1)
    value = parse_or_broken(head) if head.strip() else None
    return len(head) <= _LONGEST_BLANK and _has_no_values(value)


def _has_no_values(value: object) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    is_container = value is None or isinstance(value, dict | list)
    return is_container and all(map(_has_no_values, inner))


def _to_input_error(name: str, error: Exception) -> InputError:
    """Return the error of a document; one that nobody foresaw is named with its kind."""
    if isinstance(error, InputError):
        return error
    log("unreadable", document=name, error=repr(error))
    if isinstance(error, OSError):
        return InputError(f"{name} cannot be read: {error.strerror or error}")
    return InputError(f"{name} cannot be read: {type(error).__name__}: {error}"[:_LONGEST_REASON])


def _reason(name: str, error: Exception) -> str:
    """Return the reason why a document is left out, with the remedy if there is one."""
    shown = _to_input_error(name, error)
    return f"{shown}; {shown.hint}" if shown.hint else str(shown)


def _is_damage(warning: Skipped | Doubt) -> bool:
    return isinstance(warning, Skipped) and warning.lost


def _nothing_found(name: str, found: Format, account: MessageAccount) -> Skipped:
    """Return a warning that a document of a known format gave nothing, with the reasons."""
    why = f"is read as {found.name}, and has nothing to import"
    counts = ", ".join(f"{count:,} {reason}" for reason, count in account.reasons.items())
    return Skipped(name, f"{why} ({counts})" if counts else why)


def _without_lookups(names: Sequence[str], reports: Sequence[ImportReport]) -> list[str]:
    """Return the names of unrecognized files that serve no recognised one as a lookup."""
    consulted = {name for report in reports for name in report.consulted}
    formats = FORMATS.keys() & {report.format for report in reports}
    lookups = {name for known in map(load_format, formats) for name in known.lookups}
    return [name for name in names if name not in consulted and PurePath(name).name not in lookups]


def _unrecognized_beside(path: Path, names: Sequence[str]) -> Doubt:
    """Return a warning that names the files beside recognised ones that were not."""
    shown = [name.removeprefix(f"{path}/") for name in names[:3]]
    rest = len(names) - len(shown)
    more = f" and {rest:,} more; `--verbose` names all {len(names):,}" if rest else ""
    return Doubt(str(path), f"not recognised as chat exports: {', '.join(shown)}{more}")
