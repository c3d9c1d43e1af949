"""The database. No SQL is written outside this package."""

from memcli.store.filters import Filters
from memcli.store.index import Found, Grain, searched
from memcli.store.sessions import Overview
from memcli.store.store import Store
from memcli.store.words import asked

__all__ = ["Filters", "Found", "Grain", "Overview", "Store", "asked", "searched"]
