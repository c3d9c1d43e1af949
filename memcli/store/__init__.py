"""The database. No SQL is written outside this package.

Read `store` first: a `Store` has a part for each table or task.

    store                   the `Store` and its parts
    sqlite.connection       the connection; every statement goes through it
    sqlite.migrations       the numbered steps of the schema, in sqlite.steps_*
    sqlite.filters          filters on sessions as SQL conditions
    sqlite.times            times as the database stores them
    sqlite.tokenize         words of texts and questions, as the full text has them
    tables                  rows: conversations, sessions, memories, readings, sources, a cache
    index                   full text and vectors, which can be rebuilt from the rows
    maintenance             backup, export, deletion, checks, counts, reads for completion

Modules of this package import one another by their full names, never from here.
"""

from memcli.domain import Outcome
from memcli.store.index.highlights import Span, marks
from memcli.store.index.search_index import Found, Grain
from memcli.store.index.term_statistics import MOST_TERMS
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
from memcli.store.tables.source_files import File, Sources

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
