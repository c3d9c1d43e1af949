"""Measurements for `mem bench --speed`: torch itself, and work without what our way keeps."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from memcli.backends.torch_bf16.causal_lm import TorchLanguageModel, TorchSequence
from memcli.backends.torch_bf16.model_folder import check_folder
from memcli.backends.torch_bf16.reranker import TorchReranker
from memcli.backends.torch_bf16.torch_imports import inference
from memcli.backends.yes_no import yes_probability
from memcli.protocols import Sampling

REPLY_TOKENS = 32  # tokens that are generated at a time
OLD_TOKENS = NEW_TOKENS = 512  # of a dialogue: what was read before, and what is new


class TorchBenchmark:
    """A model that reads a dialogue, and generates a short reply to it.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        check_folder(folder)
        self._model = TorchLanguageModel(folder, None)
        text = "What was said about it? " * (OLD_TOKENS + NEW_TOKENS)
        tokens = self._model.tokenizer.encode(text)[: OLD_TOKENS + NEW_TOKENS]
        self._old, self._new = tokens[:OLD_TOKENS], tokens[OLD_TOKENS:]
        self._forget()
        self._sequence.feed(self._old[:1])  # loads the weights

    def read_prompt(self) -> int:
        """Read a whole dialogue; return its number of tokens."""
        self._forget()
        return self.read_new()

    def read_new(self) -> int:
        """Read a dialogue of which only the last turn is new; return its number of tokens."""
        self._new.reverse()  # so that it differs from the last one
        self._sequence.restart(self._old + self._new)
        return OLD_TOKENS + NEW_TOKENS

    def generate_reply(self) -> int:
        """Generate any reply to what was read; return its number of tokens."""
        for _ in range(REPLY_TOKENS):
            self._sequence.feed([self._sequence.sample()])
        return REPLY_TOKENS

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def _forget(self) -> None:
        self._sequence = TorchSequence(self._model, Sampling(temperature=0))


class NaiveTorchReranker:
    """A reranker without our tricks: it reads each whole prompt, one after the other."""

    def __init__(self, reranker: TorchReranker) -> None:
        self._reranker = reranker

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]) in the order given."""
        model = self._reranker.model
        answers = [model.tokenizer.encode_single(word) for word in ("yes", "no")]
        for index, prompt in enumerate(self._reranker.encode_prompts(question, passages)):
            with inference(model.folder):
                [[yes, no]] = model.logits(model.read([prompt])[0], answers).tolist()
            yield index, yes_probability(yes, no)
