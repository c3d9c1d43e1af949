"""The database as JSON lines, in the format `memcli` that `mem ingest` imports."""

from collections.abc import Iterable, Iterator

from memcli.cli.output.console import print_json
from memcli.domain import Conversation, SessionId
from memcli.formats.generic.memcli import (
    written,
    written_forgotten,
    written_memory,
    written_reading,
)
from memcli.store import Store


def print_conversations(sessions: Iterable[tuple[SessionId, Conversation]]) -> Iterator[None]:
    """Print sessions, one per line, and yield after each line."""
    for session, conversation in sessions:
        print_json(written(session, conversation))
        yield


def print_everything(
    sessions: Iterable[tuple[SessionId, Conversation]], store: Store
) -> Iterator[None]:
    """Print sessions, memories, readings and tombstones, one per line; yield after each line."""
    yield from print_conversations(sessions)
    for memory, kept in store.archive.memories():
        print_json(written_memory(memory, kept))
        yield
    for reading in store.archive.readings():
        print_json(written_reading(reading))
        yield
    for forgotten in store.archive.forgotten():
        print_json(written_forgotten(forgotten))
        yield
