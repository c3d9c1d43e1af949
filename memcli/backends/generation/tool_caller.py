"""Generation of a thought and one tool call from a dialogue.

The thought is sampled freely and has a budget. The call is generated under a constraint: the model
can only call one of the tools, with arguments that obey its schema.
"""

from collections.abc import Iterator, Sequence

from memcli.backends.generation.generator import TextGenerator, Tokenizer, TokenSequence
from memcli.backends.generation.json_constraint import JsonConstraint, constrain_call
from memcli.backends.generation.thought_stream import THINK_CLOSE, stream_thought
from memcli.errors import BackendError, ContextError
from memcli.protocols import Message, Tool, ToolCall

CALL_OPEN = "\n\n<tool_call>\n"
CANDIDATE_COUNTS = (64, 4096, 1 << 32)  # likely tokens to try: more only if none is allowed


class CountedPieces:
    """An iterator over tokens that counts them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.count = 0
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        """Return the iterator."""
        return self

    def __next__(self) -> bytes:
        """Return the next token's bytes."""
        piece = next(self._pieces)
        self.count += 1
        return piece


class ToolCallGenerator(TextGenerator):
    """A generator of a thought and one tool call. Implements `protocols.Reader`."""

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
        """Yield the thought in pieces as it is generated, and finally the one call.

        The tokens that the thought leaves belong to the call. A call that is not complete after
        that many is closed in the shortest way: its last string is cut where it is, and its
        remaining properties are left empty.

        Raises:
            ContextError: everything together exceeds the context.
            BackendError: the model failed.
            ValueError: there is no tool, or a schema asks for more than can be enforced.
        """
        constraint = constrain_call(tools)
        tokenizer = self.tokenizer
        prompt = self.encode_prompt(messages, tools)
        close = tokenizer.encode_markup(f"\n{THINK_CLOSE}{CALL_OPEN}")
        room = len(prompt) + thought_tokens + len(close) + call_tokens
        if room > self.context:
            raise ContextError(
                f"the dialogue takes {len(prompt):,} tokens, the thought {thought_tokens:,} and"
                f" the call {call_tokens + len(close):,}:"
                f" more than the context of {self.context:,}",
                hint="read less at a time, or allow a shorter thought",
            )
        with self.open_sequence(prompt, room, seed) as sequence:
            thought = CountedPieces(sequence.generate(thought_tokens))
            closed = yield from stream_thought(thought)
            sequence.feed(tokenizer.encode_markup(CALL_OPEN) if closed else close)
            left = thought_tokens - thought.count
            self._generate_call(constraint, sequence, call_tokens + left)
        yield ToolCall(**constraint.value)

    def _generate_call(
        self, constraint: JsonConstraint, sequence: TokenSequence, max_tokens: int
    ) -> None:
        """Generate a call up to its end, or for `max_tokens` and then close it."""
        remaining = max_tokens
        while not constraint.is_determined:
            tokens = _forced_tokens(constraint, self.tokenizer)
            tokens = tokens or [self._sample_allowed(constraint, sequence)]
            remaining -= len(tokens)
            if remaining < 0:
                break
            constraint.accept(b"".join(map(self.tokenizer.decode_token, tokens)))
            sequence.feed(tokens)
        constraint.close()

    def _sample_allowed(self, constraint: JsonConstraint, sequence: TokenSequence) -> int:
        """Sample a token that may follow; special tokens never may, whatever their names spell.

        Raises:
            BackendError: the vocabulary has none.
        """
        special, piece = self.tokenizer.special_tokens, self.tokenizer.decode_token
        for count in CANDIDATE_COUNTS:
            allowed = [
                token
                for token in sequence.most_likely(count)
                if token not in special and (text := piece(token)) and constraint.allows(text)
            ]
            if allowed:
                return sequence.sample_among(allowed)
        raise BackendError(f"the vocabulary of {self._path} cannot spell a call")


def _forced_tokens(constraint: JsonConstraint, tokenizer: Tokenizer) -> list[int]:
    """Return the tokens of the bytes that can only follow, without the last token.

    The last one is left to the model: its vocabulary may spell the end of the forced bytes and the
    beginning of the next ones in one token, as in its training.
    """
    forced = constraint.forced_bytes()
    try:
        tokens = tokenizer.encode(forced.decode())[:-1]
    except UnicodeDecodeError:  # the bytes begin or end within a letter
        return []
    return tokens if forced.startswith(b"".join(map(tokenizer.decode_token, tokens))) else []
