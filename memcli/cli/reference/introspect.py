"""Describes the commands and their parameters as values.

They are read from signatures and docstrings, not from the parser that Typer builds of them: since
0.26 that parser is a private copy of Click.
"""

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from memcli.cli.app import COMMANDS, command_tree
from memcli.cli.completion.command_table import Command, Parameter

METAVARS = {int: "N", float: "N", str: "TEXT", Path: "FILE"}


def describe_commands() -> Command:
    """Return `mem` with all its commands."""
    app = command_tree()
    root = app.registered_callback
    assert root
    assert root.callback
    return _describe_group(
        app, "mem", (), _docstring(root.callback), tuple(_describe_parameters(root.callback))
    )


def _describe_group(
    group: typer.Typer,
    name: str,
    before: tuple[str, ...],
    text: str,
    parameters: tuple[Parameter, ...] = (),
) -> Command:
    words = (*before, name)
    inner = [
        _describe_group(each.typer_instance, str(info.name), words, str(info.help or ""))
        for each in group.registered_groups
        if each.typer_instance and (info := each.typer_instance.info)
    ]
    commands = [
        Command(
            (*words, each.name or each.callback.__name__.replace("_", "-")),
            _docstring(each.callback),
            tuple(_describe_parameters(each.callback)),
        )
        for each in group.registered_commands
        if each.callback and not each.hidden
    ]
    found = {each.words[-1]: each for each in (*commands, *inner)}
    if not before:  # Typer has groups after all other commands
        found = {name: found[name] for name in COMMANDS}
    return Command(words, text, parameters, tuple(found.values()))


def _describe_parameters(command: Callable[..., Any]) -> list[Parameter]:
    """Return the parameters of a command: those without a group first, then group by group."""
    parameters = list(_declared_parameters(command))
    groups = list(dict.fromkeys(("", *(each.group for each in parameters))))
    return sorted(parameters, key=lambda each: groups.index(each.group))


def _declared_parameters(command: Callable[..., Any]) -> Iterator[Parameter]:
    defaults = inspect.signature(command).parameters
    for name, hint in get_type_hints(command, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, info = get_args(hint)
            if not info.hidden:
                yield _describe_parameter(name, kind, info, defaults[name].default)


def _describe_parameter(
    name: str, kind: Any, info: ArgumentInfo | OptionInfo, default: Any
) -> Parameter:
    kinds = get_args(kind) or (kind,)
    group = info.rich_help_panel or ""
    metavar = info.metavar or METAVARS.get(kinds[0], name.upper())
    text, completes = info.help or "", getattr(info.autocompletion, "__name__", "")
    if info.envvar:
        text += f" [env: {info.envvar}]"
    if isinstance(info, ArgumentInfo):
        return Parameter(metavar, text, metavar, _choices(kind), completes)
    # Inside Annotated, Typer keeps the first name of an option in `default`.
    form = ", ".join(sorted((str(info.default), *(info.param_decls or ())), key=len))
    if kind is bool:
        return Parameter(form, text, "", group=group)
    if default not in (None, inspect.Parameter.empty):
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
