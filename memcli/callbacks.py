"""Callbacks that long work reports through."""

from collections.abc import Callable
from typing import TypeAlias

NoteCallback: TypeAlias = Callable[[str], None]  # takes a sentence for the person, no full stop


def ignore(*_arguments: object) -> None:
    """Do nothing: the callback of a caller that wants no reports."""
