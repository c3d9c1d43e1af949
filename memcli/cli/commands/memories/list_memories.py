"""`mem memories list`."""

from typing import Annotated

from memcli.cli.commands.memories.find_memories import print_found_memories
from memcli.cli.commands.memories.memory_options import MemoryFilterOptions
from memcli.cli.option_groups import ListOutputOptions, WritableDatabaseOptions
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text

FormerQuery = Annotated[  # until 0.2, `list` searched, too
    str | None, Argument(metavar="[QUERY]", parser=parse_text, hidden=True)
]


def list_memories(
    query: FormerQuery = None,
    *,
    chosen: MemoryFilterOptions,
    output: ListOutputOptions,
    database: WritableDatabaseOptions,
) -> None:
    """List memories, the newest first.

    Dates and speakers are those of the turns that a memory came from. Exits with status 3 when
    there are none.
    """
    if query and query.strip():
        print_found_memories(query, chosen, database, output.chosen_format())
        return
    with database.open_existing() as store:
        found = store.memories.find(chosen.filters())
        chosen.print_chosen(store, found, output.chosen_format())
