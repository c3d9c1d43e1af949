"""The parser of the words after `mem`: right usage is parsed here, in a millisecond.

Everything else, help included, is left to Typer, which takes longer to load than most commands run.
`parse_words` returns None for it, and never guesses.
"""

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from memcli.cli.help.command_names import COMMANDS
from memcli.cli.parsing.parameters import (
    REQUIRED,
    CommandGroup,
    DeclaredParameter,
    Option,
    command_parameters,
    group_types,
)
from memcli.errors import MemError
from memcli.lazy_dataclasses import dataclass

_NUMBERS = (int, float)
_ON = "on"  # stands for a flag that was typed
_PLAIN_TYPES: dict[Any, Callable[[str], Any]] = {str: str, int: int, float: float, Path: Path}


class _DoubtError(Exception):
    """The words are not, or not surely, right usage."""


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command, and the values of its parameters."""

    run: Callable[..., None]
    values: dict[str, Any]  # by parameter; those of groups are objects


def load_command(name: str) -> Callable[..., None] | CommandGroup:
    """Import a command, or a group of commands."""
    command: Callable[..., None] | CommandGroup = getattr(
        import_module(f"memcli.cli.commands.{name}"), name
    )
    return command


def parse_words(words: Sequence[str]) -> ParsedCommand | None:
    """Return the command that the words after `mem` name, and its values; None if in doubt."""
    left = list(words)
    database = ""
    if left and left[0] == "--db" and len(left) > 1:
        database, left = left[1], left[2:]
    elif left and left[0].startswith("--db="):
        database, left = left[0].removeprefix("--db="), left[1:]
    if not left or left[0] not in COMMANDS:
        return None
    command = load_command(left.pop(0))
    if isinstance(command, CommandGroup):
        if implied := command.implied_command(left):
            left.insert(0, implied)
        if not left or left[0] not in command.commands:
            return None
        command = command.commands[left.pop(0)]
    variables = dict(os.environ)
    if database:
        variables["MEM_DB"] = str(Path(database))
    try:
        parsed = ParsedCommand(command, _values(command, left, variables))
    except _DoubtError:
        return None
    os.environ.update(variables)  # a `--db` before the command is the default of its own
    return parsed


def _values(
    command: Callable[..., None], words: Sequence[str], variables: dict[str, str]
) -> dict[str, Any]:
    declared = command_parameters(command)
    typed, arguments = _options(declared, words)
    _assign_arguments([each for each in declared if not each.info.names], arguments, typed)
    values: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {name: {} for name in group_types(command)}
    for each in declared:
        target = groups[each.group] if each.group else values
        target[each.name] = _value(each, typed.get(each.name, []), variables)
    for name, kind in group_types(command).items():
        values[name] = kind(**groups[name])
    return values


def _options(
    declared: Sequence[DeclaredParameter], words: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the texts that each option was given, and the words that are no options."""
    options = {
        name: (each, not index)  # the second of two names, as in `--x/--no-x`, means False
        for each in declared
        for names in each.info.names
        for index, name in enumerate(names.split("/"))
    }
    typed: dict[str, list[str]] = {}
    arguments: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            arguments += rest
        elif not word.startswith("-") or word == "-":
            arguments.append(word)
        else:
            name, equals, text = word.partition("=")
            if name not in options or (equals and not name.startswith("--")):
                raise _DoubtError
            option, on = options[name]
            if _is_flag(option):
                if equals:
                    raise _DoubtError
                text = _ON if on else ""
            elif not equals:
                text = next(rest, "--")
                if text.startswith("-") and text != "-":  # missing, or begins like an option
                    raise _DoubtError
            typed.setdefault(option.name, []).append(text)
    return typed, arguments


def _assign_arguments(
    declared: Sequence[DeclaredParameter], words: list[str], typed: dict[str, list[str]]
) -> None:
    """Give each argument its word, and a list at the end all those that are left."""
    for each in declared:
        if _list_item(each.kind):
            typed[each.name], words = words, []
        elif words:
            typed[each.name] = [words.pop(0)]
    if words:
        raise _DoubtError


def _value(declared: DeclaredParameter, texts: list[str], variables: dict[str, str]) -> Any:
    if _is_flag(declared):
        return texts[-1] == _ON if texts else declared.default
    name = declared.info.settings.get("envvar")
    item = _list_item(declared.kind)
    if not texts and name and variables.get(name):
        if item:
            raise _DoubtError
        texts = [variables[name]]
    if not texts:
        if declared.default is REQUIRED:
            raise _DoubtError
        return declared.default
    if item:
        return [_convert(item, declared, text) for text in texts]
    return _convert(declared.kind, declared, texts[-1])


def _convert(kind: Any, declared: DeclaredParameter, text: str) -> Any:
    """Return the value of a text."""
    settings = declared.info.settings
    parser = settings.get("parser")
    [kind] = _without_none(kind)
    if not text and isinstance(declared.info, Option) and not parser:
        raise _DoubtError
    try:
        if parser:
            return parser(text)
        if get_origin(kind) is Literal:
            if text not in get_args(kind):
                raise _DoubtError
            return text
        value = _PLAIN_TYPES[kind](text)
    except (ValueError, KeyError, MemError) as error:
        raise _DoubtError from error
    if kind in _NUMBERS and not (settings.get("min", value) <= value <= settings.get("max", value)):
        raise _DoubtError
    return value


def _is_flag(declared: DeclaredParameter) -> bool:
    return _without_none(declared.kind) == [bool]


def _list_item(kind: Any) -> Any:
    """Return the type of the items of a list; None of anything else."""
    [one, *more] = _without_none(kind)
    return get_args(one)[0] if not more and get_origin(one) is list else None


def _without_none(kind: Any) -> list[Any]:
    if get_origin(kind) in (Union, UnionType):
        return [each for each in get_args(kind) if each is not NoneType]
    return [kind]
