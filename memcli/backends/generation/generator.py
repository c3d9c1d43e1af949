"""The base of all models that generate text, independent of the library that runs them."""

from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Protocol

from memcli.backends.generation.chat_template import render_dialogue
from memcli.domain import fingerprint
from memcli.protocols import Message, Sampling, Tool


class Tokenizer(Protocol):
    """A vocabulary: text to tokens and back."""

    @property
    def chat_template(self) -> str | None:
        """The chat template that came with the model."""
        ...

    @property
    def template_variables(self) -> Mapping[str, str]:
        """The texts of the chat template's `bos_token` and `eos_token`."""
        ...

    @property
    def bos_token(self) -> int | None:
        """The token that every prompt begins with; None if the vocabulary wants none."""
        ...

    @property
    def special_tokens(self) -> Container[int]:
        """The tokens that no text becomes."""
        ...

    def encode_markup(self, text: str) -> list[int]:
        """Return the tokens of a prompt's own markup: names of special tokens become them."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a person's text: none is special, even if the text spells one."""
        ...

    def encode_single(self, text: str) -> int:
        """Return the one token of a text.

        Raises:
            BackendError: the vocabulary spells it with several.
        """
        ...

    def decode_token(self, token: int) -> bytes:
        """Return the text of a token: a special token's name; maybe only a part of a letter."""
        ...


class TokenSequence(Protocol):
    """The tokens that a model has read and generated so far, and the ones it would add next."""

    def feed(self, tokens: Sequence[int]) -> None:
        """Add these tokens at the end."""
        ...

    def generate(self, max_tokens: int) -> Iterator[bytes]:
        """Yield the text of each sampled token, until the model ends or `max_tokens` have come."""
        ...

    def sample_among(self, tokens: Sequence[int]) -> int:
        """Sample one of these tokens, as if there were no others."""
        ...

    def most_likely_of(self, tokens: Sequence[int]) -> int:
        """Return the most likely of these tokens."""
        ...

    def most_likely(self, count: int) -> list[int]:
        """Return the most likely tokens of all, best first."""
        ...


class TextGenerator(ABC):
    """A causal model whose weights were checked; they are loaded when there is work.

    Args:
        path: the file or folder of the weights.
        name: the name of the model.
        digest: stands for the weights.
        context: tokens that everything read and generated shares, at most.
        sampling: how tokens are sampled.
    """

    task: ClassVar[str]  # a part of the fingerprint, which differs between tasks

    def __init__(
        self, path: Path, *, name: str, digest: str, context: int, sampling: Sampling
    ) -> None:
        self.name, self.context = name, context
        self.fingerprint = fingerprint(self.task, digest, sampling)
        self._path, self._sampling = path, sampling

    @property
    @abstractmethod
    def tokenizer(self) -> Tokenizer:
        """The model's vocabulary."""

    @abstractmethod
    def open_sequence(
        self, prompt: Sequence[int], room: int, seed: int = 0
    ) -> AbstractContextManager[TokenSequence]:
        """Open a sequence that begins with a prompt; it is usable inside the `with` block.

        Args:
            prompt: its tokens.
            room: tokens that the sequence may grow to, those of the prompt included.
            seed: is added to the seed of the sampling.
        """

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self.tokenizer.encode(text))

    def encode_prompt(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> list[int]:
        """Return the tokens of the whole prompt, up to the beginning of the reply.

        Raises:
            BackendError: the model's chat template fails.
        """
        tokenizer = self.tokenizer
        parts = render_dialogue(
            tokenizer.chat_template,
            tokenizer.template_variables,
            self._path,
            messages,
            tools,
            thinking=self.thinks,
        )
        tokens = [
            token
            for place, part in enumerate(parts)  # markup and text by turns
            for token in (tokenizer.encode(part) if place % 2 else tokenizer.encode_markup(part))
        ]
        if tokenizer.bos_token is not None and tokens[:1] != [tokenizer.bos_token]:
            tokens.insert(0, tokenizer.bos_token)
        return tokens

    @property
    def thinks(self) -> bool:
        """True if the reply begins with a thought."""
        return True


def common_prefix_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the number of tokens at the beginning that two sequences share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next(
        (place for place, (left, right) in pairs if left != right), min(len(one), len(other))
    )
