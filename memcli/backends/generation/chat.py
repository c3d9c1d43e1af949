"""Generation of a thought and an answer in words from a dialogue."""

from collections.abc import Generator, Iterator, Sequence

from memcli.backends.generation.generator import TextGenerator
from memcli.backends.generation.thought_stream import (
    THINK_CLOSE,
    THINK_OPEN,
    stream_answer,
    stream_thought,
)
from memcli.errors import BackendError
from memcli.protocols import Message, Thought


class ChatGenerator(TextGenerator):
    """A generator of answers in words. Implements `protocols.Chat`.

    It thinks first if its chat template knows thoughts.
    """

    task = "chat"

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought and then the answer, in pieces as they are generated.

        Raises:
            BackendError: the model failed, or everything together exceeds the context.
        """
        prompt = self.encode_prompt(messages)
        thinks = self.thinks
        close = self.tokenizer.encode_markup(f"\n{THINK_CLOSE}\n\n") if thinks else []
        room = len(prompt) + len(close) + answer_tokens + (thought_tokens if thinks else 0)
        if room > self.context:
            raise BackendError(
                f"the question takes {len(prompt):,} tokens and its answer up to"
                f" {room - len(prompt):,}: more than the context of {self.context:,}",
                hint="let it think less with `--think`",
            )
        with self.open_sequence(prompt, room) as sequence:
            if thinks:
                thought = stream_thought(sequence.generate(thought_tokens))
                closed = yield from _wrap_thoughts(thought)
                if not closed:
                    sequence.feed(close)
            yield from stream_answer(sequence.generate(answer_tokens))

    @property
    def thinks(self) -> bool:
        """True if the reply begins with a thought."""
        return THINK_OPEN in (self.tokenizer.chat_template or "")


def _wrap_thoughts(pieces: Generator[str, None, bool]) -> Generator[Thought, None, bool]:
    """Yield the pieces of a thought as `Thought`; return whether the model closed it."""
    while True:
        try:
            yield Thought(next(pieces))
        except StopIteration as end:
            return bool(end.value)
