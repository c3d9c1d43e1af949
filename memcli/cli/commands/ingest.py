"""`mem ingest`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated
from zoneinfo import ZoneInfo

from memcli.cli.completion.values import offer_formats
from memcli.cli.discovery import choose_discovered
from memcli.cli.input_text import STDIN, note_keyboard
from memcli.cli.json_output.import_documents import formats_document, ingest_document, source_json
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Json, Jsonl, Quiet, Verbose
from memcli.cli.output.console import print_json, print_jsonl, remark
from memcli.cli.output.import_view import print_formats, print_reports
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_dates import local_zone, parse_zone
from memcli.domain import Kind
from memcli.errors import EarlyExit, ExitCode, UsageError
from memcli.formats import Format, ParseOptions, load_format
from memcli.formats.guides import find_format_name
from memcli.ingest.import_counts import ImportReport
from memcli.ingest.import_exports import import_changed, import_exports
from memcli.lazy_dataclasses import replace
from memcli.settings import load_settings
from memcli.store import Store
from memcli.store.encryption.database_key import DatabaseKey, new_key_text
from memcli.store.encryption.key_sources import remember_key
from memcli.temporary import temporary_folder

RESUMABLE = "what was imported is kept, and the same command imports the rest"
FORMATS_ARE_LISTED = "`mem ingest --formats` lists what can be read, and how to get each export"
NOTHING_CHANGED = "nothing was changed"
EXTRA_KINDS = (Kind.TOOL, Kind.THOUGHT, Kind.CONTEXT)  # kinds that `--include` adds to the search


def _parse_path(text: str) -> Path:
    """Return a path; an empty one, which would mean the current folder, is a mistake.

    Raises:
        UsageError: the text is empty.
    """
    if not text:
        raise UsageError("a path is empty", hint="`mem ingest .` imports the current folder")
    return Path(text)


def _parse_kind(text: str) -> Kind:
    """Return one of EXTRA_KINDS.

    Raises:
        UsageError: the text names none of them.
    """
    for kind in EXTRA_KINDS:
        if kind.value == text:
            return kind
    raise UsageError(
        f"`--include {text}` is not possible", hint="`--include` with tool, thought or context"
    )


Paths = Annotated[
    list[Path] | None,
    Argument(
        parser=_parse_path,
        metavar="[PATH...]",
        show_default=False,
        help="Exports: files, folders, zips, or `-` for standard input. Without any: everything"
        " that was imported before and has changed since.",
    ),
]
FormatName = Annotated[
    str | None,
    Option(
        "--format",
        autocompletion=offer_formats,
        show_default=False,
        metavar="FORMAT",
        help="Read everything in this format instead of recognising it; `--formats` lists them.",
    ),
]
Me = Annotated[
    str | None,
    Option("--me", show_default=False, metavar="NAME", help="Your own name in chats among people."),
]
Timezone = Annotated[
    ZoneInfo | None,
    Option(
        "--timezone",
        parser=parse_zone,
        metavar="ZONE",
        show_default=False,
        help="Time zone of exports that name none, such as `Europe/Lisbon`; by default the zone of"
        " this machine.",
    ),
]
Include = Annotated[
    list[Kind] | None,
    Option(
        "--include",
        parser=_parse_kind,
        metavar="KIND",
        show_default=False,
        help="Make this kind of turn searchable as well: `tool`, `thought` or `context`. May be"
        " given several times.",
    ),
]
Formats = Annotated[
    bool,
    Option("--formats", help="Only list the formats, and how to get each export."),
]
Strict = Annotated[bool, Option("--strict", help="Stop at the first damaged part.")]
DryRun = Annotated[bool, Option("--dry-run", help="Only show what would change.")]


Discover = Annotated[
    bool,
    Option(
        "--discover",
        help="Find the logs of coding agents, the messages and the downloaded exports on this"
        " machine, list them, and import them after a question.",
    ),
]
Yes = Annotated[bool, Option("--yes", "-y", help="Import what `--discover` finds unasked.")]


def ingest(
    paths: Paths = None,
    *,
    discover: Discover = False,
    yes: Yes = False,
    format_name: FormatName = None,
    me: Me = None,
    timezone: Timezone = None,
    include: Include = None,
    formats: Formats = False,
    strict: Strict = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    database: WritableDatabaseOptions,
) -> None:
    """Import chat exports; importing one again adds only what is new.

    Every path is remembered. `mem ingest` without a path imports again what has changed, and prints
    nothing if nothing has; `mem sources` lists the paths. `mem ingest --discover` finds what there
    is to import on this machine. Exits with status 4 when something could not be read; everything
    else is imported.
    """
    if formats:
        _list_formats(as_json=as_json or as_jsonl)
        return
    started = monotonic()
    _check_usage(database, paths or [], discover=discover)
    forced = load_format(find_format_name(format_name)) if format_name else None
    usual = ParseOptions(local_zone(), aliases=load_settings().own_names)
    reading = replace(
        usual, timezone=timezone or usual.timezone, me=me, included_kinds=frozenset(include or ())
    )
    if not paths and (forced or reading != usual):
        raise _unused_options()
    if discover:
        paths = choose_discovered(database, yes=yes, dry_run=dry_run, as_json=as_json or as_jsonl)
    with _open(database, dry_run=dry_run) as store:
        reports = _import(
            paths or [], store, reading, forced, strict=strict, dry_run=dry_run, quiet=quiet
        )
    if as_json:
        print_json(ingest_document(reports, monotonic() - started))
    elif as_jsonl:
        print_jsonl(map(source_json, reports))
    else:
        print_reports(reports, quiet=quiet, verbose=verbose)
        _remark_on_nothing(reports)
    if any(report.damaged for report in reports):
        raise EarlyExit(ExitCode.BAD_INPUT)


def _import(
    paths: Sequence[Path],
    store: Store,
    reading: ParseOptions,
    forced: Format | None,
    *,
    strict: bool,
    dry_run: bool,
    quiet: bool,
) -> list[ImportReport]:
    """Import the paths, or without any those that have changed; return the reports to print."""
    with (
        resume_hint(NOTHING_CHANGED if dry_run else RESUMABLE),
        progress_bars(quiet=quiet) as report_progress,
    ):
        progress = partial(report_progress, "importing")
        embedder = open_embedder(store)
        if not paths:
            found = import_changed(store, embedder, reading, strict=strict, progress=progress)
            return [report for report in found if not report.idle]
        return import_exports(
            paths, store, embedder, reading, forced=forced, strict=strict, progress=progress
        )


def _remark_on_nothing(reports: Sequence[ImportReport]) -> None:
    """Say on a terminal why nothing was imported."""
    if not any(report.format for report in reports) and sys.stderr.isatty():
        remark(FORMATS_ARE_LISTED if reports else "nothing has changed since the last import")


def _list_formats(*, as_json: bool) -> None:
    if as_json:
        print_json(formats_document())
    else:
        print_formats()


def _unused_options() -> UsageError:
    return UsageError(
        "without a path, everything is read with the options it was imported with",
        hint="give a path, or leave out the options",
    )


def _check_usage(
    database: WritableDatabaseOptions, paths: Sequence[Path], *, discover: bool
) -> None:
    """Check that there is something to import, and say if it is awaited from the keyboard.

    Raises:
        UsageError: no path is given, and none is remembered; or both a path and `--discover`.
    """
    if discover and paths:
        raise UsageError("`--discover` finds the paths itself", hint="leave out the path")
    if any(str(path) == STDIN for path in paths):
        note_keyboard("an export")
    if discover or paths:
        return
    remembered = False
    if database.path.exists():
        with database.open_existing() as store:
            remembered = bool(store.sources.list_paths())
    if not remembered:
        raise UsageError(
            "no path is remembered yet",
            hint="`mem ingest PATH` imports an export, `mem ingest --discover` finds those on this"
            " machine",
        )


@contextmanager
def _open(database: WritableDatabaseOptions, *, dry_run: bool) -> Iterator[Store]:
    """Open the database; for a dry run, one that keeps nothing."""
    if not dry_run:
        with database.open() as store:
            yield store
    elif database.path.exists():
        with database.open() as store, store.dry_run():
            yield store
    else:
        key = DatabaseKey.with_new_salt(new_key_text(), "nobody")  # nothing plain is left of it
        remember_key(key)
        with temporary_folder() as folder, Store(folder / "mem.db", new_key=key) as store:
            yield store
