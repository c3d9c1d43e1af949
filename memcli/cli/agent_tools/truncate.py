"""JSON documents of a bounded length, which list what was left out."""

import json
from typing import Annotated, Any, TypedDict

JsonDocument = dict[str, object]

LENGTHS = (2000, 1000, 500, 200, 80)  # characters of a quote; the first that fits is used


class Cut(TypedDict):
    """The parts of an answer that were left out."""

    cut: Annotated[list[str], "What was left out for its length, in words; empty if nothing was."]


def truncate_ranking(shape: JsonDocument, max_characters: int) -> JsonDocument:
    """Return the JSON of a ranking with shorter quotes, and then fewer sessions, until it fits.

    Args:
        shape: a ranking as `mem ask --json` or `mem search --json` prints it; it is changed.
        max_characters: the most characters of JSON.
    """
    sessions: list[Any] = shape["sessions"]  # type: ignore[assignment]  # as JSON has it
    quotes = [quote for session in sessions for quote in session["evidence"]]
    trace = "trace" in shape and _cut_text(shape, "trace", max_characters // 4)
    shorter = 0
    for length in LENGTHS:
        if _size(shape) <= max_characters:
            break
        shorter += sum(_cut_text(quote, "text", length) for quote in quotes)
    whole = len(sessions)
    while sessions and _size(shape) > max_characters:
        sessions.pop()
    left = whole - len(sessions)
    cut = []
    if trace:
        cut.append("the end of the trace")
    if shorter:
        cut.append("the ends of long turns: `show` has them whole")
    if left:
        cut.append(f"the last {left} of {whole} sessions")
    return {**shape, "cut": cut}


def truncate_session(shape: JsonDocument, first: int, max_characters: int) -> JsonDocument:
    """Return the JSON of a session from a turn on, as many turns as fit.

    Args:
        shape: a session as `mem show --json` prints it; it is changed.
        first: the position of the first turn, from 1.
        max_characters: the most characters of JSON.
    """
    session: dict[str, Any] = shape["session"]  # type: ignore[assignment]  # as JSON has it
    turns, shown, cut = session["turns"], list[Any](), list[str]()
    session["turns"] = shown
    room = max_characters - _size(shape)
    for turn in turns[first - 1 :]:
        room -= _size(turn) + 2  # the turn, a comma and a space
        if room < 0 and shown:
            break
        shown.append(turn)
        if room < 0 and _cut_text(turn, "text", max(len(turn["text"]) + room, 80)):
            cut.append(f"the end of turn {turn['position']}")
    last = first - 1 + len(shown)
    if first > 1:
        cut.append(f"turns 1 to {min(first - 1, len(turns))}")
    if last < len(turns):
        cut.append(f"turns {last + 1} to {len(turns)}: go on with `first` {last + 1}")
    return {**shape, "cut": cut}


def truncate_list(shape: JsonDocument, key: str, max_characters: int) -> JsonDocument:
    """Return the JSON of a list with as many of its first items as fit.

    Args:
        shape: a document with a list; it is changed.
        key: the key of the list.
        max_characters: the most characters of JSON.
    """
    items: list[Any] = shape[key]  # type: ignore[assignment]  # as JSON has it
    whole = len(items)
    while items and _size(shape) > max_characters:
        items.pop()
    left = whole - len(items)
    return {**shape, "cut": [f"the last {left} of {whole} {key}"] if left else []}


def _cut_text(shape: dict[str, Any], key: str, length: int) -> bool:
    """Shorten a text in a document, and return whether that was needed."""
    text = shape[key]
    if len(text) <= length:
        return False
    shape[key] = text[: length - 1] + "…"
    return True


def _size(shape: object) -> int:
    return len(json.dumps(shape, ensure_ascii=False))
