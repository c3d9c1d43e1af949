"""Typed access to JSON files that others wrote; every error names the file and the place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.typed_table import shorten_repr

T = TypeVar("T")

_LARGEST_NUMBER = (1 << 31) - 1  # of whole ones, which GGUF stores in 32 bits


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON object in a file. A place in it is written as `model.vocab`."""

    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "JsonFile":
        """Read a file.

        Raises:
            BackendError: the file is missing, cannot be read, or holds no JSON object.
        """
        try:
            content = json.loads(read_utf8(path))
        except (ValueError, RecursionError) as error:
            raise BackendError(f"{path} is not valid JSON: {error}") from error
        if not isinstance(content, dict):
            raise BackendError(f"{path} is not a JSON object")
        return cls(path, content)

    @classmethod
    def read_if_present(cls, path: Path) -> "JsonFile":
        """Read a file; return an empty object if there is none."""
        return cls.read(path) if path.is_file() else cls(path, {})

    def require(self, place: str, kind: type[T]) -> T:
        """Return the value at a place.

        Args:
            place: names of fields, joined by dots.
            kind: the type of the value; `float` also takes whole numbers, no number is a `bool`.
                Whole numbers are counts: from 0 to 2 147 483 647.

        Raises:
            BackendError: the place is missing, or its value has another type.
        """
        value = self.find(place)
        if value is None:
            raise BackendError(f"{self.path} has no {place}")
        if type(value) is int and not 0 <= value <= _LARGEST_NUMBER:
            raise BackendError(f"{self.path} has a number that is negative or absurd as {place}")
        if kind is float and type(value) is int:
            value = float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BackendError(f"{self.path} has {shorten_repr(value)} as {place}")
        return value

    def find(self, place: str) -> Any:  # Any: all that JSON can hold
        """Return the value at a place, None if it is missing."""
        value: Any = self.content
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value


def read_utf8(path: Path) -> str:
    """Return the content of a text file, with line feeds as line ends.

    Raises:
        BackendError: the file is missing, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError as error:
        raise BackendError(f"{path.parent} has no {path.name}") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BackendError(f"{path} is not UTF-8") from error
