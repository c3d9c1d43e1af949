"""The settings as text."""

from collections.abc import Sequence

from memcli.cli.output.console import console, printable
from memcli.settings import DEFAULT, Setting


def print_settings(settings: Sequence[Setting]) -> None:
    """Print settings, one per line, each with its value and its origin."""
    from rich.text import Text

    out = console()
    width = max(len(one.key) for one in settings)
    for one in settings:
        origin = Text(f"  ({printable(one.origin)})", "dim" if one.origin == DEFAULT else "green")
        line = Text.assemble(
            (f"{printable(one.key):<{width}}", "cyan"), "  ", printable(one.value) or "-"
        )
        out.print(line.append_text(origin), soft_wrap=not out.is_terminal)
