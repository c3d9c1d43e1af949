"""`mem memories`: list, search, show, add, edit, accept, forget, export and import memories.

Each command has a module of its name; `memory_options` has the options that they share.
"""

from memcli.cli.commands.memories.accept_memories import accept_memories
from memcli.cli.commands.memories.add_memory import add_memory
from memcli.cli.commands.memories.edit_memory import edit_memory
from memcli.cli.commands.memories.export_memories import export_memories
from memcli.cli.commands.memories.find_memories import find_memories
from memcli.cli.commands.memories.forget_memories import forget_memories
from memcli.cli.commands.memories.import_memories import import_memories
from memcli.cli.commands.memories.list_memories import list_memories
from memcli.cli.commands.memories.show_one_memory import show_one_memory
from memcli.cli.parsing.parameters import CommandGroup

memories = CommandGroup(
    name="memories",
    help="List, search, show, add, edit, accept, forget, export and import memories."
    " `mem memories` is short for `mem memories list`.",
    commands={
        "list": list_memories,
        "search": find_memories,
        "show": show_one_memory,
        "add": add_memory,
        "edit": edit_memory,
        "accept": accept_memories,
        "forget": forget_memories,
        "export": export_memories,
        "import": import_memories,
    },
    lists=True,
    shown="m_",
)
