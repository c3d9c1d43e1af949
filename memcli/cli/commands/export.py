"""`mem export`."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

from memcli.cli.completion import values
from memcli.cli.encryption import Plain, require_plain
from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.option_groups import FilterOptions, WritableDatabaseOptions
from memcli.cli.options import OUTPUT, Quiet
from memcli.cli.output.console import note, one_line, write_line
from memcli.cli.output.export_lines import print_conversations, print_everything
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.session_names import session_numbers
from memcli.cli.typed_values import parse_text
from memcli.errors import EarlyExit, ExitCode, UsageError
from memcli.store import Filters
from memcli.text.markdown_export import write_transcripts

SessionIds = Annotated[
    list[str] | None,
    Argument(
        parser=parse_text,
        autocompletion=values.offer_session_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions, or their beginnings: `s_k3j`. Without any: everything.",
    ),
]
ExportFormat = Annotated[
    Literal["jsonl", "markdown"],
    Option(
        "--format",
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="`jsonl`, which `mem ingest` can import, or `markdown`, one file per session.",
    ),
]
Folder = Annotated[
    Path | None,
    Option(
        "--to",
        show_default=False,
        metavar="FOLDER",
        rich_help_panel=OUTPUT,
        help="Folder to write the Markdown files to.",
    ),
]


def export(
    sessions: SessionIds = None,
    *,
    format_name: ExportFormat = "jsonl",
    folder: Folder = None,
    filters: FilterOptions,
    plain: Plain = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Export everything as JSON lines that `mem ingest` can import, or sessions as Markdown.

    A database that imports an export has the same sessions under the same ids, with every branch
    and every edit; the same memories, with their sources and your acceptances; the record of what
    `mem read` has read; and the record of what was forgotten, so that it does not come back. With
    ids, with filters, and as Markdown, only sessions are exported. An export is never encrypted:
    of an encrypted database it needs `--plain`, also in a pipe. Exits with status 3 when there is
    nothing to export.
    """
    _check_folder(format_name, folder)
    with database.open_existing() as store, store.snapshot():
        require_plain(store, plain=plain)
        chosen = filters.filters(session_numbers(store, sessions) if sessions else None)
        warn_about_filters(store, chosen)
        count = store.export.count(chosen)
        on_terminal, done = folder is None and sys.stdout.isatty(), 0
        with (
            closing(store.export.sessions(chosen)) as found,
            resume_hint("the export is incomplete; run `mem export` again"),
            progress_bars(quiet=quiet or on_terminal) as progress,
        ):
            steps: Iterator[object]  # one for each session or line that was written
            if folder:
                steps = write_transcripts(found, folder)
            elif chosen == Filters():
                steps = print_everything(found, store)
            else:
                steps = print_conversations(found)
            for done, _ in enumerate(steps, start=1):
                progress("exporting", done, max(done, count))
    if not done:
        note("no sessions found")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
    if folder and not quiet:
        write_line(f"{one_line(str(folder))}: {pluralize(done, 'session')}")


def _check_folder(format_name: str, folder: Path | None) -> None:
    """Check that a folder is given for Markdown, and only for Markdown.

    Raises:
        UsageError: it is not so.
    """
    hint = "`mem export --format markdown --to FOLDER`, or `mem export > FILE`"
    if format_name == "markdown" and folder is None:
        raise UsageError("`--format markdown` needs `--to FOLDER`", hint=hint)
    if format_name != "markdown" and folder is not None:
        raise UsageError("`--to FOLDER` needs `--format markdown`", hint=hint)
