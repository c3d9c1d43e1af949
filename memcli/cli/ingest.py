"""`mem ingest`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from memcli.cli.json_shapes import ingest_shape, report_shape
from memcli.cli.models import open_embedder
from memcli.cli.options import Database, Json, Jsonl, Quiet, Timezone, Wait
from memcli.cli.output import console, note, print_json, print_jsonl, safe
from memcli.cli.times import local_zone
from memcli.domain import Doubt, Skipped
from memcli.errors import ExitCode, UsageError
from memcli.formats import FORMATS, Reading, load
from memcli.pipeline.ingest import Counts, Progress, SourceReport
from memcli.pipeline.ingest import ingest as import_exports
from memcli.settings import database_path
from memcli.store import Store

MOST_WARNINGS = 20  # of one source, to a person; `--json` has all


def _path(text: str) -> Path:
    """Return a path; an empty one, which would be the current folder, is a mistake."""
    if not text:
        raise UsageError("a path is empty", hint="`mem ingest .` imports the current folder")
    return Path(text)


Paths = Annotated[
    list[Path],
    typer.Argument(
        parser=_path, metavar="PATH...", help="Exports: files, folders, zips, `-` for stdin."
    ),
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
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


def ingest(
    paths: Paths,
    format_name: FormatName = None,
    me: Me = None,
    timezone: Timezone = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Import chat exports. Importing again changes nothing; a conversation that grew, grows.

    Exits with status 4 when something could not be read; all the rest is imported.
    """
    began = monotonic()
    forced = load(format_name) if format_name else None
    reading = Reading(timezone or local_zone(), me)
    with (
        Store(database or database_path(), wait=wait) as store,
        _progress(quiet=quiet) as progress,
    ):
        reports = import_exports(
            paths, store, open_embedder(), reading, forced=forced, progress=progress
        )
    if as_json:
        print_json(ingest_shape(reports, monotonic() - began))
    elif as_jsonl:
        print_jsonl(map(report_shape, reports))
    else:
        _print(reports, quiet=quiet)
    if any(report.damaged for report in reports):
        raise typer.Exit(ExitCode.BAD_INPUT)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    """Tell on a terminal how far the import is."""
    if quiet or not sys.stderr.isatty():
        yield lambda _name, _turns: None
        return
    with console(sys.stderr).status("reading") as status:
        yield lambda name, turns: status.update(f"{Path(safe(name)).name}: {turns:,} turns")


def _print(reports: Sequence[SourceReport], *, quiet: bool) -> None:
    for report in reports:
        warnings = [each for each in report.warnings if not quiet or _is_loss(each)]
        if report.format and not quiet:
            told = (_told(report.sessions, "session"), _told(report.turns, "turn"))
            sys.stdout.write(safe(f"{report.path}: {report.format}, {', '.join(told)}") + "\n")
        for warning in warnings[:MOST_WARNINGS]:
            where = "" if warning.where in warning.why else f"{warning.where}: "
            place = "" if report.path in warning.why else f"{report.path}: "
            note(f"{place}{where}{warning.why}")
        if len(warnings) > MOST_WARNINGS:
            note(f"{report.path}: {len(warnings) - MOST_WARNINGS} more, all with `--json`")


def _is_loss(warning: Skipped | Doubt) -> bool:
    return isinstance(warning, Skipped) and warning.lost


def _told(counts: Counts, noun: str) -> str:
    """Return counts as words: `3 new and 1 changed session`."""
    kinds = (("new", counts.new), ("changed", counts.changed), ("unchanged", counts.unchanged))
    parts = [f"{count:,} {kind}" for kind, count in kinds if count] or ["no"]
    last = next((count for _, count in reversed(kinds) if count), 0)
    return f"{' and '.join(parts)} {noun}{'' if last == 1 else 's'}"
