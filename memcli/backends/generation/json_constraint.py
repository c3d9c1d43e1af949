"""The constraint under which JSON is generated: every text that it allows obeys a schema.

A schema becomes an automaton over bytes with a few hundred states, since nothing in a schema
refers back to itself. JSON is spelled as `json.dumps` spells it, with a space after each colon and
comma and none elsewhere, and properties come in the schema's order, none left out: the model is
left to choose the contents of strings, numbers and enums, and the lengths of arrays.

Nothing here knows a model library: a backend tests which pieces of its vocabulary are allowed.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from memcli.protocols import Tool

_SUPPORTED_KEYS = frozenset(
    "type properties required additionalProperties items enum title description".split()
)
_MAX_DIGITS = 15  # before the point, and after it: no reader of JSON rounds or refuses so many


class JsonConstraint:
    """A JSON text that is generated piece by piece under a schema."""

    def __init__(self, start: "JsonState") -> None:
        self._state = start
        self._written = bytearray()

    @property
    def is_determined(self) -> bool:
        """True once there is no choice left: `close` writes the rest."""
        return not self._follow_forced()[1].choices()

    @property
    def value(self) -> Any:  # Any: as JSON has it
        """The value of a complete text."""
        return json.loads(self._written)

    def allows(self, piece: bytes) -> bool:
        """Return whether these bytes may come next: at least one, the last maybe half a letter."""
        state = self._state if piece else None
        for byte in piece:
            state = state and state.next_state(byte)
        return state is not None

    def accept(self, piece: bytes) -> None:
        """Add allowed bytes.

        Raises:
            ValueError: they may not come next.
        """
        for byte in piece:
            state = self._state.next_state(byte)
            if state is None:
                raise ValueError(f"{piece!r} may not come after {bytes(self._written)!r}")
            self._state = state
            self._written.append(byte)

    def forced_bytes(self) -> bytes:
        """Return the bytes up to the next choice; none if the choice is here."""
        return self._follow_forced()[0]

    def close(self) -> None:
        """Complete the text in as few bytes as possible."""
        waiting = deque([(self._state, b"")])
        seen = {id(self._state)}
        while waiting:
            state, path = waiting.popleft()
            choices = state.choices()
            if not choices:
                self.accept(path)
                return
            for byte, following in choices.items():
                if id(following) not in seen:
                    seen.add(id(following))
                    waiting.append((following, path + bytes([byte])))

    def _follow_forced(self) -> tuple[bytes, "JsonState"]:
        """Return the bytes that can only follow, and the state that they lead to."""
        state, forced = self._state, bytearray()
        while len(choices := state.choices()) == 1:
            [(byte, state)] = choices.items()
            forced.append(byte)
        return bytes(forced), state


class JsonState:
    """A state of the automaton: for each byte that may follow, the state that it leads to.

    The bytes of the state `fallback` may follow as well: the value at this state may be over.
    """

    __slots__ = ("fallback", "transitions")

    def __init__(
        self,
        transitions: Mapping[int, "JsonState"] | None = None,
        fallback: "JsonState | None" = None,
    ) -> None:
        self.transitions = dict(transitions or {})
        self.fallback = fallback

    def next_state(self, byte: int) -> "JsonState | None":
        """Return the state that a byte leads to; None if it may not follow."""
        state: JsonState | None = self
        while state is not None:
            following = state.transitions.get(byte)
            if following is not None:
                return following
            state = state.fallback
        return None

    def choices(self) -> dict[int, "JsonState"]:
        """Return every byte that may follow, and the state that it leads to."""
        if self.fallback is None:
            return self.transitions
        return {**self.fallback.choices(), **self.transitions}


def constrain_call(tools: Sequence[Tool]) -> JsonConstraint:
    """Begin a call of one of these tools: `{"name": ..., "arguments": {...}}`.

    Raises:
        ValueError: there is no tool, or a schema asks for something that cannot be enforced.
    """
    if not tools:
        raise ValueError("there is no tool to call")
    closed = _choice_state([(b"}", JsonState())])
    calls = [
        (
            f'{{"name": {_encode(tool.name)}, "arguments": '.encode(),
            _value_state(tool.parameters, closed),
        )
        for tool in tools
    ]
    return JsonConstraint(_choice_state(calls))


def _value_state(schema: Mapping[str, Any], then: JsonState) -> JsonState:
    """Return the state before a value; the state `then` follows it."""
    if unknown := schema.keys() - _SUPPORTED_KEYS:
        raise ValueError(f"a schema's {', '.join(sorted(unknown))} cannot be enforced")
    if "enum" in schema:
        return _choice_state([(_encode(value).encode(), then) for value in schema["enum"]])
    match schema.get("type"):
        case "object":
            return _object_state(schema.get("properties", {}), then)
        case "array":
            return _array_state(schema["items"], then)
        case "string":
            return _choice_state([(b'"', _string_state(then))])
        case "integer":
            return _number_state(then)
        case "number":
            return _number_state(JsonState({ord("."): _digits_state(then)}, fallback=then))
        case "boolean":
            return _choice_state([(b"false", then), (b"true", then)])
        case other:
            raise ValueError(f"a schema's type {other} cannot be enforced")


def _object_state(properties: Mapping[str, Any], then: JsonState) -> JsonState:
    state = _choice_state([(b"}" if properties else b"{}", then)])
    for number, (name, schema) in reversed(list(enumerate(properties.items()))):
        key = f"{', ' if number else '{'}{_encode(name)}: "
        state = _choice_state([(key.encode(), _value_state(schema, state))])
    return state


def _array_state(items: Mapping[str, Any], then: JsonState) -> JsonState:
    more = JsonState()
    item = _value_state(items, more)
    more.transitions = {ord(","): _choice_state([(b" ", item)]), ord("]"): then}
    return _choice_state([(b"[", JsonState({ord("]"): then}, fallback=item))])


def _number_state(then: JsonState) -> JsonState:
    more_digits = _digits_state(then, _MAX_DIGITS - 1)
    first = JsonState({ord("0"): then} | dict.fromkeys(b"123456789", more_digits))
    return JsonState({ord("-"): first}, fallback=first)


def _digits_state(then: JsonState, most: int = _MAX_DIGITS) -> JsonState:
    """Return the state before digits: at least one, or with a smaller `most` maybe none."""
    state = JsonState(fallback=then)
    for left in range(most):
        last = left == _MAX_DIGITS - 1
        state = JsonState(dict.fromkeys(b"0123456789", state), fallback=None if last else then)
    return state


def _choice_state(spellings: Iterable[tuple[bytes, JsonState]]) -> JsonState:
    """Return the state before one of these texts; a state of its own follows each."""
    start = JsonState()
    for text, then in spellings:
        state = start
        for byte in text:
            state = state.transitions.setdefault(byte, JsonState())
        state.fallback = then
    return start


def _string_state(then: JsonState) -> JsonState:
    """Return the state inside a string."""
    inside = JsonState()
    inside.transitions = _class_transitions(_CHARACTERS, inside) | {ord('"'): then}
    return inside


def _class_transitions(
    sequences: Sequence[tuple[bytes, ...]], then: JsonState
) -> dict[int, JsonState]:
    """Return the transitions into sequences of byte classes; neighbours share their first class."""
    transitions: dict[int, JsonState] = {}
    for first, group in groupby(sequences, key=lambda sequence: sequence[0]):
        rest = [sequence[1:] for sequence in group]
        following = JsonState(_class_transitions(rest, then)) if rest[0] else then
        transitions |= dict.fromkeys(first, following)
    return transitions


def _byte_range(first: int, last: int) -> bytes:
    return bytes(range(first, last + 1))


def _encode(value: Any) -> str:  # Any: as JSON has it
    return json.dumps(value, ensure_ascii=False)


_TAIL, _HEX = _byte_range(0x80, 0xBF), b"0123456789abcdefABCDEF"
_CHARACTERS: tuple[tuple[bytes, ...], ...] = (  # spellings in a string; RFC 3629, 8259
    (_byte_range(0x20, 0x7F).translate(None, b'"\\'),),
    (_byte_range(0xC2, 0xDF), _TAIL),
    (b"\xe0", _byte_range(0xA0, 0xBF), _TAIL),
    (_byte_range(0xE1, 0xEC) + b"\xee\xef", _TAIL, _TAIL),
    (b"\xed", _byte_range(0x80, 0x9F), _TAIL),
    (b"\xf0", _byte_range(0x90, 0xBF), _TAIL, _TAIL),
    (_byte_range(0xF1, 0xF3), _TAIL, _TAIL, _TAIL),
    (b"\xf4", _byte_range(0x80, 0x8F), _TAIL, _TAIL),
    (b"\\", b'"\\/bfnrt'),
    (b"\\", b"u", _HEX.translate(None, b"dD"), _HEX, _HEX, _HEX),
    (b"\\", b"u", b"dD", b"01234567", _HEX, _HEX),
    # A pair of surrogates, never one alone: the text has to be storable.
    (b"\\", b"u", b"dD", b"89abAB", _HEX, _HEX, b"\\", b"u", b"dD", b"cdefCDEF", _HEX, _HEX),
)
