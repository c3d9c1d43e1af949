"""The database. No SQL is written outside this package."""

from memcli.domain import Outcome
from memcli.store.index.highlights import Span, marks
from memcli.store.index.passages import MOST_TERMS, Found, Grain
from memcli.store.index.vector_sets import Place
from memcli.store.maintenance.statistics import Month, Person, Totals, VectorCount
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.tokenize import asked, same
from memcli.store.store import Store
from memcli.store.tables.conversations import Head
from memcli.store.tables.memories import MemoryFilters, memory_id
from memcli.store.tables.model_cache import Cache
from memcli.store.tables.readings import Reading, Unread
from memcli.store.tables.sessions import Overview
from memcli.store.tables.sources import File, Sources

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
