"""The abilities of models that memcli uses, one small protocol for each.

A backend implements the abilities it has: a GGUF embedder need not pretend to write prose. The
implementations live in `memcli.backends`; `tests/helpers/keyword_models.py` has small ones for
tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from memcli.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from array import array

    import numpy as np
    from numpy.typing import NDArray

DEFAULT_THOUGHT_TOKENS = 1024  # most that a model thinks if nobody says how much

Vectors: TypeAlias = "NDArray[np.float32]"  # shape (texts, dimensions), rows of length 1


@dataclass(frozen=True, slots=True)
class RerankPrompt:
    """The prompt that a yes/no reranker was trained with; the backend fills in the `{}` fields.

    `prefix` and `suffix` are markup; instruction, query and document are text and never become
    special tokens.
    """

    prefix: str
    body: str  # contains {instruction}, {query} and, at the very end, {document}
    suffix: str
    instruction: str
    context: int  # tokens of the whole prompt; only the document is cut to fit


@dataclass(frozen=True, slots=True)
class Sampling:
    """The settings for sampling the next token. Temperature 0 takes the likeliest one."""

    temperature: float = 0.6
    top_p: float = 0.95
    top_k: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may call instead of answering."""

    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON Schema of the arguments, an object


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's decision to call a tool; the arguments obey the tool's schema."""

    name: str
    arguments: Mapping[str, Any]  # JSON values
    ignored_calls: tuple[str, ...] = ()  # names of further tools it called, which are ignored


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue with a model. A tool's result has the role `tool`."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    thought: str = ""  # the assistant's reasoning before its text or call
    call: ToolCall | None = None  # the assistant's call


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of a chat model's reasoning before its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class SiftedOrder:
    """The order that a sifter puts sessions in: their indices, best first, without repeats."""

    order: tuple[int, ...]


class Embedder(Protocol):
    """A model that places texts in a vector space."""

    name: str

    @property
    def dimensions(self) -> int:
        """The length of its vectors; some embedders learn it from the model."""
        ...

    @property
    def fingerprint(self) -> str:
        """A digest of model and settings: vectors of two fingerprints never mix."""
        ...

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> Vectors:
        """Return one unit vector per text, in the order given.

        Args:
            texts: texts of any length; the model does not see the part beyond its context.
            questions: True if the texts are questions; some models are trained to be told so.

        Raises:
            BackendError: the model failed.
        """
        ...


@runtime_checkable
class QuestionEmbedder(Protocol):
    """An embedder that computes the vectors of a few questions without numpy."""

    def embed_questions(self, texts: Sequence[str]) -> list["array[float]"]:
        """Return the vectors that `Embedder.embed` returns for questions, in float32.

        Raises:
            BackendError: the model failed.
        """
        ...


@runtime_checkable
class SentenceEmbedder(Protocol):
    """An embedder that reads a text as a whole, and is the better the fewer subjects a text has."""

    window_turns: int  # turns that one vector stands for


class Reranker(Protocol):
    """A model that judges one passage at a time, yes or no, for the rerank stage."""

    name: str
    fingerprint: str  # a digest of weights and prompt: scores of two fingerprints never mix

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt; estimated for a server."""
        ...

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]) for each passage as soon as it is judged.

        Raises:
            BackendError: the model failed.
        """
        ...


class Sifter(Protocol):
    """A model that reads sessions, thinks, and ranks them, for the sift stage."""

    name: str
    fingerprint: str
    context: int  # tokens for message, thought and ranking together

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        ...

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | SiftedOrder]:
        """Yield the thought in pieces as it is written, and last of all the order.

        Args:
            message: the one user message, with sessions numbered from 0 to shown - 1.
            shown: number of sessions in the message.
            ranked: number of them to rank, at most `shown`.
            thought_tokens: the thought is closed after this many tokens.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        ...


class Reader(Protocol):
    """A model that reads a dialogue, thinks, and calls one tool; `mem read` runs it in a loop."""

    name: str
    fingerprint: str
    context: int  # tokens for messages, thought and call together

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        ...

    def call(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        thought_tokens: int,
        call_tokens: int,
        seed: int = 0,
    ) -> Iterator[str | ToolCall]:
        """Yield the thought in pieces as it is written, and last of all the one call.

        Args:
            messages: the dialogue so far.
            tools: the tools it may call.
            thought_tokens: the thought is closed after this many tokens.
            call_tokens: the call has to be complete after this many tokens and those that the
                thought has left.
            seed: a number that is added to the seed of the sampling.

        Raises:
            ContextError: everything together exceeds the context.
            ReplyError: the call was not complete in time, or obeys no tool's schema.
            BackendError: the model failed.
        """
        ...


class Chat(Protocol):
    """A model that answers a question in words, for `mem ask --answer`."""

    name: str
    fingerprint: str
    context: int  # tokens for messages, thought and answer together

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message; estimated for a server."""
        ...

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought, if the model thinks, and then the answer, piece by piece.

        Args:
            messages: the dialogue so far.
            thought_tokens: the thought is closed after this many tokens.
            answer_tokens: the answer is cut after this many.

        Raises:
            BackendError: the model failed, or everything together exceeds the context.
        """
        ...
