"""References to turns in a written answer, checked against what the model was shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from memcli.domain import SessionId

_REFERENCE = re.compile(r"(?<!\w)s_[0-9a-z]{4,16}(?::\d{1,6}(?:[-–]\d{1,6})?)?(?!\w)")
_BEGINNING = re.compile(
    r"(?<!\w)s(?:_(?:[0-9a-z]{0,16}|[0-9a-z]{4,16}:(?:\d{1,6}[-–]?)?\d{0,6}))?$"
)
UNKNOWN = "?"  # appended to a reference to something that the model was not shown


@dataclass(frozen=True, slots=True)
class TurnReference:
    """A turn, a range of turns or a session that an answer refers to: `s_2v4k8qjw0a:7`."""

    turn: str
    known: bool  # True if the model was shown it


class ReferenceMarker:
    """A filter for text that comes in pieces; it finds references and marks unknown ones.

    Args:
        shown: positions of the turns that the model was shown, by session.
    """

    def __init__(self, shown: Mapping[SessionId, frozenset[int]]) -> None:
        self.found: list[TurnReference] = []  # in the order they came, without repeats
        self._shown = shown
        self._pending = ""  # may turn out to be the beginning of a reference
        self._last_letter = ""  # before the pending text

    def feed(self, piece: str) -> str:
        """Add a piece; return the text that is certain now, with its marks."""
        text = self._pending + piece
        # The letter before it tells a reference from the end of a word.
        beginning = _BEGINNING.search(self._last_letter + text, len(self._last_letter))
        certain = beginning.start() - len(self._last_letter) if beginning else len(text)
        self._pending = text[certain:]
        return self._mark_all(text[:certain])

    def flush(self) -> str:
        """Return the text that was still pending, with its marks."""
        pending, self._pending = self._pending, ""
        return self._mark_all(pending)

    def _mark_all(self, text: str) -> str:
        whole, done = self._last_letter + text, len(self._last_letter)
        parts = []
        for match in _REFERENCE.finditer(whole, done):
            parts += [whole[done : match.start()], self._mark(match)]
            done = match.end()
        self._last_letter = whole[-1:]
        return "".join([*parts, whole[done:]])

    def _mark(self, match: re.Match[str]) -> str:
        reference = TurnReference(match[0].replace("–", "-"), self._is_known(match[0]))
        if reference not in self.found:
            self.found.append(reference)
        return match[0] if reference.known else match[0] + UNKNOWN

    def _is_known(self, reference: str) -> bool:
        session, _, positions = reference.partition(":")
        shown = self._shown.get(SessionId(session))
        if shown is None or not positions:
            return shown is not None
        first, _, last = positions.replace("–", "-").partition("-")
        turns = range(int(first), int(last or first) + 1)
        return 0 < len(turns) <= len(shown) and set(turns) <= shown
