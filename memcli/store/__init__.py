"""The database. No SQL is written outside this package."""

from memcli.store.cache import Cache
from memcli.store.conversations import Head
from memcli.store.filters import Filters
from memcli.store.index import Found, Grain, searched
from memcli.store.marks import Span, marks
from memcli.store.sessions import Overview
from memcli.store.sources import File, Sources
from memcli.store.store import Store
from memcli.store.words import asked

__all__ = [
    "Cache",
    "File",
    "Filters",
    "Found",
    "Grain",
    "Head",
    "Overview",
    "Sources",
    "Span",
    "Store",
    "asked",
    "marks",
    "searched",
]
