"""The head of a file: the part by which its format is recognised."""

from functools import cached_property
from typing import Any

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import parse_prefix
from memcli.formats.parsing.sqlite import table_columns
from memcli.lazy_dataclasses import dataclass

HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class Sample:
    """The head of a document, which is all that a format may look at to recognise it."""

    name: str
    head: bytes  # at most HEAD_BYTES
    document: Document | None = None  # gives access to the tables of a database

    @cached_property
    def text(self) -> str:
        """The head as text without a byte order mark; bytes that are not UTF-8 are replaced."""
        return self.head.decode("utf-8-sig", "replace")

    @cached_property
    def json(self) -> Any:  # Any: JSON values have all types
        """The head as JSON, closed where it breaks off; None if it is not JSON."""
        return parse_prefix(self.text)

    @cached_property
    def elements(self) -> list[dict[str, Any]]:
        """The objects of the top-level list, or the one top-level object.

        A list under a top-level key "conversations" counts as the top-level list.
        """
        top = self.json
        if isinstance(top, dict) and isinstance(top.get("conversations"), list):
            top = top["conversations"]
        values = top if isinstance(top, list) else [top]
        return [value for value in values if isinstance(value, dict)]

    @cached_property
    def tables(self) -> dict[str, set[str]]:
        """The columns of each table of a database; empty if the document is not a database."""
        return table_columns(self.document, self.head) if self.document else {}
