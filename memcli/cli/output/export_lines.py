"""The database as JSON lines, in the format `memcli` that `mem ingest` imports."""

from collections.abc import Iterable, Iterator

from memcli.cli.output.console import print_json
from memcli.domain import Conversation, SessionId
from memcli.formats.generic.memcli import (
    forgotten_record,
    memory_record,
    reading_record,
    session_record,
)
from memcli.store import Store


def print_conversations(sessions: Iterable[tuple[SessionId, Conversation]]) -> Iterator[None]:
    """Print sessions, one per line, and yield after each line."""
    for session, conversation in sessions:
        print_json(session_record(session, conversation))
        yield


def print_everything(
    sessions: Iterable[tuple[SessionId, Conversation]], store: Store
) -> Iterator[None]:
    """Print sessions, memories, readings and tombstones, one per line; yield after each line."""
    yield from print_conversations(sessions)
    for memory, kept in store.export.memories():
        print_json(memory_record(memory, kept))
        yield
    for reading in store.export.readings():
        print_json(reading_record(reading))
        yield
    for forgotten in store.export.tombstones():
        print_json(forgotten_record(forgotten))
        yield
