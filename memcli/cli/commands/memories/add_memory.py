"""`mem memories add`."""

from datetime import datetime
from typing import Annotated

from memcli.cli.commands.memories.memory_options import Tags, TypeName
from memcli.cli.json_output.memory_documents import one_memory_document
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.memory_view import print_memories
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_values import parse_text
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
    output: ResultOptions,
    database: WritableDatabaseOptions,
) -> None:
    """Add a memory that you write yourself."""
    fact = Fact(key, MemoryType(type_), value, tuple(tags or ()))
    with database.open() as store:
        added = store.memories.get(
            OwnFacts(store, open_embedder(store)).add(fact, datetime.now().astimezone())
        )
        output.print_result(
            lambda: one_memory_document(store, added, store.memories.history(added)),
            lambda: print_memories([added]),
        )
