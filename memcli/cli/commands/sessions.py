"""`mem sessions` and `mem show`."""

from typing import Annotated

import typer

from memcli.cli.completion.values import session_and_memory_ids
from memcli.cli.json_output.session_documents import (
    overview_json,
    sessions_document,
    show_document,
    turn_json,
)
from memcli.cli.options import (
    Database,
    Json,
    Jsonl,
    ListFormat,
    Since,
    Source,
    Speaker,
    Until,
    words,
)
from memcli.cli.output.console import note, print_json, print_jsonl
from memcli.cli.output.formats import (
    form_of,
    overviews_markdown,
    print_csv,
    print_text,
    session_markdown,
)
from memcli.cli.output.memory_view import show_memory
from memcli.cli.output.session_text import print_session, reference, shown
from memcli.cli.output.session_view import print_overviews
from memcli.cli.unknown_names import note_unknown
from memcli.errors import ExitCode
from memcli.settings import database_path
from memcli.store import Filters, Store

SessionName = Annotated[
    str,
    typer.Argument(
        parser=words,
        autocompletion=session_and_memory_ids,
        metavar="ID",
        help="Id of the session, or how it begins: `s_k3j`. With turns, `s_k3j:12` or"
        " `s_k3j:12-20`, these and those around them. Or that of a memory: `m_k3j`.",
    ),
]
EveryBranch = Annotated[
    bool, typer.Option("--all", help="Show the branches that were not kept, too.")
]
Around = Annotated[
    int,
    typer.Option(
        "--context", "-C", min=0, metavar="N", help="Turns to show before and after those named."
    ),
]
NoPager = Annotated[
    bool, typer.Option("--no-pager", help="Print long sessions as they are, without a pager.")
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
    form: ListFormat = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    database: Database = None,
) -> None:
    """List sessions, latest first.

    Exits with status 3 when there are none.
    """
    chosen = form_of(form, as_json=as_json, as_jsonl=as_jsonl)
    filters = Filters(since, until, source, speaker)
    with Store.existing(database or database_path()) as store:
        note_unknown(store, filters)
        found = list(store.sessions.overviews(filters, limit))
    match chosen:
        case "json":
            print_json(sessions_document(found))
        case "jsonl":
            print_jsonl(map(overview_json, found))
        case "csv":
            print_csv(map(overview_json, found))
        case "markdown":
            print_text(overviews_markdown(found))
        case _:
            print_overviews(found)
    if not found:
        note("no sessions")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


def show(
    session: SessionName,
    around: Around = 3,
    every_branch: EveryBranch = False,
    form: ListFormat = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    no_pager: NoPager = False,
    database: Database = None,
) -> None:
    """Print a session, the turns around one, or a memory.

    A memory is printed as by `mem memories show`. A long session goes through a pager on a
    terminal: `MEM_PAGER`, else `PAGER`, else `less`.
    """
    chosen = form_of(form, as_json=as_json, as_jsonl=as_jsonl)
    named = reference(session)
    with Store.existing(database or database_path()) as store:
        if memory := named.memory(chosen):
            show_memory(memory, store, why=False, as_json=chosen == "json")
            return
        found = store.sessions.get(named.session)
    positions = shown(found, named, around, every_branch=every_branch or chosen in _WHOLE)
    match chosen:
        case "json":
            print_json(show_document(found, positions))
        case "jsonl":
            print_jsonl(turn_json(found, at) for at in positions)
        case "csv":
            print_csv(turn_json(found, at) for at in positions)
        case "markdown":
            print_text(session_markdown(found, positions))
        case _:
            print_session(found, named, positions, paged=not no_pager)


_WHOLE = ("json", "jsonl", "csv")  # what is for programs says of each branch whether it was kept
