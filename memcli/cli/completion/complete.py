"""What Tab offers: commands, options and values, each with what it is behind a tab.

A line is read by what is written down of the commands: to ask the commands themselves would be to
load Typer, and all that they need, at every press of the key.
"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from memcli.cli.completion import values
from memcli.cli.completion.command_table import Command, Parameter, written_down

_END = "\0"  # nobody can type it
_HELP = Parameter("--help", "Show what it does, and how.", "")
_UNKNOWN = Command((), "")


def offers(line: str) -> list[str]:
    """Return what could stand where a line ends.

    Args:
        line: what is typed so far, from `mem` on.
    """
    _, *words = _words(line)
    if not words:
        return []
    read = _Line(written_down())
    for word in words[:-1]:
        read.take(word)
    if read.database:
        os.environ["MEM_DB"] = str(Path(read.database).expanduser())  # as `app.root` does
    return list(read.offers(words[-1]))


class _Line:
    """A line, as far as it was read."""

    def __init__(self, command: Command) -> None:
        self.database = ""  # that it names
        self._command = command
        self._waiting: Parameter | None = None  # an option whose value comes next
        self._arguments = 0  # how many there were
        self._options = True  # whether there may be more

    def take(self, word: str) -> None:
        """Read one word."""
        if self._waiting:
            self._give(self._waiting, word)
        elif word == "--" and self._options:
            self._options = False
        elif self._options and word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            option = self._option(name)
            if option and option.metavar and equals:
                self._give(option, value)
            elif option and option.metavar:
                self._waiting = option
        elif self._command.inner:
            inner = (each for each in self._command.inner if each.words[-1] == word)
            self._command = next(inner, _UNKNOWN)
        else:
            self._arguments += 1

    def offers(self, last: str) -> Iterator[str]:
        """Yield what the last word could become."""
        name, equals, value = last.partition("=")
        if self._waiting:
            yield from _values(self._waiting, last)
        elif self._options and last.startswith("-") and equals:
            if option := self._option(name):
                yield from _values(option, value)
        elif self._options and last.startswith("-"):
            yield from (
                f"{name}\t{option.help}"
                for option in self._every_option()
                for name in option.names
                if name.startswith(last)
            )
        elif self._command.inner:
            yield from (
                f"{each.words[-1]}\t{each.summary}"
                for each in self._command.inner
                if each.words[-1].startswith(last)
            )
        elif argument := self._argument():
            yield from _values(argument, last)

    def _give(self, option: Parameter, value: str) -> None:
        self._waiting = None
        if "--db" in option.names:
            self.database = value

    def _every_option(self) -> list[Parameter]:
        return [*(each for each in self._command.parameters if each.is_option), _HELP]

    def _option(self, name: str) -> Parameter | None:
        """Return the option of this name; of letters that stand together, that of the last."""
        name = name if name.startswith("--") else f"-{name[-1]}"
        return next((each for each in self._every_option() if name in each.names), None)

    def _argument(self) -> Parameter | None:
        """Return the argument that comes next."""
        all_of_them = [each for each in self._command.parameters if not each.is_option]
        if all_of_them and all_of_them[-1].repeats:
            return all_of_them[min(self._arguments, len(all_of_them) - 1)]
        return next(iter(all_of_them[self._arguments :]), None)


def _values(parameter: Parameter, beginning: str) -> Iterator[str]:
    yield from (choice for choice in parameter.choices if choice.startswith(beginning))
    if parameter.completes:
        yield from getattr(values, parameter.completes)(beginning)


def _words(line: str) -> list[str]:
    """Return the words of a line as a shell divides it, the last one as far as it is typed."""
    reading = shlex.shlex(f"{line}{_END}", posix=True)
    reading.whitespace_split, reading.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(reading)
    except ValueError:  # it ends between quotation marks
        words.append(reading.token)
    return [*words[:-1], words[-1].removesuffix(_END)]
