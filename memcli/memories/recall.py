"""The result of a reader's search: known memories, and turns of earlier conversations."""

import re
from datetime import datetime

from memcli.domain import Memory, Session
from memcli.prompts import CUT
from memcli.protocols import Embedder
from memcli.search.evidence.candidates import Candidate
from memcli.search.memory_search import search_memories, trusted_memories
from memcli.search.retrieve import retrieve
from memcli.store import Filters, MemoryFilters, Store
from memcli.text.chunking import turn_text

MOST_MEMORIES = 5
MOST_SESSIONS = 3  # with one turn of each
MOST_CHARACTERS = 300  # of a memory or a turn

NOTHING = "Nothing was found."


def recall_for_reader(query: str, store: Store, embedder: Embedder, reading: Session) -> str:
    """Return what is known about a query, one memory or turn on each line.

    Only sessions that began before the one that is being read are searched: sessions that were
    imported or took place later must not change what is made of it.

    Args:
        query: in the reader's words; an empty one finds nothing.
        store: the database with the sessions and memories.
        embedder: the model that made their vectors.
        reading: the session that is being read.
    """
    if not query.strip():
        return NOTHING
    hits = search_memories(query, store, embedder, MemoryFilters())
    memories = [_memory_line(one) for one in trusted_memories(hits)[:MOST_MEMORIES]]
    filters = Filters(until=reading.started_at)
    found = retrieve(query, store, embedder, filters, limit=MOST_SESSIONS + 1)
    others = [one for one in found.candidates if one.session.id != reading.id]
    turns = [_turn_line(one) for one in others[:MOST_SESSIONS]]
    parts = [("Memories:", memories), ("Earlier conversations:", turns)]
    lines = [line for title, listed in parts if listed for line in (title, *listed)]
    return "\n".join(lines) or NOTHING


def _memory_line(memory: Memory) -> str:
    fact = memory.fact
    return f"- {_day(memory.said_at)}[{fact.type}] {_shorten(f'{fact.key}: {fact.value}')}"


def _turn_line(candidate: Candidate) -> str:
    turn = candidate.session.turns[candidate.evidence[0].position - 1]
    return f"- {_day(turn.sent_at)}{_shorten(turn_text(turn))}"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d} " if moment else ""


def _shorten(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS].rstrip()} {CUT}"
