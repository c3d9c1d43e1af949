"""The vectors of passages, small enough that a large archive is searched while a person waits.

Of each number a byte is kept, in `vectors_n`, and its sign as a bit besides, in `bits_n`. Up to
EXACT passages all are compared by bytes; of more, by bytes those that are nearest by bits. Among
these are .99 of the 50 nearest of 337,601 passages.

Source:
    Two steps, bits and then a closer look: Yamada, Asai and Hajishirzi, Efficient Passage
    Retrieval with Hashing for Open-domain Question Answering, ACL 2021.
"""

import json
from collections.abc import Sequence
from typing import Any

from memcli.store.index.quantization import quantized_one, width
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters

EXACT = 20_000  # passages that are all compared by bytes
NEAREST = 4096  # passages by bits; sqlite-vec gives no more
SAMPLE = 2048  # passages that tell how near those are

_BITS = "vec_quantize_binary(vec_int8({}))"


def make(database: Database, number: int, dimensions: int) -> None:
    """Make the tables of an embedder's vectors."""
    database.rows(
        f"create table vectors_{number} (id integer primary key, embedding blob not null) strict"
    )
    database.rows(
        f"create virtual table bits_{number} using vec0(embedding bit[{width(dimensions)}])"
    )


def drop(database: Database, number: int) -> None:
    """Drop the tables of an embedder's vectors."""
    database.rows(f"drop table if exists vectors_{number}")
    database.rows(f"drop table if exists bits_{number}")


def put(database: Database, number: int, passages: Sequence[int], kept: Sequence[bytes]) -> None:
    """Store vectors of passages that have none yet, as `quantization` makes them."""
    rows = list(zip(passages, kept, strict=True))
    database.many(f"insert into vectors_{number} (id, embedding) values (?, ?)", rows)
    bits = _BITS.format("?")
    database.many(f"insert into bits_{number} (rowid, embedding) values (?, {bits})", rows)


def remove(database: Database, number: int, passages: str, *values: object) -> None:
    """Forget the vectors of passages.

    Args:
        database: where.
        number: of the embedder.
        passages: what selects their numbers.
        values: of that.
    """
    database.rows(f"delete from bits_{number} where rowid in ({passages})", *values)
    database.rows(f"delete from vectors_{number} where id in ({passages})", *values)


def nearest(
    database: Database, number: int, vector: bytes, filters: Filters, limit: int
) -> list[Any]:
    """Return the passages nearest to a vector of float32 numbers, nearest first.

    Returns:
        Rows of (session, cosine in [-1, 1], first, last, start, stop); the cosine is None where
        a vector has no direction.
    """
    asked = quantized_one(vector)
    where, values = filters.where()
    which = "1"
    if where != "1":
        which = (
            "{} in (select passages.id from passages join sessions"
            f" on sessions.id = session_id where {where})"
        )
    reach = _reach(database, number, asked, filters)
    if reach is not None:
        which = (
            f"id in (select rowid from bits_{number} where embedding match {_BITS.format('?')}"
            f" and k = {NEAREST} and distance <= ? and {which.format('rowid')})"
        )
        values = [asked, reach, *values]
    return database.rows(
        "with near as (select id, vec_distance_cosine(vec_int8(embedding), vec_int8(?)) as"
        f" distance from vectors_{number} where {which.format('id')}"
        " order by distance nulls last limit ?)"
        " select session_id, 1 - distance, first, last, start, stop from near"
        " join passages using (id) order by distance, id",
        *(asked, *values, limit),
    )


def _reach(database: Database, number: int, asked: bytes, filters: Filters) -> float | None:
    """Return about how many bits at most those of the nearest differ in; None: look at all.

    sqlite-vec looks for the nearest of those within a distance 30 times faster than for the
    nearest of all, and every so many passages tell the distance well enough.
    """
    [(last,)] = database.rows("select coalesce(max(id), 0) from passages")
    if last <= EXACT:
        return None
    step = max(last // SAMPLE, 1)
    where, values = filters.where()
    bits = _BITS.format("embedding")
    rows = database.rows(
        f"select vec_distance_hamming({bits}, {_BITS.format('?')}) as distance"
        f" from vectors_{number} as kept join passages using (id) join sessions"
        " on sessions.id = session_id where kept.id in (select value from json_each(?))"
        f" and {where} order by distance",
        *(asked, json.dumps(list(range(1, last + 1, step))), *values),
    )
    return rows[NEAREST // step][0] if len(rows) * step > EXACT else None
