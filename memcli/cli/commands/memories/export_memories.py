"""`mem memories export`."""

import sys
from typing import Annotated, Literal

from memcli.cli.encryption import Plain, require_plain
from memcli.cli.json_output.memory_documents import memories_document
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import OUTPUT
from memcli.cli.output.console import print_json
from memcli.cli.output.memory_view import (
    memories_markdown,
)
from memcli.cli.parsing.parameters import Option
from memcli.store import MemoryFilters

ExportFormat = Annotated[
    Literal["json", "markdown"],
    Option(
        "--format",
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="`json`, which `mem memories import` reads, or `markdown`.",
    ),
]


def export_memories(
    *, format_name: ExportFormat = "json", plain: Plain = False, database: WritableDatabaseOptions
) -> None:
    """Print all memories with their history and sources.

    `mem memories import` reads the JSON. It is never encrypted: of an encrypted database it needs
    `--plain`, also in a pipe.
    """
    with database.open_existing() as store:
        require_plain(store, plain=plain)
        found = store.memories.find(MemoryFilters())
        if format_name == "json":
            print_json(memories_document(store, found))
        else:
            sys.stdout.write(memories_markdown(found))
