"""A TOML table that is read key by key: what is of another type, or never asked for, is an error.

A person writes manifests by hand, and a misspelt key that is silently ignored costs an evening.
"""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from memcli.errors import InputError

T = TypeVar("T")
_NAMES = {str: "a text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}
_NAMES[bool] = "true or false"


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises:
        InputError: it cannot be read, or is no TOML; with the line.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}") from error


class Table:
    """One table of a file.

    Args:
        found: what it holds.
        where: the file, and the place in it, for errors.
    """

    def __init__(self, found: Mapping[str, Any], where: str) -> None:
        self._found, self._where = found, where
        self._asked: list[str] = []

    def take(self, key: str, kind: type[T], otherwise: T | None = None) -> T:
        """Return the value of a key, or `otherwise` where the key is not there.

        Raises:
            InputError: it has another type, or is not there and there is no `otherwise`.
        """
        self._asked.append(key)
        if key not in self._found:
            if otherwise is None:
                raise InputError(f"{self._where}: `{key}` is missing")
            return otherwise
        return self._checked(key, self._found[key], kind)

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """Return the value of a key, None where the key is not there."""
        self._asked.append(key)
        return self._checked(key, self._found[key], kind) if key in self._found else None

    def every(self, key: str, kind: type[T]) -> tuple[T, ...]:
        """Return a list of values of one type; none where the key is not there."""
        return tuple(
            self._checked(f"{key}[{at}]", value, kind)
            for at, value in enumerate(self.take(key, list, []))
        )

    def mapping(self, key: str, kind: type[T]) -> dict[str, T]:
        """Return a table whose keys are free and whose values have one type."""
        found = self.take(key, dict, {})
        return {name: self._checked(f"{key}.{name}", value, kind) for name, value in found.items()}

    def table(self, key: str) -> "Table | None":
        """Return a table inside this one, None where it is not there."""
        found = self.maybe(key, dict)
        return None if found is None else Table(found, f"{self._where}: [{key}]")

    def inner(self) -> "dict[str, Table]":
        """Return every table inside this one, whose keys are free."""
        return {
            key: Table(self._checked(key, found, dict), f"{self._where}: {key}")
            for key, found in self._found.items()
        }

    def tables(self, key: str) -> "list[Table]":
        """Return a list of tables inside this one."""
        return [
            Table(found, f"{self._where}: [[{key}]] {at}")
            for at, found in enumerate(self.every(key, dict), start=1)
        ]

    def done(self) -> None:
        """Say that every key was asked for.

        Raises:
            InputError: one was not.
        """
        for key in self._found:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, n=1)
                hint = f"did you mean `{near[0]}`" if near else f"known: {', '.join(self._asked)}"
                raise InputError(f"{self._where}: nothing is called `{key}`", hint=hint)

    def wrong(self, what: str) -> InputError:
        """Return the error that says what is wrong with this table."""
        return InputError(f"{self._where}: {what}")

    def _checked(self, key: str, value: Any, kind: type[T]) -> T:
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:  # bool is an int to isinstance
            raise self.wrong(f"`{key}` is {value!r}, not {_NAMES[kind]}")
        return value
