"""A table of TOML or an object of JSON that is read key by key, each value with its type.

People write settings, manifests and memories by hand, and a misspelt key that is silently ignored
costs an evening. So every error names the file, the place in it, the key and the value.
"""

from collections.abc import Mapping
from math import isfinite
from reprlib import Repr
from typing import Any, Literal, TypeVar

from memcli.errors import InputError, suggest_near

T = TypeVar("T")
Syntax = Literal["TOML", "JSON"]

_TYPE_NAMES: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
}
_LARGEST_NUMBER = 1 << 63  # as TOML says; Python reads any
_LONGEST_SHOWN = 80  # characters of a wrong value that an error shows


class TypedTable:
    """A table whose values are checked when they are asked for.

    Args:
        content: the table as a parser returned it.
        where: the file and the place in it, which begins every error; empty if the caller says it.
        syntax: the language of the file, which decides how errors call a table and a place.

    Raises:
        InputError: the content is no table.
    """

    def __init__(self, content: object, where: str = "", *, syntax: Syntax = "TOML") -> None:
        self.where = where
        self._syntax: Syntax = syntax
        if not isinstance(content, dict):
            shown = shorten_repr(content)
            raise InputError(f"{where or 'it'} is {shown}, not {self._type_name(dict)}")
        self.content: Mapping[str, Any] = content
        self._known_keys: list[str] = []

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Return the value of a key, or the default if the key is missing or null.

        Args:
            key: the name.
            kind: the type of the value. `float` also takes whole numbers, `int` no `bool`.
            default: the value of a missing key; without it the key is required.

        Raises:
            InputError: the value has another type; or the key is missing and has no default.
        """
        found = self.get_optional(key, kind)
        if found is None and default is None:
            raise self.error(f"`{key}` is missing")
        return default if found is None else found  # type: ignore[return-value]  # one is not None

    def get_optional(self, key: str, kind: type[T]) -> T | None:
        """Return the value of a key, None if the key is missing or null.

        Raises:
            InputError: the value has another type.
        """
        self._known_keys.append(key)
        value = self.content.get(key)
        return None if value is None else self._check_type(key, value, kind)

    def get_list(self, key: str, kind: type[T]) -> tuple[T, ...]:
        """Return a list whose values have one type, empty if the key is missing.

        Raises:
            InputError: the value is no list, or one of its values has another type.
        """
        return tuple(
            self._check_type(f"{key}[{number}]", value, kind)
            for number, value in enumerate(self.get(key, list, []))
        )

    def get_mapping(self, key: str, kind: type[T]) -> dict[str, T]:
        """Return a table with any keys whose values have one type, empty if the key is missing.

        Raises:
            InputError: the value is no table, or one of its values has another type.
        """
        found = self.get(key, dict, {})
        return {
            name: self._check_type(f"{key}.{name}", value, kind) for name, value in found.items()
        }

    def get_table(self, key: str) -> "TypedTable | None":
        """Return the table under a key, None if the key is missing.

        Raises:
            InputError: the value is no table.
        """
        self._known_keys.append(key)
        value = self.content.get(key)
        place = f"[{key}]" if self._syntax == "TOML" else f"`{key}`"
        return None if value is None else self._inner(value, place)

    def get_tables(self, key: str) -> "list[TypedTable]":
        """Return the list of tables under a key, empty if the key is missing.

        Raises:
            InputError: the value is no list, or one of its values is no table.
        """
        place = f"[[{key}]]" if self._syntax == "TOML" else f"`{key}`"
        return [
            self._inner(value, f"{place} {number}")
            for number, value in enumerate(self.get(key, list, []), start=1)
        ]

    def subtables(self) -> "dict[str, TypedTable]":
        """Return every value of this table, all of which must be tables, by its key.

        Raises:
            InputError: a value is no table.
        """
        return {
            key: self._inner(self._check_type(key, value, dict), key)
            for key, value in self.content.items()
        }

    def reject_unknown_keys(self) -> None:
        """Check that every key was asked for.

        Raises:
            InputError: a key was not; the hint names the nearest known one.
        """
        for key in self.content:
            if key not in self._known_keys:
                known = f"known: {', '.join(self._known_keys)}"
                hint = suggest_near(key, self._known_keys, known)
                raise self.error(f"unknown key `{key}`", hint=hint)

    def error(self, problem: str, *, hint: str | None = None) -> InputError:
        """Return the error that says what is wrong with this table."""
        return InputError(f"{self.where}: {problem}" if self.where else problem, hint=hint)

    def _inner(self, value: object, place: str) -> "TypedTable":
        where = f"{self.where}: {place}" if self.where else place
        return TypedTable(value, where, syntax=self._syntax)

    def _check_type(self, key: str, value: Any, kind: type[T]) -> T:
        """Return the value if its type is exactly the wanted one: a bool is an int otherwise."""
        if type(value) is int and abs(value) >= _LARGEST_NUMBER:
            raise self.error(f"`{key}` is a number with more than 64 bits")
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is float and not isfinite(value):
            raise self.error(f"`{key}` is {value}, not a finite number")
        if type(value) is not kind:
            raise self.error(f"`{key}` is {shorten_repr(value)}, not {self._type_name(kind)}")
        return value

    def _type_name(self, kind: type) -> str:
        if kind is dict:
            return "a table" if self._syntax == "TOML" else "a JSON object"
        return _TYPE_NAMES[kind]


def shorten_repr(value: object) -> str:
    """Return the value as Python writes it, cut where it is too long or too deep for an error."""
    if isinstance(value, int) and abs(value) >= _LARGEST_NUMBER:
        return "a number with more than 64 bits"
    short = Repr()
    short.maxstring = short.maxlong = short.maxother = _LONGEST_SHOWN
    return short.repr(value)
