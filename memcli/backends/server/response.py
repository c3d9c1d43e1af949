"""Bounded reading of a server's reply: one JSON text, or server-sent events."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx2 import Response

_DONE = b"[DONE]"
STREAM_END: Any = object()  # is yielded in place of `[DONE]`; Any: events are values of JSON


class InvalidReplyError(Exception):
    """A reply that does not follow the API. The message goes on after the server's address.

    It may quote the server, so it may hold any text, even our key.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def read_body(response: "Response", max_bytes: int) -> bytes:
    """Return the body of a reply.

    Raises:
        InvalidReplyError: it is longer than `max_bytes`.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise InvalidReplyError(f"answers with more than {max_bytes:,} bytes")
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        InvalidReplyError: it is no JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        start = body[:40].decode("utf-8", "replace").strip()
        raise InvalidReplyError(f"answers with something that is not JSON: {start!r}") from error


def describe_error(response: "Response", max_bytes: int) -> str:
    """Return the message of a reply that is an error: plain text, or a known place of the JSON."""
    kind = _content_type(response)
    try:
        body = read_body(response, max_bytes)
        if kind == "text/plain":  # TEI, and whatever refuses a request before it is parsed
            return body.decode("utf-8", "replace")
        found = parse_json(body)
    except InvalidReplyError:
        return f"with {kind}" if kind else ""
    for name in ("error", "message", "detail", "message"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return found if isinstance(found, str) else json.dumps(found)


def is_json(response: "Response") -> bool:
    """Return whether a reply is one JSON text, not a stream."""
    return _content_type(response) == "application/json"


def read_events(
    response: "Response", hide_key: Callable[[bytes], bytes], *, max_bytes: int, max_line_bytes: int
) -> Iterator[Any]:
    """Yield the values of a stream of events, or the one value of a reply that is no stream.

    The last value is `STREAM_END` if the server said that the stream is whole.

    Args:
        response: a response that was not read yet.
        hide_key: replaces our key, which a server may echo, before anything is cut.
        max_bytes: the size of the whole reply.
        max_line_bytes: the size of one line.

    Raises:
        InvalidReplyError: it is too long, no JSON, or no stream.
    """
    kind = _content_type(response)
    if is_json(response):
        yield parse_json(hide_key(read_body(response, max_bytes)))
        return
    if kind not in ("text/event-stream", "text/plain", ""):
        raise InvalidReplyError(f"answers with {kind}, not with JSON: is the address right?")
    for data in _read_event_data(response, max_bytes, max_line_bytes):
        if data == _DONE:
            yield STREAM_END
            return
        yield parse_json(hide_key(data))


def _content_type(response: "Response") -> str:
    content_type: str = response.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower()


def _read_event_data(response: "Response", max_bytes: int, max_line_bytes: int) -> Iterator[bytes]:
    """Yield the data of each event; it never takes several lines in this API."""
    total, rest = 0, bytearray()
    for chunk in response.iter_bytes():
        total += len(chunk)
        rest += chunk
        if total > max_bytes:
            raise InvalidReplyError(f"answers with more than {max_bytes:,} bytes")
        if len(rest) > max_line_bytes and b"\n" not in chunk:
            raise InvalidReplyError(f"answers with more than {max_line_bytes:,} bytes")
        if b"\n" in chunk:
            *lines, rest = rest.split(b"\n")
            yield from filter(None, map(_event_data, lines))
    if last := _event_data(rest):
        yield last


def _event_data(line: bytearray) -> bytes:
    """Return the text after `data:` in a line; nothing for comments and other fields."""
    name, _, value = line.partition(b":")
    return bytes(value.strip()) if name == b"data" else b""
