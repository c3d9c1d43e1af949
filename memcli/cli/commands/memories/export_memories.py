"""`mem memories export`."""

import sys
from typing import Annotated, Literal

from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import OUTPUT
from memcli.cli.output.memory_view import (
    memories_markdown,
    print_memory_list,
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
    *, format_name: ExportFormat = "json", database: WritableDatabaseOptions
) -> None:
    """Print all memories with their history and sources.

    `mem memories import` reads the JSON.
    """
    with database.open_existing() as store:
        found = store.memories.find(MemoryFilters())
        if format_name == "json":
            print_memory_list(store, found, as_json=True, as_jsonl=False)
        else:
            sys.stdout.write(memories_markdown(found))
