"""Hiding of a server's key in every text that comes from the server, which may echo it."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

HIDDEN = "[key]"

_SHORTEST_PART = 6  # characters of a key that are hidden even where the rest is cut off


def make_key_hider(key: str | None) -> Callable[[str], str]:
    """Return a function that replaces a key in a text, in any usual encoding, and parts of it."""
    if not key:
        return lambda text: text
    forms = [form.casefold() for form in _encodings(key)]
    length = min(_SHORTEST_PART, len(key))
    windows = {form[at : at + length] for form in forms for at in range(len(form) - length + 1)}
    pattern = re.compile(f"(?=({'|'.join(map(re.escape, sorted(windows)))}))", re.IGNORECASE)

    def hide(text: str) -> str:
        """Return a text without the key, and without parts of it."""
        shown, done = [], 0
        start = stop = 0  # of the part that is being hidden
        for match in pattern.finditer(text):
            if match.start() > stop:
                if stop:
                    shown += [text[done:start], HIDDEN]
                    done = stop
                start = match.start()
            stop = match.start() + length
        if stop:
            shown += [text[done:start], HIDDEN]
            done = stop
        return "".join((*shown, text[done:]))

    return hide


def make_body_hider(key: str | None) -> Callable[[bytes], bytes]:
    """Return a function that replaces a whole key in the bytes of a reply."""
    if not key:
        return lambda body: body
    forms = sorted((form.encode() for form in set(_encodings(key))), key=len, reverse=True)
    pattern = re.compile(b"|".join(map(re.escape, forms)), re.IGNORECASE)
    return lambda body: pattern.sub(HIDDEN.encode(), body)


def _encodings(key: str) -> Iterator[str]:
    """Yield a key as servers write it: plain, escaped, and in base 64 and 16."""
    yield from (key, key[::-1], quote(key, safe=""), html.escape(key))
    yield from (json.dumps(key)[1:-1], repr(key)[1:-1], key.encode().hex())
    yield "".join(f"\\u{ord(letter):04x}" for letter in key)
    yield "".join(f"%{ord(letter):02x}" for letter in key)
    for before in ("", "x", "xx", "Bearer ", ":", "user:"):
        encoded = base64.b64encode(f"{before}{key}".encode()).decode().rstrip("=")
        # The first and the last letter may hold bits of what stands beside the key.
        inner = encoded[-(-len(before) * 4 // 3) : -1]
        if len(inner) >= _SHORTEST_PART:
            yield from (inner, inner.replace("+", "-").replace("/", "_"))
