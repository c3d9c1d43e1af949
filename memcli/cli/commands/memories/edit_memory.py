"""`mem memories edit`."""

from datetime import datetime
from typing import Annotated

from memcli.cli.commands.memories.memory_options import MemoryName, Tags, TypeName
from memcli.cli.json_output.memory_documents import one_memory_document
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.memory_view import print_memories
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_values import parse_text
from memcli.domain import MemoryType
from memcli.errors import UsageError
from memcli.ingest.own_facts import OwnFacts
from memcli.lazy_dataclasses import replace

NewValue = Annotated[
    str | None,
    Argument(metavar="[VALUE]", parser=parse_text, show_default=False, help="The corrected fact."),
]
NewKey = Annotated[
    str | None,
    Option(
        "--key", metavar="KEY", parser=parse_text, show_default=False, help="Topic of the fact."
    ),
]
OptionalType = Annotated[
    TypeName | None,
    Option(
        "--type",
        metavar="TYPE",
        show_default=False,
        help="`UserMemory`, a fact about you, or `LongTermMemory`.",
    ),
]


def edit_memory(
    memory: MemoryName,
    value: NewValue = None,
    *,
    key: NewKey = None,
    type_: OptionalType = None,
    tags: Tags = None,
    output: ResultOptions,
    database: WritableDatabaseOptions,
) -> None:
    """Correct a memory.

    The old one stays in the history, and no model supersedes the correction.
    """
    if not any((value, key, type_, tags)):
        raise UsageError("nothing to change", hint='`mem memories edit m_k3j "lives in Porto"`')
    with database.open_existing() as store:
        found = store.memories.get(memory)
        fact = replace(
            found.fact,
            value=value or found.fact.value,
            key=key or found.fact.key,
            type=MemoryType(type_) if type_ else found.fact.type,
            tags=tuple(tags) if tags else found.fact.tags,
        )
        edited = store.memories.get(
            OwnFacts(store, open_embedder(store)).edit(found, fact, datetime.now().astimezone())
        )
        output.print_result(
            lambda: one_memory_document(store, edited, store.memories.history(edited)),
            lambda: print_memories([edited]),
        )
