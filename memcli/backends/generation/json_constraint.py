"""JSON under a schema: whatever a model would rather write, what it writes obeys.

A schema becomes an automaton over bytes, a few hundred places large, since nothing in a schema
refers back to itself. JSON is spelled as `json.dumps` spells it, with a space after each colon and
comma and none elsewhere, and properties come in the schema's order, none left out: what remains to
choose is what strings, numbers and enums say and how long arrays are.

Nothing here knows a model library: a backend asks which pieces of its vocabulary are allowed.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from memcli.protocols import Tool

_KNOWN = frozenset(
    "type properties required additionalProperties items enum title description".split()
)
_DIGITS = 15  # of a number, before the point and after it: no reader of JSON rounds or refuses them


class JsonText:
    """A JSON text on its way to the paper, piece by piece."""

    def __init__(self, start: "Place") -> None:
        self._place = start
        self._written = bytearray()

    @property
    def decided(self) -> bool:
        """Whether no choice is left: what is missing, `close` writes."""
        return not self._straight()[1].choices()

    @property
    def value(self) -> Any:  # Any: as JSON has it
        """What a complete text says."""
        return json.loads(self._written)

    def allows(self, piece: bytes) -> bool:
        """Return whether these bytes may come next: at least one, the last maybe half a letter."""
        place = self._place if piece else None
        for byte in piece:
            place = place and place.after(byte)
        return place is not None

    def take(self, piece: bytes) -> None:
        """Write allowed bytes."""
        for byte in piece:
            place = self._place.after(byte)
            if place is None:
                raise ValueError(f"{piece!r} may not come after {bytes(self._written)!r}")
            self._place = place
            self._written.append(byte)

    def forced(self) -> bytes:
        """Return the bytes up to where there is a choice; none if it is here."""
        return self._straight()[0]

    def close(self) -> None:
        """Complete the text in as few bytes as it takes."""
        waiting = deque([(self._place, b"")])
        seen = {id(self._place)}
        while waiting:
            place, path = waiting.popleft()
            choices = place.choices()
            if not choices:
                self.take(path)
                return
            for byte, following in choices.items():
                if id(following) not in seen:
                    seen.add(id(following))
                    waiting.append((following, path + bytes([byte])))

    def _straight(self) -> tuple[bytes, "Place"]:
        """Return the bytes that can only follow, and the place they lead to."""
        place, forced = self._place, bytearray()
        while len(choices := place.choices()) == 1:
            [(byte, place)] = choices.items()
            forced.append(byte)
        return bytes(forced), place


class Place:
    """A place in a text: where each byte that may follow leads.

    `otherwise` is a place whose bytes may follow as well: what stands here may be over.
    """

    __slots__ = ("otherwise", "steps")

    def __init__(
        self, steps: Mapping[int, "Place"] | None = None, otherwise: "Place | None" = None
    ) -> None:
        self.steps = dict(steps or {})
        self.otherwise = otherwise

    def after(self, byte: int) -> "Place | None":
        """Return where a byte leads, None where it may not follow."""
        place: Place | None = self
        while place is not None:
            following = place.steps.get(byte)
            if following is not None:
                return following
            place = place.otherwise
        return None

    def choices(self) -> dict[int, "Place"]:
        """Return every byte that may follow and where it leads."""
        if self.otherwise is None:
            return self.steps
        return {**self.otherwise.choices(), **self.steps}


def json_text(schema: Mapping[str, Any]) -> JsonText:
    """Begin a text under a JSON Schema of type, properties, required, items and enum.

    Raises:
        ValueError: the schema asks for something that cannot be enforced.
    """
    return JsonText(_value(schema, Place()))


def call_text(tools: Sequence[Tool]) -> JsonText:
    """Begin the call of one of these tools: `{"name": ..., "arguments": {...}}`.

    Raises:
        ValueError: there is no tool, or a schema asks for something that cannot be enforced.
    """
    if not tools:
        raise ValueError("there is no tool to call")
    closed = _one_of([(b"}", Place())])
    calls = [
        (
            f'{{"name": {_spelled(tool.name)}, "arguments": '.encode(),
            _value(tool.parameters, closed),
        )
        for tool in tools
    ]
    return JsonText(_one_of(calls))


def _value(schema: Mapping[str, Any], then: Place) -> Place:
    """Return the place before a value, which goes on at `then`."""
    if unknown := schema.keys() - _KNOWN:
        raise ValueError(f"a schema's {', '.join(sorted(unknown))} cannot be enforced")
    if "enum" in schema:
        return _one_of([(_spelled(value).encode(), then) for value in schema["enum"]])
    match schema.get("type"):
        case "object":
            return _object(schema.get("properties", {}), then)
        case "array":
            return _array(schema["items"], then)
        case "string":
            return _one_of([(b'"', _string(then))])
        case "integer":
            return _number(then)
        case "number":
            return _number(Place({ord("."): _digits(then)}, otherwise=then))
        case "boolean":
            return _one_of([(b"false", then), (b"true", then)])
        case other:
            raise ValueError(f"a schema's type {other} cannot be enforced")


def _object(properties: Mapping[str, Any], then: Place) -> Place:
    place = _one_of([(b"}" if properties else b"{}", then)])
    for number, (name, schema) in reversed(list(enumerate(properties.items()))):
        key = f"{', ' if number else '{'}{_spelled(name)}: "
        place = _one_of([(key.encode(), _value(schema, place))])
    return place


def _array(items: Mapping[str, Any], then: Place) -> Place:
    more = Place()
    item = _value(items, more)
    more.steps = {ord(","): _one_of([(b" ", item)]), ord("]"): then}
    return _one_of([(b"[", Place({ord("]"): then}, otherwise=item))])


def _number(then: Place) -> Place:
    first = Place({ord("0"): then} | dict.fromkeys(b"123456789", _digits(then, _DIGITS - 1)))
    return Place({ord("-"): first}, otherwise=first)


def _digits(then: Place, most: int = _DIGITS) -> Place:
    """Return the place before digits: at least one, or none where fewer than all are asked for."""
    place = Place(otherwise=then)
    for left in range(most):
        last = left == _DIGITS - 1
        place = Place(dict.fromkeys(b"0123456789", place), otherwise=None if last else then)
    return place


def _one_of(spellings: Iterable[tuple[bytes, Place]]) -> Place:
    """Return the place before one of these texts, each of which goes on at a place of its own."""
    start = Place()
    for text, then in spellings:
        place = start
        for byte in text:
            place = place.steps.setdefault(byte, Place())
        place.otherwise = then
    return start


def _string(then: Place) -> Place:
    """Return the place inside a string."""
    inside = Place()
    inside.steps = _classes(_CHARACTERS, inside) | {ord('"'): then}
    return inside


def _classes(sequences: Sequence[tuple[bytes, ...]], then: Place) -> dict[int, Place]:
    """Return the steps into sequences of byte classes, neighbours sharing their first class."""
    steps: dict[int, Place] = {}
    for first, group in groupby(sequences, key=lambda sequence: sequence[0]):
        rest = [sequence[1:] for sequence in group]
        following = Place(_classes(rest, then)) if rest[0] else then
        steps |= dict.fromkeys(first, following)
    return steps


def _range(first: int, last: int) -> bytes:
    return bytes(range(first, last + 1))


def _spelled(value: Any) -> str:  # Any: as JSON has it
    return json.dumps(value, ensure_ascii=False)


_TAIL, _HEX = _range(0x80, 0xBF), b"0123456789abcdefABCDEF"
_CHARACTERS: tuple[tuple[bytes, ...], ...] = (  # how a string may spell one; see RFC 3629, 8259
    (_range(0x20, 0x7F).translate(None, b'"\\'),),
    (_range(0xC2, 0xDF), _TAIL),
    (b"\xe0", _range(0xA0, 0xBF), _TAIL),
    (_range(0xE1, 0xEC) + b"\xee\xef", _TAIL, _TAIL),
    (b"\xed", _range(0x80, 0x9F), _TAIL),
    (b"\xf0", _range(0x90, 0xBF), _TAIL, _TAIL),
    (_range(0xF1, 0xF3), _TAIL, _TAIL, _TAIL),
    (b"\xf4", _range(0x80, 0x8F), _TAIL, _TAIL),
    (b"\\", b'"\\/bfnrt'),
    (b"\\", b"u", _HEX.translate(None, b"dD"), _HEX, _HEX, _HEX),
    (b"\\", b"u", b"dD", b"01234567", _HEX, _HEX),
    # A pair of surrogates, never one alone: the text has to be storable.
    (b"\\", b"u", b"dD", b"89abAB", _HEX, _HEX, b"\\", b"u", b"dD", b"cdefCDEF", _HEX, _HEX),
)
