"""`mem forget`."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from memcli.cli.completion.values import offer_session_and_memory_ids
from memcli.cli.json_output.memory_documents import forget_document
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Json, Source, parse_text
from memcli.cli.output.console import note, print_json
from memcli.cli.output.memory_view import print_memories
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import print_overviews
from memcli.cli.session_names import session_numbers
from memcli.cli.unknown_names import warn_unknown_names
from memcli.domain import Memory
from memcli.errors import ExitCode, UsageError
from memcli.store import Filters, SessionSummary, Store

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        parser=parse_text,
        autocompletion=offer_session_and_memory_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions and memories: `s_k3j`, `m_k3j`.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")]


def forget(
    ids: Ids = None,
    *,
    source: Source = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    database: WritableDatabaseOptions,
) -> None:
    """Delete sessions and memories permanently.

    Deleted sessions do not come back when the same export is imported again, nor memories when the
    same session is read again, whatever the export is called. Memories whose only sources are
    deleted sessions are deleted with them, and so are the earlier wordings of a deleted memory.
    Backups that were made before are named. Exits with status 3 when there is nothing to delete.
    """
    if bool(ids) == bool(source):
        raise UsageError(
            "give ids of sessions or memories, or one source", hint="mem forget s_k3j --dry-run"
        )
    with database.open_existing() as store:
        sessions, memories = _find(store, ids or [], source)
        if as_json:
            document = forget_document(store, sessions, memories, forgotten=not dry_run)
        else:
            print_overviews(sessions)
            print_memories(memories)
        if (sessions or memories) and not dry_run:
            _confirm(len(sessions), len(memories), yes=yes)
            if not store.deletion.forget([one.id for one in sessions], memories):
                note("another process reads the database: the last bytes go with the next write")
            _name_backups(store)
    if as_json:
        print_json(document)
    if not sessions and not memories:
        note("nothing to delete")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _find(
    store: Store, ids: Sequence[str], source: str | None
) -> tuple[list[SessionSummary], list[Memory]]:
    """Return the sessions and memories that are named, and the memories that go with them."""
    names = [name for name in ids if not name.startswith("m_")]
    filters = Filters(source=source) if source else Filters(among=session_numbers(store, names))
    if source:
        warn_unknown_names(store, filters)
    sessions = list(store.sessions.summaries(filters))
    memories = [store.memories.get(name) for name in ids if name.startswith("m_")]
    memories += [earlier for one in memories for earlier in store.memories.earlier_wordings(one)]
    memories += store.memories.only_from_sessions([one.id for one in sessions])
    return sessions, list({one.id: one for one in memories}.values())


def _name_backups(store: Store) -> None:
    """Tell the person which backups still hold what was deleted."""
    if backups := store.known_backups():
        note(
            f"{pluralize(len(backups), 'backup')} made before may still hold it: "
            + ", ".join(map(str, backups))
        )


def _confirm(sessions: int, memories: int, *, yes: bool) -> None:
    """Ask the person whether to go on.

    Raises:
        UsageError: there is no terminal to ask on.
        typer.Exit: the person said no.
    """
    if yes:
        return
    parts = [pluralize(sessions, "session")] if sessions else []
    if memories:
        parts.append(pluralize(memories, "memory", "memories"))
    deletion = f"delete {' and '.join(parts)} permanently"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"would {deletion}; add `--yes`")
    if not typer.confirm(f"{deletion}?", err=True):
        note("nothing was deleted")
        raise typer.Exit
