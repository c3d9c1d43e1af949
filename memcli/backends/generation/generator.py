"""What models that write have in common, whatever they write and whatever runs them."""

from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Protocol

from memcli.backends.generation.chat_template import dialogue
from memcli.domain import fingerprint
from memcli.protocols import Message, Sampling, Tool


class Words(Protocol):
    """A vocabulary: text to tokens and back."""

    @property
    def template(self) -> str | None:
        """The chat template that came with the model."""
        ...

    @property
    def marks(self) -> Mapping[str, str]:
        """What the template knows the first and the last token by."""
        ...

    @property
    def begin(self) -> int | None:
        """The token that every prompt begins with, in vocabularies that want one."""
        ...

    @property
    def special(self) -> Container[int]:
        """Tokens that no text becomes."""
        ...

    def markup(self, text: str) -> list[int]:
        """Return the tokens of a prompt's own text: names of special tokens become them."""
        ...

    def plain(self, text: str) -> list[int]:
        """Return the tokens of somebody's words: none of them is special, whatever they spell."""
        ...

    def single(self, text: str) -> int:
        """Return the one token of a text, or raise BackendError."""
        ...

    def piece(self, token: int) -> bytes:
        """Return what a token writes: special tokens their names, others maybe half a letter."""
        ...


class Tape(Protocol):
    """What a model has read and written so far in one sequence, and how it goes on."""

    def feed(self, tokens: Sequence[int]) -> None:
        """Let these tokens follow."""
        ...

    def drawn(self, most: int) -> Iterator[bytes]:
        """Yield what each token drawn writes, until the model ends or `most` have come."""
        ...

    def draw_among(self, tokens: Sequence[int]) -> int:
        """Draw one of these tokens, as if there were no others."""
        ...

    def best_of(self, tokens: Sequence[int]) -> int:
        """Return the likeliest of these tokens."""
        ...

    def likeliest(self, count: int) -> list[int]:
        """Return the likeliest tokens of all, the likeliest first."""
        ...


class Writer(ABC):
    """A causal model whose weights were checked; they are loaded when there is work.

    Args:
        path: of the weights.
        name: what the model is called.
        digest: what stands for the weights.
        context: tokens that everything read and written shares, at most.
        sampling: how tokens are drawn.
    """

    task: ClassVar[str]  # tells fingerprints apart

    def __init__(
        self, path: Path, *, name: str, digest: str, context: int, sampling: Sampling
    ) -> None:
        self.name, self.context = name, context
        self.fingerprint = fingerprint(self.task, digest, sampling)
        self._path, self._sampling = path, sampling

    @property
    @abstractmethod
    def words(self) -> Words:
        """The model's vocabulary."""

    @abstractmethod
    def tape(self, prompt: Sequence[int], room: int, seed: int = 0) -> AbstractContextManager[Tape]:
        """Lend a tape that has read a prompt.

        Args:
            prompt: its tokens.
            room: tokens that will be on it, those of the prompt included.
            seed: added to that of the sampling.
        """

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self.words.plain(text))

    def prompt(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> list[int]:
        """Return the tokens of the whole prompt, up to where the reply begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        words = self.words
        parts = dialogue(
            words.template, words.marks, self._path, messages, tools, thinking=self.thinks
        )
        tokens = [
            token
            for place, part in enumerate(parts)  # markup and text by turns
            for token in (words.plain(part) if place % 2 else words.markup(part))
        ]
        if words.begin is not None and tokens[:1] != [words.begin]:
            tokens.insert(0, words.begin)
        return tokens

    @property
    def thinks(self) -> bool:
        """Whether the reply begins with a thought."""
        return True
