"""`mem sessions` and `mem show`."""

from typing import Annotated

import typer

from memcli.cli.completion import session_ids
from memcli.cli.json_shapes import overview_shape, session_shape
from memcli.cli.options import Database, Json, Jsonl, Since, Source, Speaker, Until, words
from memcli.cli.output import note, print_json, print_jsonl
from memcli.cli.render import print_overviews, print_session
from memcli.errors import ExitCode
from memcli.settings import database_path
from memcli.store import Filters, Store

SessionName = Annotated[
    str,
    typer.Argument(
        parser=words,
        autocompletion=session_ids,
        metavar="ID",
        help="Id of the session, or how it begins: `s_k3j`.",
    ),
]
EveryBranch = Annotated[
    bool, typer.Option("--all", help="Show the branches that were not kept, too.")
]
Most = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, show_default=False, metavar="N", help="Most sessions."),
]


def sessions(
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    limit: Most = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    database: Database = None,
) -> None:
    """List sessions, latest first.

    Exits with status 3 when there are none.
    """
    filters = Filters(since, until, source, speaker)
    with Store.existing(database or database_path()) as store:
        found = list(store.sessions.overviews(filters, limit))
    if as_json:
        listed = [overview_shape(one) for one in found]
        print_json({"schema": "mem.sessions/1", "sessions": listed})
    elif as_jsonl:
        print_jsonl(map(overview_shape, found))
    else:
        print_overviews(found)
    if not found:
        note("no sessions")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def show(
    session: SessionName,
    every_branch: EveryBranch = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Print one session, turn by turn."""
    with Store.existing(database or database_path()) as store:
        found = store.sessions.get(session.partition(":")[0])
    if as_json:
        print_json(session_shape(found))
    else:
        print_session(found, every_branch=every_branch)
