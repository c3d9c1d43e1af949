"""The vectors of passages, small enough for a search of a large archive while a person waits.

Each number of a vector is stored as a byte, in `vectors_n`, and its sign as a bit, in `bits_n`. Up
to EXACT_LIMIT passages, all are compared by bytes; of more passages, only those nearest by bits.
These include .99 of the 50 nearest of 337,601 passages.

A passage has one vector, under its own number, or one for each window of a few turns, if the
embedder reads sentences: the numbers of windows follow 64 times the number of their passage.

sqlite-vec compares the bits of 241,520 passages in 15 ms of processor time. numpy takes 27 for the
same, 40 to read them, and 90 to be imported.

Source:
    Two steps, bits and then a closer look: Yamada, Asai and Hajishirzi, Efficient Passage
    Retrieval with Hashing for Open-domain Question Answering, ACL 2021.
"""

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

from memcli.domain import Passage
from memcli.store.index.quantization import quantize_vector, stored_width
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import NO_CONDITION, Filters

EXACT_LIMIT = 20_000  # up to so many passages are all compared by bytes
MAX_CANDIDATES = 4096  # passages chosen by bits; sqlite-vec returns no more
BACKGROUND_SIZE = 512  # passages whose cosines tell what is usual for a question
SAMPLE_SIZE = 2048  # passages whose distances tell how near the candidates are

WINDOW_BITS = 6  # of the number of a window that say which of its passage it is
WINDOWS_OF_PASSAGE = 4  # in an archive of short turns, about

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


def window_turns(database: Database, number: int) -> int:
    """Return how many turns a vector of an embedder stands for; 0 is a whole passage."""
    [(turns,)] = database.rows("select turns from embedders where id = ?", number)
    return int(turns)


def passage_shift(database: Database, number: int) -> int:
    """Return by how many bits the number of an embedder's vector is longer than its passage's."""
    return WINDOW_BITS if window_turns(database, number) else 0


def add_rows(
    database: Database,
    number: int,
    places: Sequence[tuple[int, int]],
    vectors: Sequence[bytes],
) -> None:
    """Store the quantized vectors of passages that have none yet.

    Args:
        database: the database.
        number: the number of the embedder.
        places: the number of each vector's passage, and which of its windows it is, from 0.
        vectors: the vectors.
    """
    shift = passage_shift(database, number)
    ids = [(passage << shift) + window for passage, window in places]
    rows = list(zip(ids, vectors, strict=True))
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
    shift = passage_shift(database, number)
    rows = database.rows(
        f"select made.id from ({passages}) as passages join vectors_{number} as made"
        f" on {_of_passage(shift)}",
        *values,
    )
    _delete_rows(database, number, rows)


def remove_orphans(database: Database, number: int) -> None:
    """Delete the vectors of passages that do not exist, and bits without a vector."""
    shift = passage_shift(database, number)
    rows = database.rows(
        f"select id from (select id from vectors_{number} union select rowid"
        f" from bits_{number}_rowids) where id >> {shift} not in (select id from passages)"
    )
    _delete_rows(database, number, rows)


def vectors_of_session(
    database: Database, number: int, session: int
) -> dict[Passage, list[tuple[int, bytes]]]:
    """Return each passage's windows of an embedder in a session, with their vectors."""
    shift = passage_shift(database, number)
    vectors: dict[Passage, list[tuple[int, bytes]]] = {}
    for window, vector, *place in database.rows(
        f"select made.id - (passages.id << {shift}), embedding, first, last, start, stop"
        f" from passages join vectors_{number} as made on {_of_passage(shift)}"
        " where session_id = ?",
        session,
    ):
        vectors.setdefault(Passage(*place), []).append((window, vector))
    return vectors


def _of_passage(shift: int) -> str:
    """Return the condition that a row `made` is a vector of a row of `passages`."""
    if not shift:
        return "made.id = passages.id"
    first = f"passages.id << {shift}"
    return f"made.id between {first} and ({first}) + {(1 << shift) - 1}"


