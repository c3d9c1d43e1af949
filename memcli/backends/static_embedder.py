"""Static embeddings that come inside a dependency: nothing to download, milliseconds to run."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Vectors

_TEXTS = 256  # tokenised at a time
_TOKENS = 8192  # looked up at a time, 1 KB each


class WordLlamaEmbedder:
    """The mean of a text's token vectors, 256 dimensions. Implements `protocols.Embedder`.

    A text without tokens gets a vector of its own, the first axis.
    """

    name = "wordllama-256"
    dimensions = 256

    @cached_property
    def fingerprint(self) -> str:
        """What vectors of this embedder are kept under: another wordllama may differ."""
        return fingerprint(self.name, version("wordllama"))

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> Vectors:
        """Return one unit vector per text, in the order given.

        Raises:
            BackendError: wordllama's files are not where it keeps them.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, tokens in enumerate(self._tokens(texts)):
            for first in range(0, len(tokens), _TOKENS):
                vectors[row] += self._model.embedding[tokens[first : first + _TOKENS]].sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[lengths[:, 0] == 0, 0] = 1
        lengths[lengths == 0] = 1
        vectors /= lengths
        return vectors

    def _tokens(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """Yield each text's tokens that have a vector.

        Not by the library's own `embed`: it pads a batch to its longest text, and one text of
        10 MB would take 100 GB.
        """
        known = len(self._model.embedding)
        for first in range(0, len(texts), _TEXTS):
            # Lone surrogates become question marks: the tokeniser refuses them.
            some = [
                text.encode("utf-8", "replace").decode() for text in texts[first : first + _TEXTS]
            ]
            for encoding in self._model.tokenizer.encode_batch(some, add_special_tokens=False):
                yield [min(token, known - 1) for token in encoding.ids]

    @cached_property
    def _model(self) -> Any:  # Any: wordllama comes without types
        import logging

        root = logging.getLogger()
        before = root.handlers[:], root.level
        try:
            from wordllama import WordLlama  # type: ignore[import-untyped]  # it has none

            spec = find_spec("wordllama")
            folder = Path(spec.origin or "").parent if spec else None
            # Without the folder it looks elsewhere for its tokeniser, and then in the network.
            model = WordLlama.load(cache_dir=folder, disable_download=True)
        except (ImportError, OSError) as error:
            raise BackendError(
                f"the built-in embedder cannot be loaded: {error}",
                hint="`pip install --force-reinstall wordllama`",
            ) from error
        finally:
            root.handlers[:], level = before  # wordllama makes every library talk on stderr
            root.setLevel(level)
        model.tokenizer.no_padding()
        return model
