"""`mem ingest`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Annotated

import typer

from memcli.cli.completion.values import formats
from memcli.cli.json_output.import_documents import ingest_document, source_json
from memcli.cli.models.open import open_embedder
from memcli.cli.options import Database, Json, Jsonl, Quiet, Timezone, Wait
from memcli.cli.output.console import note, print_json, print_jsonl, safe
from memcli.cli.output.progress import bars, resumable
from memcli.cli.when import local_zone
from memcli.domain import Doubt, Kind, Skipped
from memcli.errors import ExitCode, UsageError
from memcli.formats import FORMATS, Reading, load
from memcli.ingest.import_counts import ImportCounts, ImportReport
from memcli.ingest.import_exports import import_changed, import_exports
from memcli.settings import database_path, settings
from memcli.store import Store

RESUMABLE = "what was read is kept, and the same command reads the rest"
NOTHING_CHANGED = "nothing was changed"
MOST_WARNINGS = 20  # of one source, to a person; `--json` has all


def _path(text: str) -> Path:
    """Return a path; an empty one, which would be the current folder, is a mistake."""
    if not text:
        raise UsageError("a path is empty", hint="`mem ingest .` imports the current folder")
    return Path(text)


def _kind(text: str) -> Kind:
    """Return a kind of turn that nobody said."""
    try:
        kind = Kind(text)
    except ValueError:
        kind = Kind.TEXT
    if kind not in (Kind.TOOL, Kind.THOUGHT, Kind.CONTEXT):
        raise UsageError(f"`{text}` cannot be included", hint="`tool`, `thought` or `context`")
    return kind


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        parser=_path,
        metavar="[PATH...]",
        show_default=False,
        help="Exports: files, folders, zips, `-` for stdin. Without one: what was ingested before"
        " and has changed since.",
    ),
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        autocompletion=formats,
        show_default=False,
        metavar="FORMAT",
        help=f"Read everything as this, instead of recognising it: {', '.join(FORMATS)}.",
    ),
]
Me = Annotated[
    str | None,
    typer.Option(
        "--me", show_default=False, metavar="NAME", help="Your own name in chats among people."
    ),
]
Include = Annotated[
    list[Kind] | None,
    typer.Option(
        "--include",
        parser=_kind,
        metavar="KIND",
        show_default=False,
        help="Search this, too, although nobody said it: `tool`, `thought` or `context`; may be"
        " given again.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first thing that is damaged.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


def ingest(
    paths: Paths = None,
    format_name: FormatName = None,
    me: Me = None,
    timezone: Timezone = None,
    include: Include = None,
    strict: Strict = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Import chat exports. Importing again changes nothing; a conversation that grew, grows.

    Every path is remembered: `mem ingest` alone reads again what has changed, and says nothing
    where nothing has. Exits with status 4 when something could not be read; all the rest is
    imported.
    """
    began = monotonic()
    forced = load(format_name) if format_name else None
    here = Reading(local_zone(), aliases=settings().own_names)
    reading = replace(
        here, timezone=timezone or here.timezone, me=me, included=frozenset(include or ())
    )
    if not paths and (forced or reading != here):
        raise UsageError("without a path everything is read as it was before", hint="name a path")
    with (
        _opened(database or database_path(), wait, dry_run=dry_run) as store,
        resumable(NOTHING_CHANGED if dry_run else RESUMABLE),
        bars(quiet=quiet) as told,
    ):
        progress = partial(told, "importing")
        embedder = open_embedder(database or database_path())
        if paths:
            reports = import_exports(
                *(paths, store, embedder, reading),
                forced=forced,
                strict=strict,
                progress=progress,
            )
        else:
            found = import_changed(store, embedder, here, strict=strict, progress=progress)
            reports = [report for report in found if not report.idle]
    if as_json:
        print_json(ingest_document(reports, monotonic() - began))
    elif as_jsonl:
        print_jsonl(map(source_json, reports))
    else:
        _print(reports, quiet=quiet)
    if any(report.damaged for report in reports):
        raise typer.Exit(ExitCode.BAD_INPUT)


@contextmanager
def _opened(path: Path, wait: float, *, dry_run: bool) -> Iterator[Store]:
    """Open the database, or for a dry run one that forgets what is done to it."""
    if not dry_run:
        with Store(path, wait=wait) as store:
            yield store
    elif path.exists():
        with Store(path, wait=wait) as store, store.trial():
            yield store
    else:
        with TemporaryDirectory(prefix="mem-") as folder, Store(Path(folder) / "mem.db") as store:
            yield store


def _print(reports: Sequence[ImportReport], *, quiet: bool) -> None:
    for report in reports:
        warnings = [each for each in report.warnings if not quiet or _is_loss(each)]
        if report.format and not quiet:
            told = [_told(report.sessions, "session"), _told(report.turns, "turn")]
            if report.memories:
                told.append(_told(ImportCounts(report.memories), "memory", "memories"))
            sys.stdout.write(safe(f"{report.path}: {report.format}, {', '.join(told)}") + "\n")
        for warning in warnings[:MOST_WARNINGS]:
            where = "" if warning.where in warning.why else f"{warning.where}: "
            place = "" if report.path in warning.why else f"{report.path}: "
            note(f"{place}{where}{warning.why}")
        if len(warnings) > MOST_WARNINGS:
            note(f"{report.path}: {len(warnings) - MOST_WARNINGS} more, all with `--json`")


def _is_loss(warning: Skipped | Doubt) -> bool:
    return isinstance(warning, Skipped) and warning.lost


def _told(counts: ImportCounts, noun: str, nouns: str = "") -> str:
    """Return counts as words: `3 new and 1 changed session`."""
    kinds = (("new", counts.new), ("changed", counts.changed), ("unchanged", counts.unchanged))
    parts = [f"{count:,} {kind}" for kind, count in kinds if count] or ["no"]
    last = next((count for _, count in reversed(kinds) if count), 0)
    return f"{' and '.join(parts)} {noun if last == 1 else nouns or f'{noun}s'}"
