"""`mem sources`: list, remove and move the paths that were imported.

Each command has a module of its name.
"""

import typer

from memcli.cli.commands.sources.list_sources import list_sources
from memcli.cli.commands.sources.move_source import move_source
from memcli.cli.commands.sources.remove_sources import remove_sources
from memcli.cli.default_command import ListingGroup

sources = typer.Typer(
    name="sources",
    help="List, move and remove the paths that `mem ingest` reads again."
    " `mem sources` is short for `mem sources list`.",
    cls=ListingGroup,
    rich_markup_mode=None,
)


sources.command("list")(list_sources)
sources.command("move")(move_source)
sources.command("remove")(remove_sources)
