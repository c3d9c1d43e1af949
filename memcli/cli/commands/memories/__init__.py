"""`mem memories`: list, search, show, accept, edit, add, export and import memories.

Each command has a module of its name; `memory_options` has the options that they share.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from memcli.cli.commands.memories.accept_memories import accept_memories
from memcli.cli.commands.memories.add_memory import add_memory
from memcli.cli.commands.memories.edit_memory import edit_memory
from memcli.cli.commands.memories.export_memories import export_memories
from memcli.cli.commands.memories.import_memories import import_memories
from memcli.cli.commands.memories.list_memories import list_memories
from memcli.cli.commands.memories.show_one_memory import show_one_memory


class _ImplicitCommandGroup(TyperGroup):
    """A group in which `mem memories QUERY` lists and `mem memories m_...` shows."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: Typer's context is private
        if not ctx.resilient_parsing and (
            not args or (args[0] not in self.commands and args[0] != "--help")
        ):
            args = ["show" if args and args[0].startswith("m_") else "list", *args]
        return super().parse_args(ctx, args)


memories = typer.Typer(
    name="memories",
    help="List, search, accept, edit, add, export and import memories."
    " `mem memories QUERY` is short for `mem memories list QUERY`.",
    cls=_ImplicitCommandGroup,
    rich_markup_mode=None,
)


memories.command("list")(list_memories)
memories.command("show")(show_one_memory)
memories.command("accept")(accept_memories)
memories.command("edit")(edit_memory)
memories.command("add")(add_memory)
memories.command("export")(export_memories)
memories.command("import")(import_memories)
