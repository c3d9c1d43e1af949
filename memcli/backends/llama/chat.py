"""A dialogue in, a thought and an answer in words out."""

from collections.abc import Generator, Iterator, Sequence

from memcli.backends.llama.tape import Tape
from memcli.backends.llama.template import OPEN
from memcli.backends.llama.thought import CLOSED, thought, words
from memcli.backends.llama.writer import LlamaWriter
from memcli.errors import BackendError
from memcli.protocols import Message, Thought


class LlamaChat(LlamaWriter):
    """A model that answers in words, as a GGUF file. Implements `protocols.Chat`.

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
        model = self._model
        prompt = self.prompt(messages)
        close = model.markup(f"\n{CLOSED}\n\n") if self._thinks else []
        room = len(prompt) + len(close) + answer_tokens + thought_tokens * self._thinks
        if room > self.context:
            raise BackendError(
                f"the question takes {len(prompt):,} tokens and its answer up to"
                f" {room - len(prompt):,}: more than the context of {self.context:,}",
                hint="let it think less with `--think`",
            )
        with self._room(room) as context:
            tape = Tape(context)
            tape.feed(prompt)
            if self._thinks and not (yield from _told(thought(tape.drawn(thought_tokens)))):
                tape.feed(close)
            yield from words(tape.drawn(answer_tokens))

    @property
    def _thinks(self) -> bool:
        return OPEN in (self._model.template or "")


def _told(pieces: Generator[str, None, bool]) -> Generator[Thought, None, bool]:
    """Yield the pieces of a thought as such; return whether the model closed it."""
    while True:
        try:
            yield Thought(next(pieces))
        except StopIteration as end:
            return bool(end.value)
