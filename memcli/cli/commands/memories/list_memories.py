"""`mem memories list`."""

from typing import Annotated

import typer

from memcli.cli.commands.memories.memory_options import TypeName
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import WritableDatabaseOptions, combine_dates
from memcli.cli.options import FILTERS, Json, Jsonl, Since, Speaker, Until, parse_text
from memcli.cli.output.console import note
from memcli.cli.output.memory_view import print_memory_list
from memcli.domain import MemoryType
from memcli.errors import ExitCode
from memcli.search.memory_search import search_memories
from memcli.store import MemoryFilters

Query = Annotated[
    str | None,
    typer.Argument(
        metavar="[QUERY]", parser=parse_text, show_default=False, help="Text to search for."
    ),
]
OnlyType = Annotated[
    TypeName | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only memories of this type: `UserMemory`, facts about you, or `LongTermMemory`.",
    ),
]
OnlyTag = Annotated[
    str | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        parser=parse_text,
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only memories with this tag.",
    ),
]
History = Annotated[
    bool,
    typer.Option(
        "--history",
        rich_help_panel=FILTERS,
        help="Include memories that newer ones supersede.",
    ),
]
Unsupported = Annotated[
    bool,
    typer.Option(
        "--unsupported",
        rich_help_panel=FILTERS,
        help="Only memories that their sources do not support and that you have not accepted.",
    ),
]
MaxMemories = Annotated[
    int | None,
    typer.Option(
        "--limit",
        "-n",
        min=1,
        show_default=False,
        metavar="N",
        rich_help_panel=FILTERS,
        help="Show at most this many memories.",
    ),
]


def list_memories(
    query: Query = None,
    *,
    type_: OnlyType = None,
    tag: OnlyTag = None,
    since: Since = None,
    until: Until = None,
    speaker: Speaker = None,
    history: History = False,
    unsupported: Unsupported = False,
    limit: MaxMemories = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    database: WritableDatabaseOptions,
) -> None:
    """List memories, the newest first, or search them.

    Dates and speakers are those of the turns that a memory came from. Exits with status 3 when
    there are none.
    """
    start, end = combine_dates(since, until)
    filters = MemoryFilters(start, end, speaker, type_ and MemoryType(type_), tag)
    with database.open_existing() as store:
        found = (
            [hit.memory for hit in search_memories(query, store, open_embedder(), filters)]
            if query and query.strip()
            else store.memories.find(filters)
        )
        doubtful = [one for one in found if not one.trusted and (one.current or history)]
        trusted = [one for one in found if one.trusted and (one.current or history)]
        listed = (doubtful if unsupported else trusted)[:limit]
        print_memory_list(store, listed, as_json=as_json, as_jsonl=as_jsonl)
    if doubtful and not unsupported:
        note(f"{len(doubtful)} unsupported, not shown: `mem memories --unsupported`")
    if not listed:
        note("no memories found")
        raise typer.Exit(ExitCode.NOTHING_FOUND)
