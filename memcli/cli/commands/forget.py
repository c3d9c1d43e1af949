"""`mem forget`."""

import sys
from typing import Annotated

import typer

from memcli.cli.completion.values import session_and_memory_ids
from memcli.cli.json_output.memory_documents import forget_document
from memcli.cli.options import Database, Json, Source, Wait, words
from memcli.cli.output.console import note, print_json
from memcli.cli.output.memory_view import print_memories
from memcli.cli.output.session_view import print_overviews
from memcli.cli.unknown_names import note_unknown
from memcli.errors import ExitCode, UsageError
from memcli.settings import database_path
from memcli.store import Filters, Overview, Store

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        parser=words,
        autocompletion=session_and_memory_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions and memories: `s_k3j`, `m_k3j`.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be forgotten.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def forget(
    sessions: Sessions = None,
    source: Source = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Delete sessions and memories for good.

    Sessions do not come back when the same export is imported again, nor memories when the same
    session is read again. With a session go the memories that come from it alone. Exits with
    status 3 when there is nothing.
    """
    if bool(sessions) == bool(source):
        raise UsageError("name sessions, or one source", hint="mem forget s_k3j --dry-run")
    names = [name for name in sessions or [] if not name.startswith("m_")]
    with Store.existing(database or database_path(), wait=wait) as store:
        found = _named(store, names, source)
        memories = [store.memories.get(name) for name in sessions or [] if name not in names]
        memories += store.memories.resting_on([one.id for one in found])
        memories = list({one.id: one for one in memories}.values())
        if as_json:
            document = forget_document(store, found, memories, forgotten=not dry_run)
        else:
            print_overviews(found)
            print_memories(memories)
        if (found or memories) and not dry_run:
            _confirm(len(found), len(memories), yes=yes)
            if not store.forgetting.forget([one.id for one in found], memories):
                note("another process reads the database: the last bytes go with the next write")
    if as_json:
        print_json(document)
    if not found and not memories:
        note("no sessions")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _named(store: Store, names: list[str], source: str | None) -> list[Overview]:
    if source:
        note_unknown(store, filters := Filters(source=source))
        return list(store.sessions.overviews(filters))
    ids = dict.fromkeys(store.sessions.get(name.partition(":")[0]).id for name in names)
    numbers = tuple(number for each in ids if (number := store.sessions.number(each)) is not None)
    return list(store.sessions.overviews(Filters(among=numbers)))


def _confirm(sessions: int, memories: int, *, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("forgetting is for good", hint="say `--yes`")
    counted = (_counted(sessions, "session", "sessions"), _counted(memories, "memory", "memories"))
    if not typer.confirm(f"forget {' and '.join(filter(None, counted))} for good?", err=True):
        note("nothing was forgotten")
        raise typer.Exit


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}" if count else ""
