"""Replaces stored sessions by those that a conversation has now, and indexes the new ones."""

from collections.abc import Callable, Collection, Mapping, Sequence

from memcli.callbacks import ignore
from memcli.domain import Session, SessionId
from memcli.ingest.import_counts import ImportTally
from memcli.memories.grounding import check_sources_again
from memcli.protocols import Embedder
from memcli.store import Store
from memcli.text.chunking import split_passages, window_texts

EMBEDDED = 256  # passages embedded at once: few enough for frequent reports of progress


class SessionWriter:
    """Writes the sessions of one batch, and counts the changes.

    Args:
        store: the database.
        tally: counts the changes of sessions.
    """

    def __init__(self, store: Store, tally: ImportTally) -> None:
        self._store, self.tally = store, tally
        self.unindexed: dict[int, Session] = {}  # stored in this batch, by number
        # Turns that leave a conversation for the one that is imported next.
        self._leaving: list[tuple[int, Collection[str]]] = []

    def remove_turns(
        self,
        conversation: int,
        keys: Collection[str],
        known: Sequence[Session],
        remaining: Sequence[Session],
    ) -> None:
        """Replace sessions that lose turns, which then belong to another conversation.

        Args:
            conversation: number of the conversation that loses them.
            keys: of the turns.
            known: its sessions that are stored.
            remaining: those that take their place.
        """
        self._leaving.append((conversation, keys))
        self.replace(conversation, known, remaining)

    def attach_turns(self, conversation: int) -> None:
        """Link to a conversation what referred to the turns that were removed from others."""
        for former, keys in self._leaving:
            self._store.memory_sources.move(former, keys, conversation)
            self._store.readings.move_turns(former, keys, conversation)
            self._store.sessions.move_aliases(former, keys, conversation)
        self._leaving.clear()

    def replace(
        self, conversation: int, known: Sequence[Session], sessions: Sequence[Session]
    ) -> None:
        """Replace known sessions of a conversation, where they differ."""
        stored = self._store.sessions
        before = {session.id: session for session in known}
        differing = _differing(before, sessions)
        changed = {session.id for session in differing}
        gone = before.keys() - {session.id for session in sessions}
        for key in [*(changed & before.keys()), *gone]:
            number = stored.number(key)
            assert number is not None, "it was just read"
            if self.unindexed.pop(number, None) is None:
                self._store.index.remove(number)
            stored.remove(number)
        for session in differing:
            self.unindexed[stored.add(conversation, session)] = session
        for key in gone:
            stored.add_alias(conversation, key, before[key].turns[0].key)
        for session in differing if known else ():
            check_sources_again(session, self._store)
        tally = self.tally
        tally.new |= changed - before.keys()
        tally.new -= gone
        tally.changed |= changed & before.keys()
        tally.changed -= gone
        tally.unchanged |= {session.id for session in sessions} - changed


def _differing(before: Mapping[SessionId, Session], sessions: Sequence[Session]) -> list[Session]:
    """Return the sessions that differ from the stored ones.

    Sessions without times are in the order in which they were stored, so that all that follow one
    that differs are stored again.
    """
    differing: list[Session] = []
    for session in sessions:
        follows = bool(differing) and not (session.started_at or differing[-1].started_at)
        if follows or before.get(session.id) != session:
            differing.append(session)
    return differing


def index_sessions(
    sessions: Collection[tuple[int, Session]],
    store: Store,
    embedder: Embedder,
    on_progress: Callable[[float], None] = ignore,
) -> None:
    """Index stored sessions. Inside the caller's transaction it is all or nothing.

    Args:
        sessions: each with its number.
        store: the database.
        embedder: makes the vectors.
        on_progress: takes the share of the work that is done, from 0 to 1.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    from concurrent.futures import ThreadPoolExecutor  # it imports logging

    places: list[tuple[int, int]] = []  # of each text: number of the passage, and the window
    texts: list[str] = []
    words: dict[str, list[tuple[int, str]]] = {}
    turns = store.index.window_turns(embedder) if sessions else 0
    for number, session in sessions:
        cut = split_passages(session)
        for at, passage in zip(store.index.add(number, session, cut, words), cut, strict=True):
            windows = window_texts(session, passage, turns)
            places += [(at, window) for window in range(len(windows))]
            texts += windows
    if not words:
        return
    vectors = []
    with ThreadPoolExecutor(1) as other_core:  # SQLite writes the words while vectors are made
        writing = other_core.submit(store.index.add_words, words)
        for first in range(0, len(texts), EMBEDDED):
            vectors.append(embedder.embed(texts[first : first + EMBEDDED]))
            on_progress(min(first + EMBEDDED, len(texts)) / len(texts))
        writing.result()
    for at, made in enumerate(vectors):
        part = places[at * EMBEDDED : (at + 1) * EMBEDDED]
        store.index.add_vectors(part, made, embedder)
