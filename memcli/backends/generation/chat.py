"""A dialogue in, a thought and an answer in words out."""

from collections.abc import Generator, Iterator, Sequence

from memcli.backends.generation.chat_template import OPEN
from memcli.backends.generation.generator import Writer
from memcli.backends.generation.thought_stream import CLOSED, answer, thought
from memcli.errors import BackendError
from memcli.protocols import Message, Thought


class Answering(Writer):
    """Answers in words: what `protocols.Chat` asks for.

    It thinks first if its chat template knows thoughts.
    """

    task = "chat"

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought and then the answer, in pieces as they are written.

        Raises:
            BackendError: the model failed, or everything together exceeds the context.
        """
        prompt = self.prompt(messages)
        close = self.words.markup(f"\n{CLOSED}\n\n") if self.thinks else []
        room = len(prompt) + len(close) + answer_tokens + thought_tokens * self.thinks
        if room > self.context:
            raise BackendError(
                f"the question takes {len(prompt):,} tokens and its answer up to"
                f" {room - len(prompt):,}: more than the context of {self.context:,}",
                hint="let it think less with `--think`",
            )
        with self.tape(prompt, room) as tape:
            if self.thinks and not (yield from _told(thought(tape.drawn(thought_tokens)))):
                tape.feed(close)
            yield from answer(tape.drawn(answer_tokens))

    @property
    def thinks(self) -> bool:
        """Whether the reply begins with a thought."""
        return OPEN in (self.words.template or "")


def _told(pieces: Generator[str, None, bool]) -> Generator[Thought, None, bool]:
    """Yield the pieces of a thought as such; return whether the model closed it."""
    while True:
        try:
            yield Thought(next(pieces))
        except StopIteration as end:
            return bool(end.value)
