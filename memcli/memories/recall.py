"""What a reader gets to know when it searches its memory: memories, and what was said before."""

import re
from datetime import datetime

from memcli.domain import Memory, Session
from memcli.prompts import CUT
from memcli.protocols import Embedder
from memcli.search.memory_search import search_memories, trusted_memories
from memcli.search.retrieve import Candidate, retrieve
from memcli.store import Filters, MemoryFilters, Store
from memcli.text.chunking import said

MOST_MEMORIES = 5
MOST_SESSIONS = 3  # one turn of each
MOST_CHARACTERS = 300  # of a memory or a turn

NOTHING = "Nothing was found."


def recall_for_reader(query: str, store: Store, embedder: Embedder, reading: Session) -> str:
    """Return what is known about something, a line each.

    Only sessions that began before the one being read are looked at: what was ingested or said
    later must not change what is made of it.

    Args:
        query: as the reader put it; an empty one finds nothing.
        store: where the sessions and memories are.
        embedder: whose vectors they have.
        reading: the session that is being read.
    """
    if not query.strip():
        return NOTHING
    hits = search_memories(query, store, embedder, MemoryFilters())
    known = [_remembered(one) for one in trusted_memories(hits)[:MOST_MEMORIES]]
    filters = Filters(until=reading.started_at)
    found = retrieve(query, store, embedder, filters, limit=MOST_SESSIONS + 1)
    before = [_quoted(one) for one in found if one.session.id != reading.id][:MOST_SESSIONS]
    parts = [("Memories:", known), ("Earlier conversations:", before)]
    lines = [line for title, listed in parts if listed for line in (title, *listed)]
    return "\n".join(lines) or NOTHING


def _remembered(memory: Memory) -> str:
    fact = memory.fact
    return f"- {_day(memory.said_at)}[{fact.type}] {_short(f'{fact.key}: {fact.value}')}"


def _quoted(candidate: Candidate) -> str:
    turn = candidate.session.turns[candidate.evidence[0].position - 1]
    return f"- {_day(turn.sent_at)}{_short(said(turn))}"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d} " if moment else ""


def _short(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS].rstrip()} {CUT}"
