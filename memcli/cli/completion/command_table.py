"""The commands and their parameters, as values.

`reference.introspect` reads them from the functions themselves, and `reference.generate` writes
them to `commands.json`. Tab is answered from that file, because to import the commands takes longer
than a person waits.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from memcli.lazy_dataclasses import dataclass

COMMAND_TABLE = Path(__file__).with_name("commands.json")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or an option of a command."""

    form: str  # the way it is typed: "[PATH...]", "-n, --limit N"
    help: str
    metavar: str  # "" for a flag
    choices: tuple[str, ...] = ()  # every possible value, if they are few
    completer: str = ""  # the function in `values` that offers values; "" if there is none
    group: str = ""  # the heading of its group of options; "" for none

    @property
    def is_option(self) -> bool:
        """True if it begins with a dash."""
        return self.form.startswith("-")

    @property
    def names(self) -> list[str]:
        """The names of an option: `-n`, `--limit`."""
        return self.form.removesuffix(f" {self.metavar}").split(", ")

    @property
    def repeats(self) -> bool:
        """True if an argument takes all the words that follow."""
        return "..." in self.metavar


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of them."""

    words: tuple[str, ...]  # "mem", "models", "pull"
    text: str  # its help, in paragraphs; the first sentence is its summary
    parameters: tuple[Parameter, ...] = ()
    commands: tuple["Command", ...] = ()  # the commands of a group

    @property
    def name(self) -> str:
        """The words that are typed: `mem models pull`."""
        return " ".join(self.words)

    @property
    def summary(self) -> str:
        """The first sentence of the help, without its capital letter and full stop."""
        first = " ".join(self.text.partition("\n\n")[0].split()).partition(". ")[0].rstrip(".")
        return first[:1].lower() + first[1:]

    def all(self) -> Iterator["Command"]:
        """Yield every command that can be run: itself, or all those of a group."""
        if not self.commands:
            yield self
        for each in self.commands:
            yield from each.all()


def load_command_table() -> Command:
    """Return `mem` with all its commands, from the file, without importing them."""
    return _command(json.loads(COMMAND_TABLE.read_bytes()))


def _command(found: Mapping[str, Any]) -> Command:  # Any: values of JSON
    return Command(
        tuple(found["words"]),
        found["text"],
        tuple(
            Parameter(**{**each, "choices": tuple(each["choices"])}) for each in found["parameters"]
        ),
        tuple(map(_command, found["commands"])),
    )
