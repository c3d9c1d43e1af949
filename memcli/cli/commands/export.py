"""`mem export`."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer

from memcli.cli.completion import values
from memcli.cli.options import Database, Quiet, Since, Source, Speaker, Until, Wait, words
from memcli.cli.output.console import note, print_json
from memcli.cli.output.progress import bars, resumable
from memcli.cli.unknown_names import note_unknown
from memcli.domain import Conversation, SessionId
from memcli.errors import ExitCode, UsageError
from memcli.formats.generic.memcli import (
    written,
    written_forgotten,
    written_memory,
    written_reading,
)
from memcli.settings import database_path
from memcli.store import Filters, Store
from memcli.text.markdown_export import write_transcripts

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        parser=words,
        autocompletion=values.session_ids,
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
    """Write everything out, as `mem ingest` reads it back.

    As JSON lines, and sessions also as Markdown. A database that reads an export has the same
    sessions under the same ids, with every branch and whatever was edited; the same memories, with
    their sources and what you accepted; `mem read` has read there what it has read here; and what
    was forgotten does not come back there either. With ids or filters, and as Markdown, only
    sessions are written. Exits with status 3 when there is nothing.
    """
    if (form == "markdown") != (folder is not None):
        hint = "`mem export --format markdown --to FOLDER`, or `mem export > FILE`"
        raise UsageError("Markdown takes a folder, and nothing else does", hint=hint)
    with Store.existing(database or database_path(), wait=wait) as store, store.snapshot():
        filters = Filters(since, until, source, speaker, _among(store, sessions))
        note_unknown(store, filters)
        count = store.archive.count(filters)
        printed, done = folder is None and sys.stdout.isatty(), 0
        with (
            closing(store.archive.sessions(filters)) as found,
            resumable("what was written is not all; `mem export` again writes it"),
            bars(quiet=quiet or printed) as progress,
        ):
            rest = _beside(store) if filters == Filters() else ()
            writing = write_transcripts(found, folder) if folder else _print(found, rest)
            for done, _ in enumerate(writing, start=1):
                progress("exporting", done, max(done, count))
    if not done:
        note("no sessions")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _print(
    sessions: Iterable[tuple[SessionId, Conversation]], rest: Iterable[Mapping[str, object]]
) -> Iterator[None]:
    """Print sessions, a line each, and the rest; tell after each line."""
    lines = (written(session, kept) for session, kept in sessions)
    for line in chain(lines, rest):
        print_json(line)
        yield


def _beside(store: Store) -> Iterator[Mapping[str, object]]:
    """Yield what is written beside sessions: memories, readings, and what was forgotten."""
    for memory, kept in store.archive.memories():
        yield written_memory(memory, kept)
    yield from map(written_reading, store.archive.readings())
    yield from map(written_forgotten, store.archive.forgotten())


def _among(store: Store, names: list[str] | None) -> tuple[int, ...] | None:
    """Return the numbers of the sessions that are named."""
    if not names:
        return None
    ids = dict.fromkeys(store.sessions.get(name.partition(":")[0]).id for name in names)
    return tuple(number for each in ids if (number := store.sessions.number(each)) is not None)
