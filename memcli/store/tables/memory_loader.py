"""Loading of memories together with all that decides which of them are current."""

import json
from collections.abc import Sequence

from memcli.domain import Memory, MemoryId
from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.tables.memory_rows import (
    LINK_COLUMNS,
    MEMORY_COLUMNS,
    SOURCE_JOINS,
    SourceLink,
    StoredMemory,
    to_source_link,
    to_stored_memory,
)
from memcli.store.tables.supersession import (
    KeyCandidate,
    SupersessionStatus,
    decide_supersession,
)


def load_memories(database: Database, where: str, values: Sequence[object]) -> dict[int, Memory]:
    """Return the memories that meet an SQL condition on the table `memories`, by their numbers.

    Raises:
        StoreError: a value in the database is none that memcli writes.
    """
    wanted = {
        number for (number,) in database.rows(f"select id from memories where {where}", *values)
    }
    rows = database.rows(
        f"select {MEMORY_COLUMNS} from memories where subject in"
        f" (select subject from memories where {where})",
        *values,
    )
    try:
        links = _load_links(database, [row[0] for row in rows])
        stored = [to_stored_memory(row, links[row[0]]) for row in rows if row[0] in links]
    except ValueError as error:  # SQLite can read the row, but memcli never wrote it
        raise StoreError(f"{database.path} is damaged in a memory") from error
    statuses = _supersession_statuses(database, stored)
    return {one.number: one.memory(statuses[one.id]) for one in stored if one.number in wanted}


def _load_links(database: Database, numbers: Sequence[int]) -> dict[int, list[SourceLink]]:
    """Return the sources of each memory, in order of time."""
    links: dict[int, list[SourceLink]] = {}
    for row in database.rows(
        f"select {LINK_COLUMNS} from memory_sources {SOURCE_JOINS}"
        " where memory_id in (select value from json_each(?))"
        " order by sent_at nulls first, sessions.public, position",
        json.dumps(numbers),
    ):
        number, link = to_source_link(row)
        links.setdefault(number, []).append(link)
    return links


def _supersession_statuses(
    database: Database, stored: Sequence[StoredMemory]
) -> dict[MemoryId, SupersessionStatus]:
    edits = [one.edited_into for one in stored if one.edited_into is not None]
    rows = database.rows(
        "select id, public from memories where id in (select value from json_each(?))",
        json.dumps(edits),
    )
    public = {number: MemoryId(name) for number, name in rows}
    candidates: dict[str, list[KeyCandidate]] = {}
    for one in stored:
        edit = None if one.edited_into is None else public.get(one.edited_into)
        candidates.setdefault(one.subject, []).append(one.candidate(edit))
    return {
        memory: status
        for with_one_key in candidates.values()
        for memory, status in decide_supersession(with_one_key).items()
    }
