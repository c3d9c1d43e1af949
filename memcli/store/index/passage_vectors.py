"""The vectors of passages, small enough for a search of a large archive while a person waits.

Each number of a vector is stored as a byte, in `vectors_n`, and its sign as a bit, in `bits_n`. Up
to EXACT_LIMIT passages, all are compared by bytes; of more passages, only those nearest by bits.
These include .99 of the 50 nearest of 337,601 passages.

sqlite-vec compares the bits of 241,520 passages in 15 ms of processor time. numpy takes 27 for the
same, 40 to read them, and 90 to be imported.

Source:
    Two steps, bits and then a closer look: Yamada, Asai and Hajishirzi, Efficient Passage
    Retrieval with Hashing for Open-domain Question Answering, ACL 2021.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from memcli.store.index.quantization import quantize_vector, stored_width
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import NO_CONDITION, Filters

EXACT_LIMIT = 20_000  # up to so many passages are all compared by bytes
MAX_CANDIDATES = 4096  # passages chosen by bits; sqlite-vec returns no more
BACKGROUND_SIZE = 512  # passages whose cosines tell what is usual for a question
SAMPLE_SIZE = 2048  # passages whose distances tell how near the candidates are

_BITS = "vec_quantize_binary(vec_int8({}))"


def create_tables(database: Database, number: int, dimensions: int) -> None:
    """Create the tables of an embedder's vectors."""
    database.rows(
        f"create table vectors_{number} (id integer primary key, embedding blob not null) strict"
    )
    database.rows(
        f"create virtual table bits_{number} using vec0(embedding bit[{stored_width(dimensions)}])"
    )


def restore_bits(database: Database, number: int, dimensions: int) -> None:
    """Make the bits of an embedder's vectors again from their bytes, whatever they are now."""
    width = stored_width(dimensions)
    database.rows(f"drop table if exists bits_{number}")
    if not database.rows("select 1 from sqlite_schema where name = ?", f"vectors_{number}"):
        create_tables(database, number, dimensions)
        return
    database.rows(f"create virtual table bits_{number} using vec0(embedding bit[{width}])")
    database.rows(f"delete from vectors_{number} where length(embedding) != ?", width)
    database.rows(
        f"insert into bits_{number} (rowid, embedding)"
        f" select id, {_BITS.format('embedding')} from vectors_{number}"
    )


def drop_tables(database: Database, number: int) -> None:
    """Drop the tables of an embedder's vectors."""
    database.rows(f"drop table if exists vectors_{number}")
    database.rows(f"drop table if exists bits_{number}")


def add_rows(
    database: Database, number: int, passages: Sequence[int], vectors: Sequence[bytes]
) -> None:
    """Store the quantized vectors of passages that have none yet."""
    rows = list(zip(passages, vectors, strict=True))
    database.many(f"insert into vectors_{number} (id, embedding) values (?, ?)", rows)
    bits = _BITS.format("?")
    database.many(f"insert into bits_{number} (rowid, embedding) values (?, {bits})", rows)


def remove_rows(database: Database, number: int, passages: str, *values: object) -> None:
    """Delete the vectors of passages.

    Args:
        database: the database.
        number: the number of the embedder.
        passages: a select of the numbers of the passages.
        values: the values of that select.
    """
    # With `in`, sqlite-vec would read the whole table.
    rows = database.rows(passages, *values)
    database.many(f"delete from bits_{number} where rowid = ?", rows)
    database.many(f"delete from vectors_{number} where id = ?", rows)


def nearest_rows(
    database: Database, number: int, vector: bytes, filters: Filters, limit: int
) -> list[Any]:
    """Return the passages nearest to a vector of float32 numbers, nearest first.

    Returns:
        Rows of (session, cosine in [-1, 1], first, last, start, stop); the cosine is None if a
        vector has no direction.
    """
    query = quantize_vector(vector)
    where, values = filters.where()
    condition = "1"
    if where != NO_CONDITION:
        condition = (
            "{} in (select passages.id from passages join sessions"
            f" on sessions.id = session_id where {where})"
        )
    radius = _candidate_radius(database, number, query, filters)
    if radius is not None:
        condition = (
            f"id in (select rowid from bits_{number} where embedding match {_BITS.format('?')}"
            f" and k = {MAX_CANDIDATES} and distance <= ? and {condition.format('rowid')})"
        )
        values = [query, radius, *values]
    return database.rows(
        "with near as (select id, vec_distance_cosine(vec_int8(embedding), vec_int8(?)) as"
        f" distance from vectors_{number} where {condition.format('id')}"
        " order by distance nulls last limit ?)"
        " select session_id, 1 - distance, first, last, start, stop from near"
        " join passages using (id) order by distance, id",
        *(query, *values, limit),
    )


def background(database: Database, number: int, vector: bytes) -> tuple[float, float, int]:
    """Return the mean and deviation of the cosines of a vector and a sample of the passages.

    Returns:
        Mean, standard deviation, and about the number of passages; (0, 0, 0) if there are none.
    """
    [(last,)] = database.rows(f"select coalesce(max(id), 0) from vectors_{number}")
    sample = range(1, last + 1, max(last // BACKGROUND_SIZE, 1))
    [(count, mean, squares)] = database.rows(
        "select count(cosine), avg(cosine), avg(cosine * cosine) from (select"
        " 1 - vec_distance_cosine(vec_int8(embedding), vec_int8(?)) as cosine"
        f" from vectors_{number} where id in (select value from json_each(?)))",
        *(quantize_vector(vector), json.dumps(list(sample))),
    )
    if not count:
        return 0.0, 0.0, 0
    return mean, math.sqrt(max(squares - mean * mean, 0.0)), last


def _candidate_radius(
    database: Database, number: int, query: bytes, filters: Filters
) -> float | None:
    """Return the most bits that the nearest passages differ in, about; None: compare all by bytes.

    sqlite-vec finds the nearest within a distance 30 times faster than the nearest of all, and a
    sample of the passages tells that distance well enough.
    """
    [(last,)] = database.rows("select coalesce(max(id), 0) from passages")
    if last <= EXACT_LIMIT:
        return None
    step = max(last // SAMPLE_SIZE, 1)
    where, values = filters.where()
    filtered = ""
    if where != NO_CONDITION:
        filtered = (
            " and kept.id in (select passages.id from passages join sessions"
            f" on sessions.id = session_id where {where})"
        )
    bits = _BITS.format("embedding")
    rows = database.rows(
        f"select vec_distance_hamming({bits}, {_BITS.format('?')}) as distance"
        f" from vectors_{number} as kept where kept.id in (select value from json_each(?))"
        f"{filtered} order by distance",
        *(query, json.dumps(list(range(1, last + 1, step))), *values),
    )
    return rows[MAX_CANDIDATES // step][0] if len(rows) * step > EXACT_LIMIT else None
