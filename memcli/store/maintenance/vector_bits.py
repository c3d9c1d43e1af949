"""The comparison of vectors with the bits by which sqlite-vec finds them.

It reads the tables behind sqlite-vec's, a thousand vectors at a time. Asking sqlite-vec for each
vector takes twice as long, and does not tell whether a search looks at it.
"""

from array import array

import apsw

from memcli.store.index.quantization import stored_width
from memcli.store.sqlite.connection import Database


def count_wrong_bits(database: Database, embedder: int, dimensions: int) -> int:
    """Return the number of vectors whose bits are not the signs of their numbers, or are not there.

    Bits of no vector count, too.

    Args:
        database: the database, in which sqlite-vec lists a place for every vector, and no other.
        embedder: the number of the embedder.
        dimensions: the length of its vectors.
    """
    table = f"bits_{embedder}"
    [(vectors,)] = database.rows(f"select count(*) from {table}_rowids")
    right = in_use = 0
    for (chunk,) in database.rows(f"select chunk_id from {table}_chunks"):
        for numbers, validity, bits in database.rows(
            "select cast(rowids as blob), cast(validity as blob), vectors"
            f" from {table}_chunks join {table}_vector_chunks00 as made on made._rowid_ = chunk_id"
            " where chunk_id = ? and octet_length(rowids) = 8 * size"
            " and octet_length(validity) * 8 = size and octet_length(vectors) * 8 = size * ?",
            *(chunk, stored_width(dimensions)),
        ):
            valid = f"{int.from_bytes(validity, 'little'):b}".zfill(8 * len(validity))[::-1]
            in_use += valid.count("1")
            places = zip(array("q", numbers), valid, strict=True)
            own = array("q", [number if used == "1" else -1 for number, used in places])
            right += _count_right(database, embedder, chunk, own, bits)
    return int(max(vectors, in_use) - right)


def _count_right(
    database: Database, embedder: int, chunk: int, own: "array[int]", bits: bytes
) -> int:
    """Return how many vectors of a chunk have the right bits.

    Args:
        database: the database.
        embedder: the number of the embedder.
        chunk: the number of the chunk.
        own: the numbers of its vectors, -1 for a place that is free.
        bits: their bits.
    """
    [(count,)] = database.rows(
        "select count(*) from carray(?1) as own"
        f" join bits_{embedder}_rowids as place on place.rowid = own.value"
        f" join vectors_{embedder} on vectors_{embedder}.id = own.value"
        " where chunk_id = ?2 and chunk_offset = own.rowid - 1"
        " and substr(?3, chunk_offset * ?4 + 1, ?4) = iif(length(embedding) = 8 * ?4,"
        " vec_quantize_binary(vec_int8(embedding)), null)",
        *(apsw.carray(own), chunk, bits, len(bits) // len(own)),
    )
    return int(count)
