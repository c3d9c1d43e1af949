"""Static embeddings that come inside a dependency: no download, and milliseconds to run.

Only two files of wordllama's are read, a table of vectors and a vocabulary. The package itself
would import an HTTP client, pydantic and numpy. One question needs no numpy either: its vector is
computed from the few rows of the table that it takes, to the same bit.
"""

import mmap
import struct
from array import array
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from math import prod, sqrt
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from memcli.backends.word_pieces import Tokens, WordPieces

_TABLE = "weights/l2_supercat_256.safetensors"
_VOCABULARY = "tokenizers/l2_supercat_tokenizer_config.json"
_BATCH_TEXTS = 256  # texts that are cut into tokens at a time
_BATCH_TOKENS = 8192  # vectors that are looked up at a time, 1 KB each
_MOST_TOKENS = 4000  # of questions whose vectors are computed without numpy
_BLOCK = 128  # numbers that numpy adds up in one go


class WordLlamaEmbedder:
    """The mean of a text's token vectors, 256 dimensions. Implements `protocols.Embedder`.

    A text without tokens gets a vector of its own, the first axis.
    """

    name = "wordllama-256"
    dimensions = 256

    @cached_property
    def fingerprint(self) -> str:
        """The key of this embedder's vectors: those of another wordllama may differ."""
        return fingerprint(self.name, _installed_version())

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
        looked_up = np.empty((_BATCH_TOKENS, self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _BATCH_TEXTS):
            for row, tokens in enumerate(self._tokens(texts[start : start + _BATCH_TEXTS]), start):
                for first in range(0, len(tokens), _BATCH_TOKENS):
                    batch = tokens[first : first + _BATCH_TOKENS]
                    rows = looked_up[: len(batch)]  # new memory for each text takes a third longer
                    self._matrix.take(batch, axis=0, out=rows, mode="clip")
                    vectors[row] += rows.sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[lengths[:, 0] == 0, 0] = 1
        lengths[lengths == 0] = 1
        vectors /= lengths
        return vectors

    def embed_questions(self, texts: Sequence[str]) -> list["array[float]"]:
        """Return the same vectors as `embed`, for a few short texts, without numpy.

        Raises:
            BackendError: wordllama's files are missing.
        """
        tokens = self._tokens(texts)
        if sum(map(len, tokens)) > _MOST_TOKENS:
            return [array("f", vector.tobytes()) for vector in self.embed(texts)]
        rows = {token: self._table.row(token) for each in tokens for token in each}
        return [_unit_sum([rows[token] for token in each], self.dimensions) for each in tokens]

    def _tokens(self, texts: Sequence[str]) -> list["Tokens"]:
        """Return the tokens of each text, each with a row in the table."""
        # Lone surrogates become question marks: the tokenizer refuses them.
        clean = (
            text if text.isascii() else text.encode("utf-8", "replace").decode() for text in texts
        )
        return self._pieces.encode(list(clean))

    @cached_property
    def _pieces(self) -> "WordPieces":
        from memcli.backends.word_pieces import WordPieces

        path = _package_folder() / _VOCABULARY
        try:
            return WordPieces(path, most=self._table.rows)
        except (OSError, ValueError) as error:
            raise _unusable(path, error) from error

    @cached_property
    def _table(self) -> "_MappedTable":
        return _MappedTable(_package_folder() / _TABLE, self.dimensions)

    @cached_property
    def _matrix(self) -> "NDArray[np.float32]":
        import numpy as np

        half = np.frombuffer(self._table.content, "<f2", offset=self._table.start)
        return half.reshape(-1, self.dimensions).astype(np.float32)


class _MappedTable:
    """A table of half-precision vectors in a safetensors file, read from the disk row by row."""

    def __init__(self, path: Path, dimensions: int) -> None:
        from memcli.backends.safetensors_header import read_safetensors_header

        [entry] = read_safetensors_header(path).tensors.values()
        if entry.dtype != "F16" or entry.shape[1:] != (dimensions,):
            raise _unusable(path, f"it has {entry.dtype} numbers, {prod(entry.shape[1:])} a row")
        self.rows, self.start = entry.shape[0], entry.start
        with path.open("rb") as file:
            self.content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._row = struct.Struct(f"<{dimensions}e")

    def row(self, number: int) -> tuple[float, ...]:
        """Return one vector."""
        return self._row.unpack_from(self.content, self.start + number * self._row.size)


def _unit_sum(rows: Sequence[Sequence[float]], dimensions: int) -> "array[float]":
    """Return the sum of vectors as numpy computes it in float32, divided by its length.

    A sum, product, quotient or root of two float32 numbers is the same whether it is rounded once,
    or first to 64 bits.
    """
    total = array("f", bytes(4 * dimensions))
    for row in rows:
        total = array("f", map(add, total, row))
    squares = array("f", [number * number for number in total])
    [length] = array("f", [sqrt(_pairwise_sum(squares))])
    if length == 0:
        total[0] = length = 1.0
    return array("f", [number / length for number in total])


def _pairwise_sum(numbers: Sequence[float]) -> float:
    """Add up float32 numbers in numpy's order: halves, then eight sums side by side.

    Source:
        numpy/_core/src/umath/loops_utils.h.src, `pairwise_sum`.
    """
    if len(numbers) > _BLOCK:
        half = len(numbers) // 2
        return _round_to_single(_pairwise_sum(numbers[:half]) + _pairwise_sum(numbers[half:]))
    sums = array("f", numbers[:8])
    for at in range(8, len(numbers), 8):
        sums = array("f", map(add, sums, numbers[at : at + 8]))
    while len(sums) > 1:
        sums = array("f", map(add, sums[::2], sums[1::2]))
    return sums[0]


def _round_to_single(number: float) -> float:
    return array("f", [number])[0]


def _package_folder() -> Path:
    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise _unusable("wordllama", "it is not installed")
    return Path(spec.origin).parent


def _installed_version() -> str:
    """Return wordllama's version, by the name of its metadata's folder: that takes no parser."""
    folder = _package_folder().parent
    found = [path.stem.split("-")[1] for path in folder.glob("wordllama-*.dist-info")]
    if len(found) == 1:
        return found[0]
    from importlib.metadata import version

    return version("wordllama")


def _unusable(what: str | Path, reason: object) -> BackendError:
    return BackendError(
        f"the built-in embedder cannot be loaded: {what}: {reason}",
        hint="`pip install --force-reinstall wordllama`",
    )
