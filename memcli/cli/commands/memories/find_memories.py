"""`mem memories search`."""

from typing import Annotated

from memcli.cli.commands.memories.memory_options import MemoryFilterOptions
from memcli.cli.input_text import join_question
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import ListOutputOptions, WritableDatabaseOptions
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text
from memcli.search.memory_search import search_memories

MemoryQuery = Annotated[
    list[str],
    Argument(
        metavar="QUERY...", parser=parse_text, help="Words to search for, with or without quotes."
    ),
]


def find_memories(
    words: MemoryQuery,
    *,
    chosen: MemoryFilterOptions,
    output: ListOutputOptions,
    database: WritableDatabaseOptions,
) -> None:
    """Find memories by words and meaning, the best first.

    Dates and speakers are those of the turns that a memory came from. Exits with status 3 when
    there are none.
    """
    query = join_question(words)
    print_found_memories(query, chosen, database, output.chosen_format())


def print_found_memories(
    query: str,
    chosen: MemoryFilterOptions,
    database: WritableDatabaseOptions,
    chosen_format: str,
) -> None:
    """Print the memories that a query finds.

    Raises:
        EarlyExit: there are none.
    """
    with database.open_existing() as store:
        hits = search_memories(query, store, open_embedder(store), chosen.filters())
        found = [hit.memory for hit in hits]
        chosen.print_chosen(store, found, chosen_format)
