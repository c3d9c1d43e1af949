"""`mem memories`: list, search, show, add, edit, accept, forget, export and import memories.

Each command has a module of its name; `memory_options` has the options that they share.
"""

import typer

from memcli.cli.commands.memories.accept_memories import accept_memories
from memcli.cli.commands.memories.add_memory import add_memory
from memcli.cli.commands.memories.edit_memory import edit_memory
from memcli.cli.commands.memories.export_memories import export_memories
from memcli.cli.commands.memories.find_memories import find_memories
from memcli.cli.commands.memories.forget_memories import forget_memories
from memcli.cli.commands.memories.import_memories import import_memories
from memcli.cli.commands.memories.list_memories import list_memories
from memcli.cli.commands.memories.show_one_memory import show_one_memory
from memcli.cli.default_command import ListingGroup


class _MemoryGroup(ListingGroup):
    """A group in which `mem memories` lists and `mem memories m_...` shows."""

    def implied_command(self, args: list[str]) -> str:
        """Return the command that is meant if none is named."""
        return "show" if args and args[0].startswith("m_") else super().implied_command(args)


memories = typer.Typer(
    name="memories",
    help="List, search, show, add, edit, accept, forget, export and import memories."
    " `mem memories` is short for `mem memories list`.",
    cls=_MemoryGroup,
    rich_markup_mode=None,
)


memories.command("list")(list_memories)
memories.command("search")(find_memories)
memories.command("show")(show_one_memory)
memories.command("add")(add_memory)
memories.command("edit")(edit_memory)
memories.command("accept")(accept_memories)
memories.command("forget")(forget_memories)
memories.command("export")(export_memories)
memories.command("import")(import_memories)
