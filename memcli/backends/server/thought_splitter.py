"""The end of a thought and the beginning of an answer, while both still arrive in pieces."""

from memcli.backends.generation.thought_stream import (
    THINK_CLOSE,
    THINK_OPEN,
    partial_tag_length,
)


class ThoughtSplitter:
    """A text in two parts, thought and answer, which are split at the tags of the thought.

    A text that begins with the opening tag, or with no tag, is a thought up to the closing tag:
    templates may have opened it before. If the opening tag did not come, the tags that begin an
    answer end the thought, too.

    Args:
        answer_tags: tags that an answer begins with.
        unopened_is_answer: True if a text without an opening tag is an answer, not a thought.
    """

    def __init__(self, *answer_tags: str, unopened_is_answer: bool = False) -> None:
        self.answer = ""
        self.in_answer = False
        self._answer_tags, self._unopened_is_answer = answer_tags, unopened_is_answer
        self._end_tags: tuple[str, ...] | None = None  # None until the first tag is decided
        self._pending = ""  # text that may turn out to be the beginning of a tag

    def feed(self, text: str) -> str:
        """Take a piece of text; return the part that is certainly thought.

        The part that is answer is appended to `answer`.
        """
        if self.in_answer:
            self.answer += text if self.answer else text.lstrip()
            return ""
        text = self._pending + text
        self._pending = ""
        if self._end_tags is None:
            text = text.lstrip()
            if THINK_OPEN.startswith(text):
                self._pending = text
                return ""
            text = self._begin(text)
        return self.feed(text) if self.in_answer else self._split(text, self._end_tags or ())

    def finish(self) -> str:
        """Return the pending text, which is no tag, if it is thought."""
        pending, self._pending = self._pending, ""
        if self._end_tags is None and self._unopened_is_answer:
            self.answer += pending
            return ""
        return pending

    def _begin(self, text: str) -> str:
        """Decide which tags end the thought, and return the text after the opening tag."""
        if text.startswith(THINK_OPEN):
            self._end_tags = (THINK_CLOSE,)
            return text.removeprefix(THINK_OPEN).lstrip("\n")
        self._end_tags = (THINK_CLOSE, *self._answer_tags)
        self.in_answer = self._unopened_is_answer
        return text

    def _split(self, text: str, tags: tuple[str, ...]) -> str:
        places = [(place, tag) for tag in tags if (place := text.find(tag)) >= 0]
        if places:
            place, _ = min(places)
            self.in_answer = True
            self.answer = text[place:].removeprefix(THINK_CLOSE).lstrip()
            return text[:place]
        kept = max(partial_tag_length(text, tag) for tag in tags)
        self._pending = text[len(text) - kept :]
        return text[: len(text) - kept]
