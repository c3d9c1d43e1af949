"""`mem sources`: list, remove and move the paths that were imported.

Each command has a module of its name.
"""

from memcli.cli.commands.sources.list_sources import list_sources
from memcli.cli.commands.sources.move_source import move_source
from memcli.cli.commands.sources.remove_sources import remove_sources
from memcli.cli.parsing.parameters import CommandGroup

sources = CommandGroup(
    name="sources",
    help="List, move and remove the paths that `mem ingest` reads again."
    " `mem sources` is short for `mem sources list`.",
    commands={
        "list": list_sources,
        "move": move_source,
        "remove": remove_sources,
    },
    lists=True,
)
