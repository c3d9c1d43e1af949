"""The comparison of vectors with the bits by which sqlite-vec finds them.

It reads the tables behind sqlite-vec's, a thousand vectors at a time: asking sqlite-vec for each
vector takes three times as long.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from memcli.store.sqlite.connection import Database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    # Of a chunk: the vectors' numbers, whether each is in use, and their bits, a row for each.
    _Chunk = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]

_VECTORS_AT_ONCE = 4096
_CHUNKS_AT_ONCE = 32  # kept in memory, 42 KB each with 256 bits a vector


def count_wrong_bits(database: Database, embedder: int) -> int:
    """Return the number of vectors whose bits are not the signs of their numbers, or are not there.

    Vectors that are in no chunk are not counted.
    """

    @lru_cache(_CHUNKS_AT_ONCE)
    def chunk(number: int) -> "_Chunk | None":
        return _load_chunk(database, embedder, number)

    wrong, last = 0, -1
    while rows := database.rows(
        f"select made.id, chunk_id, chunk_offset, made.embedding from vectors_{embedder} as made"
        f" join bits_{embedder}_rowids as places on places.rowid = made.id where made.id > ?"
        " order by made.id limit ?",
        *(last, _VECTORS_AT_ONCE),
    ):
        last = rows[-1][0]
        by_chunk: dict[int, list[tuple[int, int, bytes]]] = {}
        for vector, number, offset, embedding in rows:
            by_chunk.setdefault(number, []).append((vector, offset, embedding))
        for number, vectors in by_chunk.items():
            wrong += _count_wrong(chunk(number), vectors)
    return wrong


def _load_chunk(database: Database, embedder: int, number: int) -> "_Chunk | None":
    import numpy as np

    rows = database.rows(
        f"select rowids, validity, vectors from bits_{embedder}_chunks"
        f" join bits_{embedder}_vector_chunks00 as bits on bits._rowid_ = chunk_id"
        " where chunk_id = ?",
        number,
    )
    if not rows:
        return None
    [(numbers, validity, bits)] = rows
    size = len(numbers) // np.dtype(np.int64).itemsize
    if not size or len(bits) % size or len(validity) * 8 < size:
        return None
    in_use = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return (
        np.frombuffer(numbers, np.int64, size),
        in_use,
        np.frombuffer(bits, np.uint8).reshape(size, -1),
    )


def _count_wrong(chunk: "_Chunk | None", vectors: list[tuple[int, int, bytes]]) -> int:
    import numpy as np

    if chunk is None:
        return len(vectors)
    numbers, in_use, bits = chunk
    size, width = len(numbers), bits.shape[1] * 8
    fitting = [one for one in vectors if len(one[2]) == width and 0 <= one[1] < size]
    if not fitting:
        return len(vectors)
    own, offsets, embeddings = zip(*fitting, strict=True)
    at = np.array(offsets)
    signs = np.frombuffer(b"".join(embeddings), np.int8).reshape(-1, width) > 0
    right = (numbers[at] == np.array(own)) & (in_use[at] == 1)
    right &= (bits[at] == np.packbits(signs, axis=1, bitorder="little")).all(axis=1)
    return len(vectors) - int(right.sum())
