"""Chats in JSON whose messages come in a list or an object, beside what describes the chat."""

from collections.abc import Iterator, Sequence
from typing import Any

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Edge, JsonPath, scan_json

Details = dict[JsonPath, Any]  # Any: JSON values have all types


def read_messages(
    document: Document, messages: Sequence[JsonPath], details: Sequence[JsonPath]
) -> Iterator[tuple[JsonPath, Details, Any]]:
    """Yield (path, details, message) for each message.

    Details that come after the messages are read first, in a scan of their own.

    Args:
        document: a file of JSON.
        messages: paths of the messages; "*" stands for any key.
        details: paths of the values that describe the chats. The last value at a path counts.

    Raises:
        InputError: as `json_stream.scan` does.
    """
    found: Details = {}
    for path, value in scan_json(document, [*messages, *details]):
        if path in details:
            found[path] = value
        elif isinstance(value, Edge) or not any(_matches(path, each) for each in messages):
            continue
        else:
            if not found and details:
                found |= _read_details(document, details)
            yield path, found, value


def _read_details(document: Document, details: Sequence[JsonPath]) -> Details:
    """Return the details, wherever they stand in the document."""
    found: Details = dict.fromkeys(details)
    for path, value in scan_json(document, details):
        if path in details:
            found[path] = value
    return found


def _matches(path: JsonPath, pattern: JsonPath) -> bool:
    """Return whether a path is one that a pattern stands for."""
    return len(path) == len(pattern) and all(
        wanted in ("*", step) for step, wanted in zip(path, pattern, strict=True)
    )
