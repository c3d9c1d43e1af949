"""`mem forget`."""

from collections.abc import Sequence
from typing import Annotated

from memcli.cli.completion.values import offer_session_and_memory_ids
from memcli.cli.confirmation import confirm
from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.json_output.memory_documents import forget_document
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Json, Quiet, Source
from memcli.cli.output.console import note, print_json, printable, remark, write_line
from memcli.cli.output.memory_view import print_memories
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import print_overviews, session_heading
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.session_names import session_numbers
from memcli.cli.typed_values import parse_text
from memcli.domain import Memory
from memcli.errors import EarlyExit, ExitCode, UsageError
from memcli.lazy_dataclasses import dataclass
from memcli.store import Filters, SessionSummary, Store

Ids = Annotated[
    list[str] | None,
    Argument(
        parser=parse_text,
        autocompletion=offer_session_and_memory_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions and memories: `s_k3j`, `m_k3j`.",
    ),
]
DryRun = Annotated[bool, Option("--dry-run", help="Only show what would be deleted.")]
Yes = Annotated[bool, Option("--yes", "-y", help="Delete without asking.")]


@dataclass(frozen=True, slots=True)
class PlannedDeletion:
    """The sessions and memories that are to be deleted, and how that is said."""

    sessions: Sequence[SessionSummary]
    memories: Sequence[Memory]

    @classmethod
    def from_names(
        cls, store: Store, ids: Sequence[str], source: str | None = None
    ) -> "PlannedDeletion":
        """Return what the ids or the source name, and the memories that go with it.

        Raises:
            NotFoundError: an id fits nothing, or more than one thing.
        """
        names = [name for name in ids if not name.startswith("m_")]
        filters = Filters(source=source) if source else Filters(among=session_numbers(store, names))
        if source:
            warn_about_filters(store, filters)
        sessions = list(store.sessions.summaries(filters))
        memories = [store.memories.get(name) for name in ids if name.startswith("m_")]
        memories += [old for one in memories for old in store.memories.earlier_wordings(one)]
        memories += store.memories.only_from_sessions([one.id for one in sessions])
        return cls(sessions, list({one.id: one for one in memories}.values()))

    def __str__(self) -> str:
        parts = [pluralize(len(self.sessions), "session")] if self.sessions else []
        if self.memories:
            parts.append(pluralize(len(self.memories), "memory", "memories"))
        return " and ".join(parts)

    def carry_out(
        self, store: Store, *, dry_run: bool, yes: bool, as_json: bool, quiet: bool
    ) -> None:
        """Ask, delete, and say what was deleted.

        Raises:
            UsageError: there is no terminal to ask on.
            EarlyExit: there is nothing to delete, or the person said no.
        """
        document = forget_document(store, self.sessions, self.memories, forgotten=not dry_run)
        if not (as_json or quiet) and not (yes and not dry_run):
            print_overviews(self.sessions)
            print_memories(self.memories)
        if not self.sessions and not self.memories:
            if as_json:
                print_json(document)
            note("nothing to delete")
            raise EarlyExit(ExitCode.NOTHING_FOUND)
        if not dry_run:
            confirm(f"delete {self} permanently", "nothing was deleted", yes=yes)
            if not store.deletion.forget([one.id for one in self.sessions], self.memories):
                note("another process reads the database: the last bytes go with the next write")
            if backups := store.known_backups():
                count = pluralize(len(backups), "backup")
                named = ", ".join(map(str, backups))
                note(f"{count} made before may still hold it: {named}")
        if as_json:
            print_json(document)
        elif dry_run:
            remark(f"would delete {self} permanently")
        elif not quiet:
            write_line(f"deleted {self} permanently{self._titles()}")

    def _titles(self) -> str:
        """Return the title of a single session or the key of a single memory, to be added."""
        if len(self.sessions) == 1:
            return f": {printable(session_heading(self.sessions[0]))}"
        if not self.sessions and len(self.memories) == 1:
            return f": {printable(self.memories[0].fact.key)}"
        return ""


def forget(
    ids: Ids = None,
    *,
    source: Source = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Delete sessions and memories permanently.

    Deleted sessions do not come back when the same export is imported again, nor memories when the
    same session is read again, whatever the export is called. Memories whose only sources are
    deleted sessions are deleted with them, and so are the earlier wordings of a deleted memory.
    Backups that were made before are named. `--dry-run` shows titles, dates and turns of all that
    would be deleted. Exits with status 3 when there is nothing to delete.
    """
    if bool(ids) == bool(source):
        raise UsageError(
            "give ids of sessions or memories, or one source", hint="`mem forget s_k3j --dry-run`"
        )
    with database.open_existing() as store:
        PlannedDeletion.from_names(store, ids or [], source).carry_out(
            store, dry_run=dry_run, yes=yes, as_json=as_json, quiet=quiet
        )
