"""References to turns inside an answer, told apart by whether the model was shown them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from memcli.domain import SessionId

_REFERENCE = re.compile(r"(?<!\w)s_[0-9a-z]{4,16}(?::\d{1,6}(?:[-–]\d{1,6})?)?(?!\w)")
_BEGUN = re.compile(r"(?<!\w)s(?:_(?:[0-9a-z]{0,16}|[0-9a-z]{4,16}:(?:\d{1,6}[-–]?)?\d{0,6}))?$")
UNKNOWN = "?"  # behind a reference to what the model was not shown


@dataclass(frozen=True, slots=True)
class Reference:
    """A turn, a range of turns or a session that an answer refers to: `s_2v4k8qjw0a:7`."""

    turn: str
    known: bool  # whether the model was shown it


class References:
    """Finds references in a text that comes in pieces, and marks those to what was not shown.

    Args:
        shown: positions of the turns that the model was shown, by session.
    """

    def __init__(self, shown: Mapping[SessionId, frozenset[int]]) -> None:
        self.found: list[Reference] = []  # in the order they came, without repeats
        self._shown = shown
        self._held = ""  # may turn out to be the beginning of a reference
        self._last = ""  # letter before it

    def take(self, piece: str) -> str:
        """Return what of the text so far is certain, with its marks."""
        text = self._held + piece
        # A letter before it tells a reference from the end of a word.
        begun = _BEGUN.search(self._last + text, len(self._last))
        kept = begun.start() - len(self._last) if begun else len(text)
        self._held = text[kept:]
        return self._marked(text[:kept])

    def end(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._marked(held)

    def _marked(self, text: str) -> str:
        whole, done = self._last + text, len(self._last)
        parts = []
        for match in _REFERENCE.finditer(whole, done):
            parts += [whole[done : match.start()], self._mark(match)]
            done = match.end()
        self._last = whole[-1:]
        return "".join([*parts, whole[done:]])

    def _mark(self, match: re.Match[str]) -> str:
        reference = Reference(match[0].replace("–", "-"), self._knows(match[0]))
        if reference not in self.found:
            self.found.append(reference)
        return match[0] if reference.known else match[0] + UNKNOWN

    def _knows(self, reference: str) -> bool:
        session, _, positions = reference.partition(":")
        shown = self._shown.get(SessionId(session))
        if shown is None or not positions:
            return shown is not None
        first, _, last = positions.replace("–", "-").partition("-")
        named = range(int(first), int(last or first) + 1)
        return 0 < len(named) <= len(shown) and set(named) <= shown
