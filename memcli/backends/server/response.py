"""What comes back from a server, read with bounds: one JSON, or server-sent events."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx2 import Response

_DONE = b"[DONE]"


class NonsenseError(Exception):
    """A server's answer is not what the API says. The message goes on from its address.

    It may quote the server, so it may hold anything, even our key.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def whole(response: "Response", most: int) -> bytes:
    """Return the body of a reply of at most so many bytes.

    Raises:
        NonsenseError: it is longer.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > most:
            raise NonsenseError(f"answers with more than {most:,} bytes")
    return bytes(body)


def parsed(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        NonsenseError: it is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        start = body[:40].decode("utf-8", "replace").strip()
        raise NonsenseError(f"answers with something that is no JSON: {start!r}") from error


def reason(response: "Response", most: int) -> str:
    """Return what a reply that is an error says about it, as far as it is in a known place."""
    try:
        body = whole(response, most)
        found = parsed(body)
    except NonsenseError:
        kind = response.headers.get("content-type", "").partition(";")[0]
        return f"with {kind}" if kind else ""
    for name in ("error", "message", "detail", "message"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return found if isinstance(found, str) else json.dumps(found)


def events(response: "Response", *, most: int, line: int) -> Iterator[Any]:
    """Yield the values of a stream of events, or the one value of a reply that is no stream.

    Args:
        response: not read yet.
        most: bytes of the whole.
        line: bytes of a line.

    Raises:
        NonsenseError: it is too long, no JSON, or no stream.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield parsed(whole(response, most))
        return
    if kind not in ("text/event-stream", "text/plain", ""):
        raise NonsenseError(f"answers with {kind}, not with JSON: is the address right?")
    for data in _data(response, most, line):
        if data == _DONE:
            return
        yield parsed(data)


def _data(response: "Response", most: int, line: int) -> Iterator[bytes]:
    """Yield what stands behind `data:`; a value never takes several lines in this API."""
    taken, rest = 0, bytearray()
    for chunk in response.iter_bytes():
        taken += len(chunk)
        rest += chunk
        if taken > most or (len(rest) > line and b"\n" not in chunk):
            raise NonsenseError(f"answers with more than {most if taken > most else line:,} bytes")
        if b"\n" in chunk:
            *lines, rest = rest.split(b"\n")
            yield from filter(None, map(_value, lines))
    if last := _value(rest):
        yield last


def _value(line: bytearray) -> bytes:
    """Return what stands behind `data:` in a line; nothing in comments and other fields."""
    name, _, value = line.partition(b":")
    return bytes(value.strip()) if name == b"data" else b""
