"""The help of `mem` itself, from the table of commands: to import those would take much longer."""

import shutil
import textwrap
from collections.abc import Iterator

from memcli.cli.completion.command_table import load_command_table
from memcli.cli.help.command_names import COMMAND_GROUPS
from memcli.cli.help.topics import topic_names

EXAMPLES_OF_MEM = ("mem ingest ~/Downloads/chatgpt-export.zip", "mem ask where is my passport")
WIDEST, NARROWEST = 100, 40  # columns
HELP_OPTION = ("-h, --help", "Show this help; `mem COMMAND --help` that of a command.")


def main_help() -> str:
    """Return the help of `mem`: commands in groups, options, and two examples."""
    root = load_command_table()
    summaries = {each.words[-1]: each.summary for each in root.commands}
    options = [(each.form, each.help) for each in root.parameters] + [HELP_OPTION]
    sections = {
        heading: [(name, to_sentence(summaries[name])) for name in names]
        for heading, names in COMMAND_GROUPS.items()
    }
    sections["Options"] = options
    width = max(NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
    lines = ["Usage: mem COMMAND [ARGUMENT]...", "", f"  {to_sentence(root.summary)}"]
    for heading, rows in sections.items():
        lines += ["", f"{heading}:", *_definitions(rows, width)]
    topics = [name for name in topic_names() if name not in summaries]
    more = f"`mem help COMMAND` says more, and `mem help TOPIC` of {', '.join(topics)}."
    lines += ["", *textwrap.wrap(more, width)]
    lines += ["", "Examples:", *(f"  {example}" for example in EXAMPLES_OF_MEM)]
    return "\n".join(lines) + "\n"


def _definitions(rows: list[tuple[str, str]], width: int) -> Iterator[str]:
    """Yield terms with their definitions beside them."""
    column = max(len(term) for term, _ in rows) + 4
    for term, text in rows:
        first, *more = textwrap.wrap(text, width - column) or [""]
        yield f"  {term:<{column - 2}}{first}"
        yield from (f"{' ' * column}{line}" for line in more)


def to_sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."
