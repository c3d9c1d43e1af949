"""Sessions in, a thought and a ranking out.

The thought is drawn freely and has a budget. The ranking is written under a constraint: whatever
the model would rather say, it can only choose among the ids not yet named.
"""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.model import Context, Model, Run
from memcli.backends.llama.permutation import Permutation
from memcli.backends.llama.template import around_message
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Ranking, Sampling

CLOSED, RANKING, RANKED = "</think>", "<ranking>", "</ranking>"


def open_sifter(
    path: Path,
    *,
    context: int,
    sampling: Sampling,
    gpu_layers: int | None = None,
    threads: int | None = None,
) -> "LlamaSifter":
    """Check a model file and return its sifter; it is loaded when it has something to read.

    Args:
        path: a GGUF file of a causal model.
        context: tokens that message, thought and ranking share, at most.
        sampling: how the thought is drawn.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged.
    """
    return LlamaSifter(
        path, context=context, sampling=sampling, gpu_layers=gpu_layers, threads=threads
    )


class LlamaSifter:
    """A model that thinks before it ranks, as a GGUF file. Implements `protocols.Sifter`."""

    def __init__(
        self,
        path: Path,
        *,
        context: int,
        sampling: Sampling,
        gpu_layers: int | None,
        threads: int | None,
    ) -> None:
        self.name = path.stem
        checked = check_gguf(path)
        self.fingerprint = fingerprint("sift", checked.digest, sampling)
        self.context = min(context, checked.context or context)
        self._path, self._sampling = path, sampling
        self._gpu_layers, self._threads = gpu_layers, threads

    def close(self) -> None:
        """Free the model."""
        if "_model" in self.__dict__:
            self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self._model.plain(text))

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | Ranking]:
        """Yield the thought in pieces as it is written, and last of all the Ranking.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        model = self._model
        ids = [model.plain(str(id)) for id in range(shown)]
        ranked = min(ranked, shown)
        if not ranked:
            yield Ranking(())
            return
        prompt = self.prompt(message)
        close = model.markup(CLOSED + RANKING)
        ranking = len(close) + ranked * (max(map(len, ids)) + 1)
        self._check(len(prompt), thought_tokens, ranking)
        room = len(prompt) + thought_tokens + ranking
        with Context(model, room, threads=self._threads, sampling=self._sampling) as context:
            context.feed([Run(prompt)])
            thought = _Thought(model, context, len(prompt))
            yield from thought.written(thought_tokens)
            after = model.markup(RANKING) if thought.closed else close
            permutation = Permutation(
                ids, ranked=ranked, comma=model.single(","), end=model.markup(RANKED)[0]
            )
            _write(permutation, context, thought.place, after)
        yield Ranking(tuple(permutation.order))

    def prompt(self, message: str) -> list[int]:
        """Return the tokens of the whole prompt, up to where the thought begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        model = self._model
        before, after = self._around
        start = model.markup(before)
        if model.begin is not None and start[:1] != [model.begin]:
            start.insert(0, model.begin)
        return start + model.plain(message) + model.markup(after)

    def _check(self, prompt: int, thought: int, ranking: int) -> None:
        """Refuse what does not fit the context."""
        if prompt + thought + ranking > self.context:
            raise BackendError(
                f"the message takes {prompt:,} tokens, the thought {thought:,} and the ranking"
                f" {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )

    @cached_property
    def _model(self) -> Model:
        return Model(self._path, gpu_layers=self._gpu_layers)

    @cached_property
    def _around(self) -> tuple[str, str]:
        return around_message(self._model.template, self._model.marks, self._path)


class _Thought:
    """A thought being written into a context."""

    def __init__(self, model: Model, context: Context, place: int) -> None:
        self.place = place  # of the next token
        self.closed = False  # by the model itself
        self._model, self._context = model, context

    def written(self, budget: int) -> Iterator[str]:
        """Yield text until the model closes the thought or ends, or the budget is spent."""
        decoder = getincrementaldecoder("utf-8")("replace")
        held = ""  # what may turn out to be the beginning of the closing tag
        for _ in range(budget):
            token = self._context.draw()
            piece = self._model.piece(token)
            if self._model.ends(token) and piece != CLOSED.encode():
                break
            self._context.feed([Run([token], start=self.place)])
            self.place += 1
            text, tag, _ = (held + decoder.decode(piece)).partition(CLOSED)
            kept = 0 if tag else _beginning(text)
            held = text[len(text) - kept :]
            if text[: len(text) - kept]:
                yield text[: len(text) - kept]
            if tag:
                self.closed = True
                return
        rest = held + decoder.decode(b"", final=True)
        if rest:
            yield rest


def _beginning(text: str) -> int:
    """Return how many characters at the end of a text may begin the closing tag."""
    return next(size for size in range(len(CLOSED) - 1, -1, -1) if text.endswith(CLOSED[:size]))


def _write(permutation: Permutation, context: Context, place: int, tokens: list[int]) -> None:
    """Complete the list, the likeliest token at each step; asks only where there is a choice."""
    waiting = list(tokens)
    while not permutation.complete:
        allowed = permutation.allowed()
        token = allowed[0]
        if len(allowed) > 1:
            context.feed([Run(waiting, start=place)])
            place += len(waiting)
            waiting = []
            likelihood = dict(zip(allowed, context.logits(0, allowed), strict=True))
            token = max(allowed, key=likelihood.__getitem__)
        permutation.take(token)
        waiting.append(token)
