"""`mem memories forget`."""

from memcli.cli.commands.forget import DryRun, PlannedDeletion, Yes
from memcli.cli.commands.memories.accept_memories import MemoryNames
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Json, Quiet
from memcli.errors import UsageError


def forget_memories(
    ids: MemoryNames,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Delete memories permanently.

    They do not come back when the same sessions are read again. `mem forget` deletes sessions, too.
    """
    for name in ids:
        if not name.startswith("m_"):
            raise UsageError(f"not the id of a memory: `{name}`", hint="`mem memories` lists them")
    with database.open_existing() as store:
        PlannedDeletion.from_names(store, ids).carry_out(
            store, dry_run=dry_run, yes=yes, as_json=as_json, quiet=quiet
        )
