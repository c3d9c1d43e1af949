"""Static embeddings that come inside a dependency: no download, and milliseconds to run."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Vectors

_BATCH_TEXTS = 256  # texts that are tokenized at a time
_BATCH_TOKENS = 8192  # vectors that are looked up at a time, 1 KB each


class WordLlamaEmbedder:
    """The mean of a text's token vectors, 256 dimensions. Implements `protocols.Embedder`.

    A text without tokens gets a vector of its own, the first axis.
    """

    name = "wordllama-256"
    dimensions = 256

    @cached_property
    def fingerprint(self) -> str:
        """The key of this embedder's vectors: those of another wordllama may differ."""
        return fingerprint(self.name, version("wordllama"))

    def embed(
        self,
        texts: Sequence[str],
        *,
        questions: bool = False,  # noqa: ARG002  # static vectors need no prefix
    ) -> Vectors:
        """Return one unit vector per text, in the order given.

        Raises:
            BackendError: wordllama's files are missing.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, tokens in enumerate(self._tokenize(texts)):
            for first in range(0, len(tokens), _BATCH_TOKENS):
                batch = tokens[first : first + _BATCH_TOKENS]
                vectors[row] += self._model.embedding[batch].sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[lengths[:, 0] == 0, 0] = 1
        lengths[lengths == 0] = 1
        vectors /= lengths
        return vectors

    def _tokenize(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Yield the tokens of each text, each with a row in the table.

        The library's own `embed` is not used: it pads a batch to its longest text, and one text of
        10 MB would take 100 GB.
        """
        rows = len(self._model.embedding)
        for first in range(0, len(texts), _BATCH_TEXTS):
            # Lone surrogates become question marks: the tokenizer refuses them.
            batch = [
                text.encode("utf-8", "replace").decode()
                for text in texts[first : first + _BATCH_TEXTS]
            ]
            for encoding in self._model.tokenizer.encode_batch(batch, add_special_tokens=False):
                yield [min(token, rows - 1) for token in encoding.ids]

    @cached_property
    def _model(self) -> Any:  # Any: wordllama comes without types
        import logging

        root = logging.getLogger()
        before = root.handlers[:], root.level
        try:
            from wordllama import WordLlama  # type: ignore[import-untyped]  # no types

            spec = find_spec("wordllama")
            folder = Path(spec.origin or "").parent if spec else None
            # Without the folder it looks elsewhere for its tokenizer, and then in the network.
            model = WordLlama.load(cache_dir=folder, disable_download=True)
        except (ImportError, OSError) as error:
            raise BackendError(
                f"the built-in embedder cannot be loaded: {error}",
                hint="`pip install --force-reinstall wordllama`",
            ) from error
        finally:
            root.handlers[:], level = before  # wordllama makes every library log to stderr
            root.setLevel(level)
        model.tokenizer.no_padding()
        return model
