"""The database. No SQL is written outside this package.

Read `store` first: a `Store` has a part for each table or task.

    store                   the `Store` and its parts
    sqlite.connection       the connection; every statement goes through it
    sqlite.migrations       the numbered steps of the schema, in sqlite.steps_*
    sqlite.filters          filters on sessions as SQL conditions
    sqlite.times            times as the database stores them
    sqlite.tokenize         words of texts and questions, as the full text has them
    encryption              the key of an encrypted database
    tables                  rows: conversations, sessions, memories, readings, sources, a cache
    index                   full text and vectors, which can be rebuilt from the rows
    maintenance             backup, export, deletion, checks, counts, reads for completion

Modules of this package import one another by their full names, never from here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from memcli.domain import ReadingOutcome
from memcli.store.index.highlights import Span, highlight_spans, spell_out
from memcli.store.index.search_index import Grain, IndexMatch
from memcli.store.index.spelling import LEAST_TYPED, slips
from memcli.store.index.synonyms import synonym_tokens
from memcli.store.index.term_statistics import MAX_TERMS
from memcli.store.index.vector_sets import PassageLocation
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.tokenize import (
    is_stop_word,
    is_unspaced,
    is_year,
    normalized_key,
    query_terms,
    stem_tokens,
    synonym_term,
    synonym_words,
    word_spans,
)
from memcli.store.store import Store
from memcli.store.tables.conversations import ConversationInfo
from memcli.store.tables.memories import MemoryFilters, memory_id
from memcli.store.tables.model_cache import ModelCache
from memcli.store.tables.readings import SegmentReading, UnreadSession
from memcli.store.tables.sessions import SessionSummary
from memcli.store.tables.source_files import FileState, SourceTable

if TYPE_CHECKING:
    from memcli.store.maintenance.statistics import (
        DiskUse,
        MonthCount,
        SpeakerActivity,
        SpeakerCount,
        StoreTotals,
        VectorCount,
    )

__all__ = [
    "LEAST_TYPED",
    "MAX_TERMS",
    "ConversationInfo",
    "DiskUse",
    "FileState",
    "Filters",
    "Grain",
    "IndexMatch",
    "MemoryFilters",
    "ModelCache",
    "MonthCount",
    "PassageLocation",
    "ReadingOutcome",
    "SegmentReading",
    "SessionSummary",
    "SourceTable",
    "Span",
    "SpeakerActivity",
    "SpeakerCount",
    "Store",
    "StoreTotals",
    "UnreadSession",
    "VectorCount",
    "highlight_spans",
    "is_stop_word",
    "is_unspaced",
    "is_year",
    "memory_id",
    "normalized_key",
    "query_terms",
    "slips",
    "spell_out",
    "stem_tokens",
    "synonym_term",
    "synonym_tokens",
    "synonym_words",
    "word_spans",
]


def __getattr__(name: str) -> object:
    """Import the counts when they are first used: few commands need them."""
    if name in __all__:
        return getattr(import_module("memcli.store.maintenance.statistics"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
