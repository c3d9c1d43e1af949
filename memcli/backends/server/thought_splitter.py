"""Where a thought ends and an answer begins, while both still arrive in pieces."""

OPEN, CLOSE = "<think>", "</think>"


class Split:
    """Cuts a text at the tags of a thought.

    A text that begins with the opening tag, or with nothing of the kind, is a thought up to the
    closing tag: templates may have opened it before. Where the opening tag did not come, the tags
    that begin an answer end the thought, too.
    """

    def __init__(self, *begins: str, closed: bool = False) -> None:
        """Begin.

        Args:
            begins: tags that an answer begins with.
            closed: whether a text without an opening tag is an answer, not a thought.
        """
        self.answer = ""
        self.closed = False
        self._begins, self._unopened_is_answer = begins, closed
        self._ends: tuple[str, ...] | None = None  # None while the first tag may be under way
        self._held = ""  # may turn out to be the beginning of a tag

    def take(self, text: str) -> str:
        """Return what of a piece of text is certainly thought; what is answer is in `answer`."""
        if self.closed:
            self.answer += text if self.answer else text.lstrip()
            return ""
        text = self._held + text
        self._held = ""
        if self._ends is None:
            text = text.lstrip()
            if OPEN.startswith(text):
                self._held = text
                return ""
            text = self._begin(text)
        return self.take(text) if self.closed else self._cut(text, self._ends or ())

    def end(self) -> str:
        """Return what was held back and is no tag."""
        held, self._held = self._held, ""
        if self._ends is None and self._unopened_is_answer:
            self.answer += held
            return ""
        return held

    def _begin(self, text: str) -> str:
        """Settle what ends the thought, and return the text behind the opening tag."""
        if text.startswith(OPEN):
            self._ends = (CLOSE,)
            return text.removeprefix(OPEN).lstrip("\n")
        self._ends = (CLOSE, *self._begins)
        self.closed = self._unopened_is_answer
        return text

    def _cut(self, text: str, ends: tuple[str, ...]) -> str:
        places = [(place, end) for end in ends if (place := text.find(end)) >= 0]
        if places:
            place, _ = min(places)
            self.closed = True
            self.answer = text[place:].removeprefix(CLOSE).lstrip()
            return text[:place]
        kept = max(_beginning(text, end) for end in ends)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]


def _beginning(text: str, tag: str) -> int:
    """Return how many characters at the end of a text may begin a tag."""
    return next(size for size in range(len(tag) - 1, -1, -1) if text.endswith(tag[:size]))
