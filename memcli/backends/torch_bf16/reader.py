"""A dialogue in, a thought and one tool call out: what the llama backend does, with its parts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from memcli.backends.llama.json_constraint import JsonText, call_text
from memcli.backends.llama.reader import CALL, LIKELIEST, write_call
from memcli.backends.llama.template import dialogue
from memcli.backends.llama.thought import CLOSED, thought
from memcli.backends.torch_bf16.folder import check_folder
from memcli.backends.torch_bf16.language import LanguageModel, Tape
from memcli.domain import fingerprint
from memcli.errors import BackendError, ContextError
from memcli.protocols import Message, Sampling, Tool, ToolCall


def open_reader(
    folder: Path, *, context: int, sampling: Sampling, device: str | None = None
) -> "TorchReader":
    """Check a model and return its reader; it is loaded when it has something to read.

    Args:
        folder: a causal model as a hub has it.
        context: tokens that messages, thought and call share, at most.
        sampling: how thought and call are drawn.
        device: as torch names it; None is the fastest there is.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged.
    """
    return TorchReader(folder, context=context, sampling=sampling, device=device)


class TorchReader:
    """A model that thinks before it calls a tool, as safetensors. Implements `protocols.Reader`."""

    def __init__(
        self, folder: Path, *, context: int, sampling: Sampling, device: str | None
    ) -> None:
        self.name = folder.name
        checked = check_folder(folder)
        self.fingerprint = fingerprint("read", checked.digest, sampling)
        self.context = min(context, checked.context or context)
        self._sampling = sampling
        self._model = LanguageModel(folder, device)

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self._model.vocabulary.plain(text))

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

        A call that is not complete after `call_tokens` is closed in the shortest way, its last
        string cut where it was and what is missing left empty.

        Raises:
            ContextError: everything together exceeds the context.
            BackendError: the model failed.
            ValueError: there is no tool, or a schema asks for more than can be enforced.
        """
        text = call_text(tools)
        words = self._model.vocabulary
        prompt = self.prompt(messages, tools)
        close = words.markup(f"\n{CLOSED}{CALL}")
        if len(prompt) + thought_tokens + len(close) + call_tokens > self.context:
            raise ContextError(
                f"the dialogue takes {len(prompt):,} tokens, the thought {thought_tokens:,} and"
                f" the call {call_tokens + len(close):,}:"
                f" more than the context of {self.context:,}",
                hint="read less at a time, or allow a shorter thought",
            )
        sampling = replace(self._sampling, seed=self._sampling.seed + seed)
        tape = Tape(self._model, sampling)
        tape.feed(prompt)
        closed = yield from thought(tape.written(thought_tokens))
        tape.feed(words.markup(CALL) if closed else close)
        write_call(text, words, call_tokens, choose=lambda: _chosen(text, tape), feed=tape.feed)
        yield ToolCall(**text.value)

    def prompt(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[int]:
        """Return the tokens of the whole prompt, up to where the thought begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        words = self._model.vocabulary
        return words.dialogue(dialogue(words.template, words.marks, words.folder, messages, tools))


def _chosen(text: JsonText, tape: Tape) -> int:
    """Draw a token that may follow; special tokens never may, whatever their names spell.

    Raises:
        BackendError: the vocabulary has none.
    """
    words = tape.model.vocabulary
    for count in LIKELIEST:
        allowed = [
            token
            for token in tape.likeliest(count)
            if token not in words.special and (piece := words.piece(token)) and text.allows(piece)
        ]
        if allowed:
            return tape.draw(among=allowed)
    raise BackendError(f"the vocabulary of {words.folder} cannot spell a call")
