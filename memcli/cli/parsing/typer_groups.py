"""The commands as Typer needs them: their help shows options by group, and ends with examples."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from memcli.cli.help.examples import EXAMPLES
from memcli.cli.parsing.parameters import (
    REQUIRED,
    Argument,
    CommandGroup,
    DeclaredParameter,
    command_parameters,
    group_types,
    run_command,
)


def typer_group(group: CommandGroup) -> typer.Typer:
    """Return a group of commands for Typer."""

    class Group(TyperGroup):
        """A group that runs the command that is implied, if none is named."""

        # Any: Typer's context and formatter are private.
        def format_epilog(self, ctx: Any, formatter: Any) -> None:
            """Write the examples."""
            _write_examples(ctx, formatter)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Add the command that is meant."""
            if not ctx.resilient_parsing and (command := group.implied_command(args)):
                args = [command, *args]
            return super().parse_args(ctx, args)

    made = typer.Typer(
        name=group.name,
        help=group.help,
        no_args_is_help=not group.lists,
        cls=Group,
        rich_markup_mode=None,
    )
    for name, command in group.commands.items():
        made.command(name, cls=GroupedCommand)(typer_function(command, command_parameters(command)))
    return made


def typer_function(
    command: Callable[..., Any], declared: Sequence[DeclaredParameter]
) -> Callable[..., Any]:
    """Return a command that takes the options of its groups one by one, as Typer needs them.

    Args:
        command: the function.
        declared: its parameters.
    """
    groups = group_types(command)

    @wraps(command)
    def run(**values: Any) -> Any:  # Any: as Typer parsed them
        for name, group in groups.items():
            taken = {each.name: values.pop(each.name) for each in declared if each.group == name}
            values[name] = group(**taken)
        return run_command(command, values)

    parameters = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is REQUIRED else each.default,
            annotation=_typer_annotation(each),
        )
        for each in declared
    ]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    return run


def _typer_annotation(declared: DeclaredParameter) -> Any:
    info = declared.info
    if isinstance(info, Argument):
        return Annotated[declared.kind, typer.Argument(**info.settings)]
    return Annotated[declared.kind, typer.Option(*info.names, **info.settings)]


def _write_examples(ctx: Any, formatter: Any) -> None:  # Any: as below
    """Write the examples of a command at the end of its help."""
    with formatter.section("Examples"):
        for example in EXAMPLES.get(ctx.command_path, ()):
            formatter.write(f"{' ' * formatter.current_indent}{example}\n")


class GroupedCommand(TyperCommand):
    """A command whose help shows its options by group."""

    # Any: Typer's context and formatter have no public types.
    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options of this command alone, and then each group."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
                heading = getattr(parameter, "rich_help_panel", None) or usual
                sections.setdefault(heading, []).append(record)
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        _write_examples(ctx, formatter)
