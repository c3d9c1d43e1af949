"""`mem people`: list the people of the archive, and merge their names.

Each command has a module of its name.
"""

from memcli.cli.commands.people.list_people import list_people
from memcli.cli.commands.people.merge_people import merge_people
from memcli.cli.parsing.parameters import CommandGroup

people = CommandGroup(
    name="people",
    help="List the people who speak, and merge the names of one person."
    " `mem people` is short for `mem people list`.",
    commands={
        "list": list_people,
        "merge": merge_people,
    },
    lists=True,
)
