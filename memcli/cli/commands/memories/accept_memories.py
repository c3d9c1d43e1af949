"""`mem memories accept`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.json_output.memory_documents import memories_document
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.memory_view import print_memories
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text

MemoryNames = Annotated[
    list[str],
    Argument(
        autocompletion=values.offer_memory_ids,
        metavar="ID...",
        parser=parse_text,
        help="Ids of memories: `m_k3j`.",
    ),
]


def accept_memories(
    ids: MemoryNames, *, output: ResultOptions, database: WritableDatabaseOptions
) -> None:
    """Accept memories although their sources do not support all of them.

    An accepted memory may also supersede one that you wrote yourself.
    """
    with database.open_existing() as store:
        with store.transaction():
            names = [store.memories.get(name).id for name in ids]
            for one in names:
                store.memories.accept(one)
        found = [store.memories.get(one) for one in names]
        output.print_result(lambda: memories_document(store, found), lambda: print_memories(found))
