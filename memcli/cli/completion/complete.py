"""The offers of the Tab key: commands, options and values, each with its description after a tab.

A line is parsed with the table of commands. To import the commands themselves would load Typer and
all that they need at every press of the key.
"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from memcli.cli.completion import values
from memcli.cli.completion.command_table import Command, Parameter, load_command_table

_END = "\0"  # marks the end of a line; it cannot be typed
_HELP = Parameter("-h, --help", "Show the help of this command.", "")
_UNKNOWN = Command((), "")


def complete_line(line: str) -> list[str]:
    """Return the possible continuations of a line, each with a tab and its description.

    Args:
        line: the line as typed so far, beginning with `mem`.
    """
    _, *words = _split(line)
    if not words:
        return []
    parsed = _ParsedLine(load_command_table())
    for word in words[:-1]:
        parsed.add(word)
    if parsed.database:
        os.environ["MEM_DB"] = str(Path(parsed.database).expanduser())  # as `app.root` does
    return list(parsed.offers(words[-1]))


class _ParsedLine:
    """The part of a line that was parsed, and the offers for the word after it."""

    def __init__(self, command: Command) -> None:
        self.database = ""  # the value of `--db` in the line
        self._command = command
        self._waiting: Parameter | None = None  # an option whose value comes next
        self._arguments = 0  # the number of arguments so far
        self._options_allowed = True  # false after `--`

    def add(self, word: str) -> None:
        """Parse one more word."""
        if self._waiting:
            self._set_value(self._waiting, word)
        elif word == "--" and self._options_allowed:
            self._options_allowed = False
        elif self._options_allowed and word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            option = self._option(name)
            if option and option.metavar and equals:
                self._set_value(option, value)
            elif option and option.metavar:
                self._waiting = option
        elif self._command.commands:
            inner = (each for each in self._command.commands if each.words[-1] == word)
            self._command = next(inner, _UNKNOWN)
        else:
            self._arguments += 1

    def offers(self, last: str) -> Iterator[str]:
        """Yield the possible continuations of the last word."""
        name, equals, value = last.partition("=")
        if self._waiting:
            yield from _values(self._waiting, last)
        elif self._options_allowed and last.startswith("-") and equals:
            if option := self._option(name):
                yield from _values(option, value)
        elif self._options_allowed and last.startswith("-"):
            yield from (
                f"{name}\t{option.group}: {option.help}"
                if option.group
                else f"{name}\t{option.help}"
                for option in self._every_option()
                for name in option.names
                if name.startswith(last)
            )
        elif self._command.commands:
            yield from (
                f"{each.words[-1]}\t{each.summary}"
                for each in self._command.commands
                if each.words[-1].startswith(last)
            )
        elif argument := self._argument():
            yield from _values(argument, last)

    def _set_value(self, option: Parameter, value: str) -> None:
        self._waiting = None
        if "--db" in option.names:
            self.database = value

    def _every_option(self) -> list[Parameter]:
        return [*(each for each in self._command.parameters if each.is_option), _HELP]

    def _option(self, name: str) -> Parameter | None:
        """Return the option of this name; of letters typed together, the option of the last one."""
        name = name if name.startswith("--") else f"-{name[-1]}"
        return next((each for each in self._every_option() if name in each.names), None)

    def _argument(self) -> Parameter | None:
        """Return the argument that comes next."""
        arguments = [each for each in self._command.parameters if not each.is_option]
        if arguments and arguments[-1].repeats:
            return arguments[min(self._arguments, len(arguments) - 1)]
        return next(iter(arguments[self._arguments :]), None)


def _values(parameter: Parameter, beginning: str) -> Iterator[str]:
    yield from (choice for choice in parameter.choices if choice.startswith(beginning))
    if parameter.completer:
        yield from getattr(values, parameter.completer)(beginning)


def _split(line: str) -> list[str]:
    """Return the words of a line as a shell divides it, the last one as far as it is typed."""
    lexer = shlex.shlex(f"{line}{_END}", posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # the line ends inside quotation marks
        words.append(lexer.token)
    return [*words[:-1], words[-1].removesuffix(_END)]
