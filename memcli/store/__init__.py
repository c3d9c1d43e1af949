"""The database. No SQL is written outside this package."""

from memcli.domain import Outcome
from memcli.store.cache import Cache
from memcli.store.conversations import Head
from memcli.store.filters import Filters
from memcli.store.index import MOST_TERMS, Found, Grain
from memcli.store.marks import Span, marks
from memcli.store.memories import MemoryFilters, memory_id
from memcli.store.reads import Reading, Unread
from memcli.store.sessions import Overview
from memcli.store.sources import File, Sources
from memcli.store.statistics import Month, Person, Totals, VectorCount
from memcli.store.store import Store
from memcli.store.vectors import Place
from memcli.store.words import asked, same

__all__ = [
    "MOST_TERMS",
    "Cache",
    "File",
    "Filters",
    "Found",
    "Grain",
    "Head",
    "MemoryFilters",
    "Month",
    "Outcome",
    "Overview",
    "Person",
    "Place",
    "Reading",
    "Sources",
    "Span",
    "Store",
    "Totals",
    "Unread",
    "VectorCount",
    "asked",
    "marks",
    "memory_id",
    "same",
]
