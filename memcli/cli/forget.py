"""`mem forget`."""

import sys
from typing import Annotated

import typer

from memcli.cli.completion import session_ids
from memcli.cli.json_shapes import overview_shape
from memcli.cli.options import Database, Json, Source, Wait, words
from memcli.cli.output import note, print_json
from memcli.cli.render import print_overviews
from memcli.errors import ExitCode, UsageError
from memcli.settings import database_path
from memcli.store import Filters, Overview, Store

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        parser=words,
        autocompletion=session_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions: `s_k3j`.",
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
    """Delete sessions for good: they do not come back when the same export is imported again.

    Exits with status 3 when there are none.
    """
    if bool(sessions) == bool(source):
        raise UsageError("name sessions, or one source", hint="mem forget s_k3j --dry-run")
    with Store.existing(database or database_path(), wait=wait) as store:
        found = _named(store, sessions or [], source)
        if as_json:
            listed = [overview_shape(one) for one in found]
            shape = {"schema": "mem.forget/1", "sessions": listed, "forgotten": not dry_run}
        else:
            print_overviews(found)
        if found and not dry_run:
            _confirm(len(found), yes=yes)
            if not store.forgetting.forget([one.id for one in found]):
                note("another process reads the database: the last bytes go with the next write")
    if as_json:
        print_json(shape)
    if not found:
        note("no sessions")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def _named(store: Store, names: list[str], source: str | None) -> list[Overview]:
    if source:
        return list(store.sessions.overviews(Filters(source=source)))
    ids = dict.fromkeys(store.sessions.get(name.partition(":")[0]).id for name in names)
    numbers = tuple(number for each in ids if (number := store.sessions.number(each)) is not None)
    return list(store.sessions.overviews(Filters(among=numbers)))


def _confirm(count: int, *, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("forgetting is for good", hint="say `--yes`")
    if not typer.confirm(f"forget {count} session{'' if count == 1 else 's'} for good?", err=True):
        note("nothing was forgotten")
        raise typer.Exit
