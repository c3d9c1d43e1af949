"""Describes the commands and their parameters as values.

They are read from signatures and docstrings, not from the parser that Typer builds of them: since
0.26 that parser is a private copy of Click.
"""

import inspect
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from memcli.cli.app import root
from memcli.cli.completion.command_table import Command, Parameter
from memcli.cli.help.command_names import COMMANDS
from memcli.cli.parsing.parameters import (
    REQUIRED,
    Argument,
    CommandGroup,
    DeclaredParameter,
    command_parameters,
    declared_parameters,
)
from memcli.cli.parsing.parse_words import load_command

METAVARS = {int: "N", float: "N", str: "TEXT", Path: "FILE"}


def describe_commands() -> Command:
    """Return `mem` with all its commands."""
    commands = tuple(_describe(("mem", name), load_command(name)) for name in COMMANDS)
    parameters = _describe_parameters(declared_parameters(root))
    return Command(("mem",), _docstring(root), tuple(parameters), commands)


def _describe(words: tuple[str, ...], command: Callable[..., None] | CommandGroup) -> Command:
    """Return a command, or a group with its commands."""
    if isinstance(command, CommandGroup):
        inner = [_describe((*words, name), each) for name, each in command.commands.items()]
        return Command(words, command.help, (), tuple(inner))
    parameters = _describe_parameters(command_parameters(command))
    return Command(words, _docstring(command), tuple(parameters))


def _describe_parameters(declared: list[DeclaredParameter]) -> list[Parameter]:
    """Return parameters as they are printed: those without a group first, then group by group."""
    parameters = [
        _describe_parameter(each) for each in declared if not each.info.settings.get("hidden")
    ]
    groups = list(dict.fromkeys(("", *(each.group for each in parameters))))
    return sorted(parameters, key=lambda each: groups.index(each.group))


def _describe_parameter(declared: DeclaredParameter) -> Parameter:
    kind, settings = declared.kind, declared.info.settings
    kinds = get_args(kind) or (kind,)
    group = settings.get("rich_help_panel", "")
    metavar = settings.get("metavar") or METAVARS.get(kinds[0], declared.name.upper())
    text = settings.get("help", "")
    completes = getattr(settings.get("autocompletion"), "__name__", "")
    if "envvar" in settings:
        text += f" [env: {settings['envvar']}]"
    if isinstance(declared.info, Argument):
        return Parameter(metavar, text, metavar, _choices(kind), completes)
    form = ", ".join(sorted(declared.info.names, key=len))
    if kind is bool:
        return Parameter(form, text, "", group=group)
    default = declared.default
    if default not in (None, REQUIRED):
        value = f"{default:g}" if isinstance(default, int | float) else str(default)
        text = f"{text} [default: {value}]"
    return Parameter(f"{form} {metavar}", text, metavar, _choices(kind), completes, group)


def _choices(kind: Any) -> tuple[str, ...]:
    """Return the values of an enumeration or Literal, which may also be None; else nothing."""
    for one in (kind, *get_args(kind)):
        if get_origin(one) is Literal:
            return get_args(one)
        if isinstance(one, type) and issubclass(one, Enum):
            return tuple(each.value for each in one)
    return ()


def _docstring(command: Callable[..., Any]) -> str:
    return inspect.getdoc(command) or ""
