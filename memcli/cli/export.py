"""`mem export`."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from memcli.cli import completion
from memcli.cli.bars import bars, resumable
from memcli.cli.options import Database, Quiet, Since, Source, Speaker, Until, Wait, words
from memcli.cli.output import note, print_json
from memcli.domain import Conversation, SessionId
from memcli.errors import ExitCode, UsageError
from memcli.formats.memcli import written
from memcli.pipeline.transcript import write_transcripts
from memcli.settings import database_path
from memcli.store import Filters, Store

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        parser=words,
        autocompletion=completion.session_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions, or how they begin: `s_k3j`; all by default.",
    ),
]
Form = Annotated[
    Literal["jsonl", "markdown"],
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="`jsonl`, which `mem ingest` reads back, or `markdown`, a file a session.",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--to", show_default=False, metavar="FOLDER", help="Where the Markdown files are to be."
    ),
]


def export(
    sessions: Sessions = None,
    form: Form = "jsonl",
    folder: Folder = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Write sessions out: as JSON lines that `mem ingest` reads back, or as Markdown files.

    A database that reads an export has the same sessions under the same ids, with every branch and
    whatever was edited. Exits with status 3 when there are no sessions.
    """
    if (form == "markdown") != (folder is not None):
        hint = "`mem export --format markdown --to FOLDER`, or `mem export > FILE`"
        raise UsageError("Markdown takes a folder, and nothing else does", hint=hint)
    with Store.existing(database or database_path(), wait=wait) as store:
        filters = Filters(since, until, source, speaker, _among(store, sessions))
        count = store.archive.count(filters)
        printed = folder is None and sys.stdout.isatty()
        with (
            closing(store.archive.sessions(filters)) as found,
            resumable("what was written is not all; `mem export` again writes it"),
            bars(quiet=quiet or printed) as progress,
        ):
            writing = write_transcripts(found, folder) if folder else _print(found)
            for done, _ in enumerate(writing, start=1):
                progress("exporting", done, count)
    if not count:
        note("no sessions")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _print(sessions: Iterable[tuple[SessionId, Conversation]]) -> Iterator[SessionId]:
    """Print sessions, a line each, and yield their ids."""
    for session, kept in sessions:
        print_json(written(session, kept))
        yield session


def _among(store: Store, names: list[str] | None) -> tuple[int, ...] | None:
    """Return the numbers of the sessions that are named."""
    if not names:
        return None
    ids = dict.fromkeys(store.sessions.get(name.partition(":")[0]).id for name in names)
    return tuple(number for each in ids if (number := store.sessions.number(each)) is not None)
