"""Models without weights: words stand for meaning. For tests and for trying the command line."""

import re
from collections.abc import Iterator, Sequence
from zlib import crc32

from memcli.protocols import Message, SiftedOrder, Thought, Vectors

_TURN = re.compile(r"^(\[s_\w+:\d+\])(?: \d\d:\d\d)? [^:\n]+: (.+)", re.MULTILINE)
_SESSION = re.compile(r"<session(\d+)>(.*?)</session>", re.DOTALL)


class WordEmbedder:
    """One dimension per word, modulo 64: texts that share words are near each other."""

    name = "fake-words-64"
    fingerprint = "fake-words-64"
    dimensions = 64

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> Vectors:
        """Count words."""
        import numpy as np

        counts = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _words(text):
                counts[row, crc32(word.encode()) % self.dimensions] += 1
        counts /= np.linalg.norm(counts, axis=1, keepdims=True)
        return counts


class WordReranker:
    """The probability is the share of the question's words found in the passage."""

    name = "fake-words"
    fingerprint = "fake-words"

    def count(self, text: str) -> int:
        """Count words."""
        return len(_words(text))

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Compare words."""
        asked = set(_words(question))
        for index, passage in enumerate(passages):
            yield index, len(asked & set(_words(passage))) / max(len(asked), 1)


class WordSifter:
    """Ranks sessions by how many words they share with what follows them in the message."""

    name = "fake-words"
    fingerprint = "fake-words"
    context = 32_768

    def count(self, text: str) -> int:
        """Count words."""
        return len(_words(text))

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | SiftedOrder]:
        """Think "counting words", at most so many of them, and rank; ties in the order given."""
        yield from ("counting ", "words")[:thought_tokens]
        _, _, question = message.rpartition("</session>")
        asked = set(_words(question))
        shared = dict.fromkeys(range(shown), 0)
        for session, text in _SESSION.findall(message):
            if int(session) < shown:
                shared[int(session)] = len(asked & set(_words(text)))
        yield SiftedOrder(tuple(sorted(shared, key=lambda session: -shared[session])[:ranked]))


class WordChat:
    """Quotes the first turn it was shown that shares a word with the question, and refers to it."""

    name = "fake-words"
    fingerprint = "fake-words"
    context = 32_768

    def count(self, text: str) -> int:
        """Count words."""
        return len(_words(text))

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Think "looking", and answer, at most so many words."""
        if thought_tokens:
            yield Thought("looking")
        shown, _, question = messages[-1].text.rpartition("\n")
        asked = set(_words(question))
        for reference, text in _TURN.findall(shown):
            if asked & set(_words(text)):
                yield from (f"{word} " for word in text.split()[: answer_tokens - 1])
                yield reference
                return
        yield "Nobody said."


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
