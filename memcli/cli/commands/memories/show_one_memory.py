"""`mem memories show`."""

from typing import Annotated

from memcli.cli.commands.memories.memory_options import MemoryName
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Json
from memcli.cli.output.memory_view import show_memory
from memcli.cli.parsing.parameters import Option

Why = Annotated[
    bool,
    Option(
        "--why",
        help="Show also the reason that the model gave, and all that it thought if it read with"
        " `mem read --keep-traces`.",
    ),
]


def show_one_memory(
    memory: MemoryName,
    *,
    why: Why = False,
    as_json: Json = False,
    database: WritableDatabaseOptions,
) -> None:
    """Print one memory, the turns it came from, and its history."""
    with database.open_existing() as store:
        show_memory(memory, store, why=why, as_json=as_json)
