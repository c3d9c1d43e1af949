"""A dialogue in, a thought and one tool call out.

The thought is drawn freely and has a budget. The call is written under a constraint: whatever the
model would rather say, it can only call one of the tools, with arguments that obey its schema.
"""

from collections.abc import Iterator, Sequence

from memcli.backends.generation.generator import Tape, Words, Writer
from memcli.backends.generation.json_constraint import JsonText, call_text
from memcli.backends.generation.thought_stream import CLOSED, thought
from memcli.errors import BackendError, ContextError
from memcli.protocols import Message, Tool, ToolCall

CALL = "\n\n<tool_call>\n"
LIKELIEST = (64, 4096, 1 << 32)  # tokens to look at, more only where none of fewer is allowed


class Calling(Writer):
    """Thinks before it calls a tool: what `protocols.Reader` asks for."""

    task = "read"

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
        words = self.words
        prompt = self.prompt(messages, tools)
        close = words.markup(f"\n{CLOSED}{CALL}")
        room = len(prompt) + thought_tokens + len(close) + call_tokens
        if room > self.context:
            raise ContextError(
                f"the dialogue takes {len(prompt):,} tokens, the thought {thought_tokens:,} and"
                f" the call {call_tokens + len(close):,}:"
                f" more than the context of {self.context:,}",
                hint="read less at a time, or allow a shorter thought",
            )
        with self.tape(prompt, room, seed) as tape:
            closed = yield from thought(tape.drawn(thought_tokens))
            tape.feed(words.markup(CALL) if closed else close)
            self._write(text, tape, call_tokens)
        yield ToolCall(**text.value)

    def _write(self, text: JsonText, tape: Tape, budget: int) -> None:
        """Write a text to its end, or as far as so many tokens go and then the shortest way."""
        while not text.decided:
            tokens = _forced(text, self.words) or [self._chosen(text, tape)]
            budget -= len(tokens)
            if budget < 0:
                break
            text.take(b"".join(map(self.words.piece, tokens)))
            tape.feed(tokens)
        text.close()

    def _chosen(self, text: JsonText, tape: Tape) -> int:
        """Draw a token that may follow; special tokens never may, whatever their names spell.

        Raises:
            BackendError: the vocabulary has none.
        """
        special, piece = self.words.special, self.words.piece
        for count in LIKELIEST:
            allowed = [
                token
                for token in tape.likeliest(count)
                if token not in special and (written := piece(token)) and text.allows(written)
            ]
            if allowed:
                return tape.draw_among(allowed)
        raise BackendError(f"the vocabulary of {self._path} cannot spell a call")


def _forced(text: JsonText, words: Words) -> list[int]:
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
