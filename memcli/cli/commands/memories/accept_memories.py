"""`mem memories accept`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import parse_text
from memcli.cli.output.memory_view import print_memories
from memcli.cli.parsing.parameters import Argument

MemoryNames = Annotated[
    list[str],
    Argument(
        autocompletion=values.offer_memory_ids,
        metavar="ID...",
        parser=parse_text,
        help="Ids of memories: `m_k3j`.",
    ),
]


def accept_memories(ids: MemoryNames, *, database: WritableDatabaseOptions) -> None:
    """Accept memories although their sources do not support all of them.

    An accepted memory may also supersede one that you wrote yourself.
    """
    with database.open_existing() as store:
        with store.transaction():
            found = [store.memories.get(name).id for name in ids]
            for one in found:
                store.memories.accept(one)
        print_memories(store.memories.get(one) for one in found)
