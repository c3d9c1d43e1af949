"""The step of the schema that made vectors of passages small: see `migrations`."""

from collections.abc import Iterator
from itertools import islice
from typing import Any  # rows of SQLite

import apsw

from memcli.store.index.quantization import quantized, width

_AT_ONCE = 4096  # vectors, 1 KB each or a few


def m0013_small_vectors(db: apsw.Connection) -> None:
    """Vectors of passages are a byte a number, with their signs as bits to find the nearest by."""
    embedders: list[Any] = db.execute("select id, dimensions from embedders").fetchall()
    for number, dimensions in embedders:
        kept = list(_quantized(db, number))
        db.execute(f"drop table if exists vectors_{number}")
        db.execute(
            f"create table vectors_{number} ("
            "id integer primary key, embedding blob not null) strict"
        )
        db.execute(
            f"create virtual table bits_{number} using vec0(embedding bit[{width(dimensions)}])"
        )
        db.executemany(f"insert into vectors_{number} values (?, ?)", kept)
        db.executemany(
            f"insert into bits_{number} (rowid, embedding)"
            " values (?, vec_quantize_binary(vec_int8(?)))",
            kept,
        )


def _quantized(db: apsw.Connection, number: int) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers and vectors of passages: all before the first is written.

    What they took is free then, and the database does not grow.
    """
    if not db.execute("select 1 from sqlite_schema where name = ?", [f"vectors_{number}"]).get:
        return
    import numpy as np

    rows: Iterator[Any] = db.execute(f"select rowid, embedding from vectors_{number}")
    while some := list(islice(rows, _AT_ONCE)):
        vectors = np.stack([np.frombuffer(raw, "<f4") for _, raw in some])
        yield from zip((place for place, _ in some), quantized(vectors), strict=True)
