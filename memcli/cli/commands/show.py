"""`mem show`."""

from typing import Annotated

from memcli.cli.completion.values import offer_session_and_memory_ids
from memcli.cli.json_output.session_documents import show_document, turn_json
from memcli.cli.last_list import resolve_list_number
from memcli.cli.option_groups import DatabaseOptions, ListOutputOptions
from memcli.cli.options import OUTPUT
from memcli.cli.output.console import print_json, print_jsonl
from memcli.cli.output.markdown_csv import print_csv, print_text, session_markdown
from memcli.cli.output.memory_view import show_memory
from memcli.cli.output.session_text import parse_target, positions_to_show, print_session
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_values import parse_text

FOR_PROGRAMS = ("json", "jsonl", "csv")  # formats that mark the branches that were not kept

Target = Annotated[
    str,
    Argument(
        parser=parse_text,
        autocompletion=offer_session_and_memory_ids,
        metavar="ID",
        help="Id of a session, or its beginning: `s_k3j`; or its number in the last list: `2`. With"
        " turns, `s_k3j:12` or `2:12-20`: these turns and those around them. Or the id of a"
        " memory: `m_k3j`.",
    ),
]
EveryBranch = Annotated[bool, Option("--all", help="Show also the branches that were not kept.")]
Around = Annotated[
    int,
    Option(
        "--context",
        "-C",
        min=0,
        metavar="N",
        help="Show this many turns before and after those named.",
    ),
]
NoPager = Annotated[
    bool,
    Option("--no-pager", rich_help_panel=OUTPUT, help="Print long sessions without a pager."),
]


def show(
    target: Target,
    *,
    around: Around = 3,
    every_branch: EveryBranch = False,
    output: ListOutputOptions,
    no_pager: NoPager = False,
    database: DatabaseOptions,
) -> None:
    """Print a session, the turns around one, or a memory.

    A memory is printed as `mem memories show` prints it. On a terminal, a long session is shown
    with a pager: `MEM_PAGER`, else `PAGER`, else `less`.
    """
    chosen = output.chosen_format()
    named = parse_target(resolve_list_number(database.path, target))
    with database.open_existing() as store:
        if memory := named.memory(chosen):
            show_memory(memory, store, why=False, as_json=chosen == "json")
            return
        found = store.sessions.get(named.session)
    every_branch = every_branch or chosen in FOR_PROGRAMS
    positions = positions_to_show(found, named, around, every_branch=every_branch)
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
