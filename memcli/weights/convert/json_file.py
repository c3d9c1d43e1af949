"""JSON that somebody else wrote: what is missing or odd in it is named."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from memcli.errors import BackendError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON object in a file. A place in it is written as `model.vocab`."""

    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "JsonFile":
        """Read a file.

        Raises:
            BackendError: it is missing, cannot be read, or holds no JSON object.
        """
        try:
            content = json.loads(read_text(path))
        except (ValueError, RecursionError) as error:
            raise BackendError(f"{path} is no JSON: {error}") from error
        if not isinstance(content, dict):
            raise BackendError(f"{path} is no JSON object")
        return cls(path, content)

    @classmethod
    def read_if_there(cls, path: Path) -> "JsonFile":
        """Read a file, or take an empty object where there is none."""
        return cls.read(path) if path.is_file() else cls(path, {})

    def take(self, place: str, kind: type[T]) -> T:
        """Return what is at a place.

        Args:
            place: names of fields, joined by dots.
            kind: the type it must have; `float` takes whole numbers too, no number is a `bool`.

        Raises:
            BackendError: nothing is there, or something else.
        """
        found = self.look(place)
        if found is None:
            raise BackendError(f"{self.path} has no {place}")
        if kind is float and type(found) is int:
            found = float(found)
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise BackendError(f"{self.path} has {_shown(found)} as {place}")
        return found

    def look(self, place: str) -> Any:  # Any: whatever JSON holds
        """Return what is at a place, None where nothing is."""
        found: Any = self.content
        for name in place.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found


def read_text(path: Path) -> str:
    """Return a text file's content.

    Raises:
        BackendError: it is missing, cannot be read, or is no UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError as error:
        raise BackendError(f"{path.parent} has no {path.name}") from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BackendError(f"{path} is no UTF-8 text") from error


def _shown(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:57]}..."
