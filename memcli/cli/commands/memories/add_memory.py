"""`mem memories add`."""

from datetime import datetime
from typing import Annotated

from memcli.cli.commands.memories.memory_options import Tags, TypeName
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import parse_text
from memcli.cli.output.memory_view import print_memories
from memcli.cli.parsing.parameters import Argument, Option
from memcli.domain import Fact, MemoryType
from memcli.ingest.own_facts import OwnFacts

FactKey = Annotated[
    str, Argument(metavar="KEY", parser=parse_text, help="Topic of the fact: `home city`.")
]
FactValue = Annotated[str, Argument(metavar="VALUE", parser=parse_text, help="The fact itself.")]
NewType = Annotated[
    TypeName,
    Option("--type", metavar="TYPE", help="`UserMemory`, a fact about you, or `LongTermMemory`."),
]


def add_memory(
    key: FactKey,
    value: FactValue,
    *,
    type_: NewType = "UserMemory",
    tags: Tags = None,
    database: WritableDatabaseOptions,
) -> None:
    """Add a memory that you write yourself."""
    fact = Fact(key, MemoryType(type_), value, tuple(tags or ()))
    with database.open() as store:
        added = OwnFacts(store, open_embedder()).add(fact, datetime.now().astimezone())
        print_memories([store.memories.get(added)])
