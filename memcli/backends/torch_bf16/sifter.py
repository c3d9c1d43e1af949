"""Sessions in, a thought and a ranking out: what the llama backend does, with the same parts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from memcli.backends.llama.permutation import Permutation
from memcli.backends.llama.sifter import RANKED, RANKING
from memcli.backends.llama.template import dialogue
from memcli.backends.llama.thought import CLOSED, thought
from memcli.backends.torch_bf16.folder import check_folder
from memcli.backends.torch_bf16.language import LanguageModel, Tape
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Message, Ranking, Sampling


def open_sifter(
    folder: Path, *, context: int, sampling: Sampling, device: str | None = None
) -> "TorchSifter":
    """Check a model and return its sifter; it is loaded when it has something to read.

    Args:
        folder: a causal model as a hub has it.
        context: tokens that message, thought and ranking share, at most.
        sampling: how the thought is drawn.
        device: as torch names it; None is the fastest there is.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged.
    """
    return TorchSifter(folder, context=context, sampling=sampling, device=device)


class TorchSifter:
    """A model that thinks before it ranks, as safetensors. Implements `protocols.Sifter`."""

    def __init__(
        self, folder: Path, *, context: int, sampling: Sampling, device: str | None
    ) -> None:
        self.name = folder.name
        checked = check_folder(folder)
        self.fingerprint = fingerprint("sift", checked.digest, sampling)
        self.context = min(context, checked.context or context)
        self._sampling = sampling
        self._model = LanguageModel(folder, device)

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self._model.vocabulary.plain(text))

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | Ranking]:
        """Yield the thought in pieces as it is written, and last of all the Ranking.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        words = self._model.vocabulary
        ids = [words.plain(str(id)) for id in range(shown)]
        ranked = min(ranked, shown)
        if not ranked:
            yield Ranking(())
            return
        prompt = self.prompt(message)
        close = words.markup(CLOSED + RANKING)
        ranking = len(close) + ranked * (max(map(len, ids)) + 1)
        self._check(len(prompt), thought_tokens, ranking)
        tape = Tape(self._model, self._sampling)
        tape.feed(prompt)
        closed = yield from thought(tape.written(thought_tokens))
        permutation = Permutation(
            ids, ranked=ranked, comma=words.single(","), end=words.markup(RANKED)[0]
        )
        _write(permutation, tape, words.markup(RANKING) if closed else close)
        yield Ranking(tuple(permutation.order))

    def prompt(self, message: str) -> list[int]:
        """Return the tokens of the whole prompt, up to where the thought begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        words, asked = self._model.vocabulary, [Message("user", message)]
        return words.dialogue(dialogue(words.template, words.marks, words.folder, asked))

    def _check(self, prompt: int, thought: int, ranking: int) -> None:
        """Refuse what does not fit the context."""
        if prompt + thought + ranking > self.context:
            raise BackendError(
                f"the message takes {prompt:,} tokens, the thought {thought:,} and the ranking"
                f" {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )


def _write(permutation: Permutation, tape: Tape, tokens: Sequence[int]) -> None:
    """Complete the list, the likeliest token at each step; asks only where there is a choice."""
    waiting = list(tokens)
    while not permutation.complete:
        allowed = permutation.allowed()
        token = allowed[0]
        if len(allowed) > 1:
            tape.feed(waiting)
            waiting = []
            token = allowed[int(tape.logits[allowed].argmax())]
        permutation.take(token)
        waiting.append(token)