def _delete_rows(database: Database, number: int, rows: Sequence[tuple[int]]) -> None:
    # With `in`, sqlite-vec would read the whole table.
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
    query, shift = quantize_vector(vector), passage_shift(database, number)
    where, values = filters.where()
    condition = "1"
    if where != NO_CONDITION:
        # The numbers themselves, because sqlite-vec then looks for the nearest among them alone.
        condition = (
            f"{{}} in (select made.id from sessions join passages on session_id = sessions.id"
            f" join vectors_{number} as made on {_of_passage(shift)} where {where})"
        )
    radius = _candidate_radius(database, number, shift, query, filters)
    if radius is not None:
        condition = (
            f"id in (select rowid from bits_{number} where embedding match {_BITS.format('?')}"
            f" and k = {MAX_CANDIDATES} and distance <= ? and {condition.format('rowid')})"
        )
        values = [query, radius, *values]
    distance = "vec_distance_cosine(vec_int8(embedding), vec_int8(?))"
    # A passage is as near as its nearest window.
    distance, grouped = (f"min({distance})", "group by 1 ") if shift else (distance, "")
    return database.rows(
        f"with near as (select id >> {shift} as passage, {distance} as distance"
        f" from vectors_{number} where {condition.format('id')}"
        f" {grouped}order by distance nulls last limit ?)"
        " select session_id, 1 - distance, first, last, start, stop from near"
        " join passages on passages.id = passage order by distance, passage",
        *(query, *values, limit),
    )


def window_cosines(
    database: Database, number: int, vector: bytes, sessions: Collection[int]
) -> list[Any]:
    """Return how near each window of some sessions is to a vector of float32 numbers.

    Returns:
        Rows of (session, which window of its passage, cosine in [-1, 1], first, last, start, stop).
    """
    shift = passage_shift(database, number)
    return database.rows(
        f"select session_id, made.id - (passages.id << {shift}),"
        " 1 - vec_distance_cosine(vec_int8(embedding), vec_int8(?)), first, last, start, stop"
        f" from passages join vectors_{number} as made on {_of_passage(shift)}"
        " where session_id in (select value from json_each(?))",
        *(quantize_vector(vector), json.dumps(list(sessions))),
    )


def background(database: Database, number: int, vector: bytes) -> tuple[float, float, int]:
    """Return the mean and deviation of the cosines of a vector and a sample of the passages.

    Returns:
        Mean, standard deviation, and about the number of passages; (0, 0, 0) if there are none.
    """
    shift = passage_shift(database, number)
    [(last,)] = database.rows(f"select coalesce(max(id), 0) >> {shift} from vectors_{number}")
    sample = [one << shift for one in range(1, last + 1, max(last // BACKGROUND_SIZE, 1))]
    [(count, mean, squares)] = database.rows(
        "select count(cosine), avg(cosine), avg(cosine * cosine) from (select"
        " 1 - vec_distance_cosine(vec_int8(embedding), vec_int8(?)) as cosine"
        f" from vectors_{number} where id in (select value from json_each(?)))",
        *(quantize_vector(vector), json.dumps(sample)),
    )
    if not count:
        return 0.0, 0.0, 0
    return mean, math.sqrt(max(squares - mean * mean, 0.0)), last


def _candidate_radius(
    database: Database, number: int, shift: int, query: bytes, filters: Filters
) -> float | None:
    """Return the most bits that the nearest passages differ in, about; None: compare all by bytes.

    sqlite-vec finds the nearest within a distance 30 times faster than the nearest of all, and a
    sample of the passages tells that distance well enough.
    """
    limit = EXACT_LIMIT // WINDOWS_OF_PASSAGE if shift else EXACT_LIMIT
    [(last,)] = database.rows("select coalesce(max(id), 0) from passages")
    if last <= limit:
        return None
    step = max(last // SAMPLE_SIZE, 1)
    where, values = filters.where()
    filtered = ""
    if where != NO_CONDITION:
        filtered = (
            f" and kept.id >> {shift} in (select passages.id from passages join sessions"
            f" on sessions.id = session_id where {where})"
        )
    bits = _BITS.format("embedding")
    rows = database.rows(
        f"select vec_distance_hamming({bits}, {_BITS.format('?')}) as distance"
        f" from vectors_{number} as kept where kept.id in (select value from json_each(?))"
        f"{filtered} order by distance",
        *(query, json.dumps([one << shift for one in range(1, last + 1, step)]), *values),
    )
    return rows[MAX_CANDIDATES // step][0] if len(rows) * step > limit else None
