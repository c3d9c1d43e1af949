"""Groups of commands in which one is run if none is named: `mem sources` lists."""

from typing import Any

from typer.core import TyperGroup

from memcli.cli.option_groups import write_examples


class CommandGroup(TyperGroup):
    """A group of commands whose help ends with examples."""

    # Any: Typer's context and formatter have no public types.
    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        write_examples(ctx, formatter)


class ListingGroup(CommandGroup):
    """A group that runs its command `list` if no word, or an option, comes first."""

    # Any: Typer's context is private.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Add the command that is meant."""
        if not ctx.resilient_parsing and (command := self.implied_command(args)):
            args = [command, *args]
        return super().parse_args(ctx, args)

    def implied_command(self, args: list[str]) -> str:
        """Return the command that is meant if none is named; "" if one must be."""
        begins_with_option = args and args[0].startswith("-") and args[0] not in ("-h", "--help")
        return "list" if not args or begins_with_option else ""
