"""The parameters of commands as values: the parser, the help and the manual are made of them.

A parameter of a command is `Annotated` with an `Option` or `Argument`. Neither imports Typer, which
is loaded only to explain what was typed wrongly, and to print help.
"""

import gc
from collections.abc import Callable, Mapping
from typing import Any, get_args

from memcli.cli.output.console import hide_remarks
from memcli.lazy_dataclasses import dataclass, field


class Option:
    """An option: its names, and settings that `typer.Option` takes, too."""

    def __init__(self, *names: str, **settings: Any) -> None:  # Any: of each setting its own type
        self.names = names
        self.settings = settings


class Argument:
    """An argument, with settings that `typer.Argument` takes, too."""

    names: tuple[str, ...] = ()

    def __init__(self, **settings: Any) -> None:  # Any: of each setting its own type
        self.settings = settings


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    """A parameter that a person can type."""

    name: str  # in Python
    kind: Any  # its type
    info: Option | Argument
    default: Any  # REQUIRED if there is none
    group: str = ""  # the parameter of the command whose group of options it belongs to


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """A group of commands: `mem models list`."""

    name: str
    help: str
    commands: Mapping[str, Callable[..., None]] = field(default_factory=dict)
    lists: bool = False  # whether it runs `list` if no command is named
    shown: str = ""  # how ids begin for which it runs `show` if no command is named

    def implied_command(self, words: list[str]) -> str:
        """Return the command that is meant if none is named; "" if one must be."""
        if self.shown and words and words[0].startswith(self.shown):
            return "show"
        option_first = words and words[0].startswith("-") and words[0] not in ("-h", "--help")
        return "list" if self.lists and (not words or option_first) else ""


REQUIRED = object()
QUIET = Option("--quiet", "-q", rich_help_panel="Output", help="Print only the result.")


def declared_parameters(command: Callable[..., Any]) -> list[DeclaredParameter]:
    """Return the parameters of a command, in order; those of a group of options one by one."""
    found = []
    for name, kind in command.__annotations__.items():
        if isinstance(kind, type):  # a group of options
            found += _fields(kind, name)
        elif hasattr(kind, "__metadata__"):  # it is `Annotated`
            found.append(_declare(name, kind, _defaults(command).get(name, REQUIRED)))
    return found


def command_parameters(command: Callable[..., Any]) -> list[DeclaredParameter]:
    """Return the parameters of a command, and `--quiet`, which every command has."""
    found = declared_parameters(command)
    if not any(each.name == "quiet" for each in found):
        found.append(DeclaredParameter("quiet", bool, QUIET, False))
    return found


def run_command(command: Callable[..., Any], values: dict[str, Any]) -> Any:
    """Run a command; `--quiet` hides remarks, also if the command itself does not know of it.

    Args:
        command: the function.
        values: of its parameters, those of groups as objects.
    """
    groups = [values[name] for name in group_types(command)]
    hide_remarks(values.get("quiet", False) or any(getattr(one, "quiet", 0) for one in groups))
    if "quiet" not in command.__annotations__:
        values.pop("quiet", None)
    if not gc.isenabled():  # see `main`
        gc.freeze()
        gc.enable()
    return command(**values)


def group_types(command: Callable[..., Any]) -> dict[str, type]:
    """Return the groups of options of a command, by the name of its parameter."""
    return {
        name: kind
        for name, kind in command.__annotations__.items()
        if isinstance(kind, type) and name != "return"
    }


def _fields(group: Any, name: str) -> list[DeclaredParameter]:
    """Return the options of a group; a subclass may declare one anew."""
    kinds: dict[str, Any] = {}
    for each in reversed(group.__mro__[:-1]):
        kinds |= each.__annotations__
    defaults = group.__lazy_fields__
    return [
        _declare(each, kind, defaults[each].options.get("default", REQUIRED), name)
        for each, kind in kinds.items()
    ]


def _declare(name: str, kind: Any, default: Any, group: str = "") -> DeclaredParameter:
    plain, info = get_args(kind)
    return DeclaredParameter(name, plain, info, default, group)


def _defaults(command: Any) -> dict[str, Any]:
    code = command.__code__
    positional = code.co_varnames[: code.co_argcount]
    given = command.__defaults__ or ()
    return {
        **dict(zip(positional[len(positional) - len(given) :], given, strict=True)),
        **(command.__kwdefaults__ or {}),
    }
