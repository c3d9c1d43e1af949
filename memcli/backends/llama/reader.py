"""A dialogue in, a thought and one tool call out.

The thought is drawn freely and has a budget. The call is written under a constraint: whatever the
model would rather say, it can only call one of the tools, with arguments that obey its schema.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from memcli.backends.llama.context import Context
from memcli.backends.llama.json_constraint import JsonText, call_text
from memcli.backends.llama.tape import Tape
from memcli.backends.llama.thought import CLOSED, thought
from memcli.backends.llama.writer import LlamaWriter
from memcli.errors import BackendError, ContextError
from memcli.protocols import Message, Tool, ToolCall

CALL = "\n\n<tool_call>\n"
LIKELIEST = (64, 4096, 1 << 32)  # tokens to look at, more only where none of fewer is allowed


class LlamaReader(LlamaWriter):
    """A model that thinks before it calls a tool, as a GGUF file. Implements `protocols.Reader`.

    It keeps what it has read: the next call over the same dialogue, grown by a few messages, reads
    only what is new. The same dialogue and seed give the same call, whatever was read before.
    """

    task = "read"
    _kept: Tape | None = None

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
        model = self._model
        prompt = self.prompt(messages, tools)
        close = model.markup(f"\n{CLOSED}{CALL}")
        room = len(prompt) + thought_tokens + len(close) + call_tokens
        if room > self.context:
            raise ContextError(
                f"the dialogue takes {len(prompt):,} tokens, the thought {thought_tokens:,} and"
                f" the call {call_tokens + len(close):,}:"
                f" more than the context of {self.context:,}",
                hint="read less at a time, or allow a shorter thought",
            )
        with self._tape(room) as tape:
            tape.rewrite(prompt, seed)
            closed = yield from thought(tape.drawn(thought_tokens))
            tape.feed(model.markup(CALL) if closed else close)
            write_call(
                text,
                model,
                call_tokens,
                choose=lambda: _chosen(text, tape.context),
                feed=tape.feed,
            )
        yield ToolCall(**text.value)

    @contextmanager
    def _tape(self, room: int) -> Iterator[Tape]:
        """Lend the tape that was kept, or a longer one; it is kept again if all goes well."""
        tape, self._kept = self._kept, None  # nobody else gets it meanwhile
        if tape is None or tape.context.tokens < room:
            if tape:
                tape.context.close()
            tape = self._longer(room)
        try:
            yield tape
        except BaseException:
            tape.context.close()
            raise
        if self._kept:
            self._kept.context.close()
        self._kept = tape

    def _longer(self, room: int) -> Tape:
        """Return a tape with room to grow: each step of a dialogue needs more."""
        room = min(room + room // 2, self.context)
        context = self._room(room)
        return Tape(context)


class Spelling(Protocol):
    """A vocabulary, as far as writing a text goes."""

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text, none of them special."""
        ...

    def piece(self, token: int) -> bytes:
        """Return what a token writes."""
        ...


def write_call(
    text: JsonText,
    words: Spelling,
    budget: int,
    *,
    choose: Callable[[], int],
    feed: Callable[[Sequence[int]], None],
) -> None:
    """Write a text to its end, or as far as so many tokens go and then the shortest way.

    Args:
        text: what may be written.
        words: how it is spelled.
        budget: most tokens.
        choose: draws a token that may follow.
        feed: lets tokens follow.
    """
    while not text.decided:
        tokens = _forced(text, words) or [choose()]
        budget -= len(tokens)
        if budget < 0:
            break
        text.take(b"".join(map(words.piece, tokens)))
        feed(tokens)
    text.close()


def _forced(text: JsonText, words: Spelling) -> list[int]:
    """Return the tokens of what can only follow, but for the last one.

    That one is left to the model: its vocabulary may spell the end of what is forced and the
    beginning of what is not in one token, as it was taught to.
    """
    forced = text.forced()
    try:
        tokens = words.plain(forced.decode())[:-1]
    except UnicodeDecodeError:  # it begins or ends within a letter
        return []
    return tokens if forced.startswith(b"".join(map(words.piece, tokens))) else []


def _chosen(text: JsonText, context: Context) -> int:
    """Draw a token that may follow; special tokens never may, whatever their names spell.

    Raises:
        BackendError: the vocabulary has none.
    """
    model = context.model
    for count in LIKELIEST:
        allowed = [
            token
            for token in context.likeliest(count)
            if token not in model.special and text.allows(model.piece(token))
        ]
        if allowed:
            return context.draw_among(allowed)
    raise BackendError(f"the vocabulary of {model.path} cannot spell a call")
