"""What memcli asks of a model, one small protocol per ability.

A backend implements the abilities it has; a GGUF embedder need not pretend to write prose.
Implementations live in `memcli.backends`, and `memcli.backends.fake` has one of each for tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"  # shape (texts, dimensions), rows of length 1


@dataclass(frozen=True, slots=True)
class RerankPrompt:
    """How a yes/no reranker was taught to be asked. `{}` fields are filled in by the backend.

    `prefix` and `suffix` are markup; instruction, query and document are text and never become
    special tokens.
    """

    prefix: str
    body: str  # with {instruction}, {query} and, at the very end, {document}
    suffix: str
    instruction: str
    context: int  # tokens for the whole; only the document is cut to fit


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. Temperature 0 takes the likeliest."""

    temperature: float = 0.6
    top_p: float = 0.95
    top_k: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    """Something a model may call instead of answering."""

    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON Schema of the arguments, an object


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's decision to call a tool; the arguments obey the tool's schema."""

    name: str
    arguments: Mapping[str, Any]  # as JSON has them
    others: tuple[str, ...] = ()  # names of what it called beside, which nobody looked at


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue with a model. A tool's result has the role `tool`."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    thought: str = ""  # an assistant's, before its text or call
    call: ToolCall | None = None  # an assistant's


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what a chat model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order a sifter decided on: indices of the sessions shown, best first, no repeats."""

    order: tuple[int, ...]


class Embedder(Protocol):
    """Places texts in a vector space."""

    name: str

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has; some learn it from the model."""
        ...

    @property
    def fingerprint(self) -> str:
        """What its vectors are kept under: vectors of two embedders never mix."""
        ...

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> Vectors:
        """Return one unit vector per text, in the order given.

        Args:
            texts: any lengths; what exceeds the model's context is not seen.
            questions: whether they ask rather than tell: some models were taught to be told.

        Raises:
            BackendError: the model failed.
        """
        ...


class Reranker(Protocol):
    """Answers yes or no about one passage at a time: the rerank stage."""

    name: str
    fingerprint: str  # of weights and prompt: scores of two rerankers never mix

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt; a server's are estimated."""
        ...

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]) for every passage once, as they are done.

        Raises:
            BackendError: the model failed.
        """
        ...


class Sifter(Protocol):
    """Reads sessions, thinks, and ranks them: the sift stage."""

    name: str
    fingerprint: str
    context: int  # tokens that message, thought and ranking share

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        ...

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | Ranking]:
        """Yield the thought in pieces as it is written, and last of all the Ranking.

        Args:
            message: the one user message, sessions numbered 0 to shown - 1 in it.
            shown: how many sessions the message shows.
            ranked: how many of them to rank, at most `shown`.
            thought_tokens: the thought is closed after this many tokens.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        ...


class Reader(Protocol):
    """Reads a dialogue, thinks, and calls one tool: what `mem read` loops over."""

    name: str
    fingerprint: str
    context: int  # tokens that messages, thought and call share

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
            tools: what may be called.
            thought_tokens: the thought is closed after this many tokens.
            call_tokens: the call has to be complete within so many.
            seed: added to that of the sampling.

        Raises:
            ContextError: everything together exceeds the context.
            ReplyError: the call was not complete in time or obeys no tool's schema.
            BackendError: the model failed.
        """
        ...


class Chat(Protocol):
    """Answers in words: what `mem ask --answer` puts the ranked sessions to."""

    name: str
    fingerprint: str
    context: int  # tokens that messages, thought and answer share

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message; a server's are estimated."""
        ...

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought, if the model thinks, and then the answer, in pieces as they come.

        Args:
            messages: the dialogue so far.
            thought_tokens: the thought is closed after this many tokens.
            answer_tokens: the answer is cut after this many.

        Raises:
            BackendError: the model failed, or everything together exceeds the context.
        """
        ...
