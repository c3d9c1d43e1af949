"""The commands and their parameters, as values; `tree` reads them off the functions themselves.

What it read is kept in `commands.json`, which `generate` writes: Tab is answered from there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITTEN_DOWN = Path(__file__).with_name("commands.json")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or an option of a command."""

    form: str  # how it is typed: "[PATH...]", "-n, --limit N"
    help: str
    metavar: str  # "" for a flag
    choices: tuple[str, ...] = ()  # every value it can have, where they are few
    completes: str = ""  # the function of `completion` that offers values; "" if none does

    @property
    def is_option(self) -> bool:
        """Whether it begins with a dash."""
        return self.form.startswith("-")

    @property
    def names(self) -> list[str]:
        """What an option is typed as: `-n`, `--limit`."""
        return self.form.removesuffix(f" {self.metavar}").split(", ")

    @property
    def repeats(self) -> bool:
        """Whether an argument takes all words that follow."""
        return "..." in self.metavar


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of them."""

    words: tuple[str, ...]  # "mem", "models", "pull"
    text: str  # what it does, in paragraphs; the first sentence stands alone
    parameters: tuple[Parameter, ...] = ()
    inner: tuple["Command", ...] = ()  # of a group

    @property
    def name(self) -> str:
        """What is typed: `mem models pull`."""
        return " ".join(self.words)

    @property
    def summary(self) -> str:
        """The first sentence, as the middle of a line: no capital, no full stop."""
        first = " ".join(self.text.partition("\n\n")[0].split()).partition(". ")[0].rstrip(".")
        return first[:1].lower() + first[1:]

    def all(self) -> Iterator["Command"]:
        """Yield every command that can be run, at whatever depth."""
        if not self.inner:
            yield self
        for each in self.inner:
            yield from each.all()


def written_down() -> Command:
    """Return `mem` with all its commands, without asking them."""
    return _command(json.loads(WRITTEN_DOWN.read_bytes()))


def _command(found: Mapping[str, Any]) -> Command:
    return Command(
        tuple(found["words"]),
        found["text"],
        tuple(
            Parameter(**{**each, "choices": tuple(each["choices"])}) for each in found["parameters"]
        ),
        tuple(map(_command, found["inner"])),
    )
