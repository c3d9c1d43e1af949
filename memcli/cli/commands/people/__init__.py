"""`mem people`: list the people of the archive, and merge their names.

Each command has a module of its name.
"""

import typer

from memcli.cli.commands.people.list_people import list_people
from memcli.cli.commands.people.merge_people import merge_people
from memcli.cli.default_command import ListingGroup

people = typer.Typer(
    name="people",
    help="List the people who speak, and merge the names of one person."
    " `mem people` is short for `mem people list`.",
    cls=ListingGroup,
    rich_markup_mode=None,
)


people.command("list")(list_people)
people.command("merge")(merge_people)
