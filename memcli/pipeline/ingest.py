"""From exports to a database one can ask: parse, merge, store, cut, index, embed."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from memcli.domain import Conversation, Doubt, Session, SessionId, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats import Document, Format, Reading, recognise
from memcli.formats.documents import documents
from memcli.pipeline.chunking import passage_text, passages
from memcli.pipeline.merge import QUIET, merge, revision, sessions_of
from memcli.protocols import Embedder
from memcli.store import Store

BATCH = 2000  # turns in one transaction

_UNSOUND = re.compile("[\x00\ud800-\udfff]")

Progress = Callable[[str, int], None]  # name of the document, turns read so far


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of something were there, by what became of them."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one document gave."""

    path: str
    format: str | None  # None: not recognised, or not readable
    conversations: int = 0
    sessions: Counts = field(default_factory=Counts)
    turns: Counts = field(default_factory=Counts)
    warnings: tuple[Skipped | Doubt, ...] = ()

    @property
    def damaged(self) -> bool:
        """Whether something was there and could not be read."""
        return any(isinstance(warning, Skipped) and warning.lost for warning in self.warnings)


def ingest(
    paths: Sequence[Path],
    store: Store,
    embedder: Embedder,
    reading: Reading,
    *,
    forced: Format | None = None,
    progress: Progress = lambda _name, _turns: None,
) -> list[SourceReport]:
    """Bring what exports hold into the database.

    A document, or a part of one, that cannot be read is reported and never stops the others.

    Args:
        paths: files, folders, zips, or `-` for standard input.
        store: where to.
        embedder: makes the vectors.
        reading: what the person said about how to read.
        forced: read every document as this format, instead of recognising it.
        progress: told now and then how far it is.

    Returns:
        A report for every recognised document, and one for every path where none was.
    """
    reports: list[SourceReport] = []
    for path in paths:
        reports += _ingest_path(path, _Writer(store, embedder), reading, forced, progress)
    return reports


def _ingest_path(
    path: Path, writer: "_Writer", reading: Reading, forced: Format | None, progress: Progress
) -> list[SourceReport]:
    reports: list[SourceReport] = []
    strange: list[str] = []
    try:
        for document in documents(path):
            try:
                found = forced or recognise(document)
                if found is None:
                    strange.append(document.name)
                else:
                    reports.append(_ingest_document(document, found, writer, reading, progress))
            except InputError as error:
                reports.append(_unread(document.name, error))
    except InputError as error:
        return [*reports, _unread(str(path), error)]
    if not reports:
        name = strange[0] if len(strange) == 1 else str(path)
        return [_unread(name, InputError(f"no chat export was recognised in {name}"))]
    if strange:
        told = (*reports[-1].warnings, _passed_over(path, strange))
        reports[-1] = replace(reports[-1], warnings=told)
    return reports


def _passed_over(path: Path, names: Sequence[str]) -> Doubt:
    """Say which files lie beside recognised ones and were not."""
    shown = [name.removeprefix(f"{path}/") for name in names[:3]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return Doubt(str(path), f"not recognised as chat exports: {', '.join(shown)}{more}")


def _unread(name: str, error: InputError) -> SourceReport:
    why = f"{error}; {error.hint}" if error.hint else str(error)
    return SourceReport(name, None, warnings=(Skipped(name, why),))


def _ingest_document(
    document: Document, found: Format, writer: "_Writer", reading: Reading, progress: Progress
) -> SourceReport:
    tally = _Tally()
    batch: list[Conversation] = []
    size = read = 0
    try:
        for parsed in found.parse(document, reading):
            if not isinstance(parsed, Conversation):
                tally.warnings.append(parsed)
                continue
            batch.append(_sound(parsed))
            size += len(parsed.turns)
            if size >= BATCH:
                read += size
                writer.write(batch, tally)
                progress(document.name, read)
                batch, size = [], 0
    except InputError as error:
        tally.warnings.append(Skipped(document.name, str(error)))
    writer.write(batch, tally)
    progress(document.name, read + size)
    return tally.report(document.name, found.name)


class _Tally:
    """What became of a document's conversations, as it is read."""

    def __init__(self) -> None:
        self.conversations: set[int] = set()
        self.new: set[SessionId] = set()
        self.changed: set[SessionId] = set()
        self.unchanged: set[SessionId] = set()
        self.turns = Counts()
        self.warnings: list[Skipped | Doubt] = []

    def report(self, name: str, found: str) -> SourceReport:
        skipped = sum(isinstance(warning, Skipped) for warning in self.warnings)
        changed = self.changed - self.new
        sessions = Counts(
            len(self.new), len(changed), len(self.unchanged - self.new - changed), skipped
        )
        return SourceReport(
            name, found, len(self.conversations), sessions, self.turns, tuple(self.warnings)
        )


class _Writer:
    """Writes conversations into the database, a batch a transaction."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store, self._embedder = store, embedder
        self._unindexed: dict[int, Session] = {}  # by number: stored in this batch

    def write(self, batch: Iterable[Conversation], tally: _Tally) -> None:
        """Store and index conversations, all or none."""
        self._unindexed.clear()
        with self._store.transaction():
            for conversation in batch:
                self._absorb(conversation, tally)
            numbers: list[int] = []
            texts: list[str] = []
            for number, session in self._unindexed.items():
                cut = passages(session)
                numbers += self._store.index.add(number, session, cut)
                texts += [passage_text(session, passage) for passage in cut]
            if texts:
                vectors = self._embedder.embed(texts)
                self._store.index.add_vectors(numbers, vectors, self._embedder)

    def _absorb(self, conversation: Conversation, tally: _Tally) -> None:
        """Store what is new in a conversation."""
        if not conversation.turns:
            return
        sessions = self._store.sessions
        number = sessions.conversation(conversation.source, conversation.key)
        if number is None:
            number = sessions.add_conversation(
                conversation.source, conversation.key, endless=conversation.endless
            )
            known: list[Session] = []
        else:
            known = self._touched(number, conversation)
        stored = [turn for session in known for turn in session.turns]
        revisions = sessions.revisions(number) if known else set()
        merged = merge(stored, conversation.turns, revisions)
        for turn in merged.replaced:
            sessions.keep_revision(number, revision(turn), turn.text, turn.key)
        title = conversation.title
        if known and title != known[0].title:
            if not title or fingerprint("title", title) in revisions:
                title = known[0].title
            else:
                before = known[0].title
                sessions.keep_revision(number, fingerprint("title", before), before, None)
        now = sessions_of(
            conversation.source,
            conversation.key,
            title,
            merged.turns,
            endless=conversation.endless,
            known=known,
        )
        tally.conversations.add(number)
        tally.turns += Counts(merged.new, merged.changed, merged.unchanged)
        self._replace(number, known, now, tally)

    def _touched(self, number: int, conversation: Conversation) -> list[Session]:
        """Return the stored sessions that a conversation may change, earliest first."""
        sessions = self._store.sessions
        if not conversation.endless:
            return sessions.near(number, None, None)
        times = [turn.sent_at for turn in conversation.turns if turn.sent_at]
        since = min(times) - QUIET if times else None
        until = max(times) + QUIET if times else None
        near = sessions.near(number, since, until)
        held = sessions.holding(number, [turn.key for turn in conversation.turns])
        touched = {session.id: session for session in [*near, *held]}
        keys = {turn.key for session in touched.values() for turn in session.turns}
        if any(turn.key not in keys for turn in conversation.turns):
            touched |= self._following(number, touched)
        return sorted(touched.values(), key=_span)

    def _following(
        self, number: int, touched: Mapping[SessionId, Session]
    ) -> dict[SessionId, Session]:
        """Return the sessions up to the next quiet time: a new turn moves where they are cut."""
        found: dict[SessionId, Session] = {}
        ended = max((one.ended_at for one in touched.values() if one.ended_at), default=None)
        while ended:
            near = self._store.sessions.near(number, ended, ended + QUIET)
            more = {s.id: s for s in near if s.id not in touched and s.id not in found}
            found |= more
            ended = max((one.ended_at for one in more.values() if one.ended_at), default=None)
        return found

    def _replace(
        self, conversation: int, known: Sequence[Session], now: Sequence[Session], tally: _Tally
    ) -> None:
        """Put sessions in the place of those known, where they differ."""
        before = {session.id: session for session in known}
        differing = [session for session in now if before.get(session.id) != session]
        changed = {session.id for session in differing}
        gone = before.keys() - {session.id for session in now}
        for key in [*(changed & before.keys()), *gone]:
            number = self._store.sessions.number(key)
            assert number is not None, "it was just read"
            if self._unindexed.pop(number, None) is None:
                self._store.index.remove(number)
            self._store.sessions.remove(number)
        for session in differing:
            self._unindexed[self._store.sessions.add(conversation, session)] = session
        tally.new |= changed - before.keys()
        tally.new -= gone
        tally.changed |= changed & before.keys()
        tally.changed -= gone
        tally.unchanged |= {session.id for session in now} - changed


def _span(session: Session) -> tuple[float, float]:
    began, ended = session.started_at, session.ended_at
    return began.timestamp() if began else 0.0, ended.timestamp() if ended else 0.0


def _sound(conversation: Conversation) -> Conversation:
    """Return a conversation whose text any database and terminal can hold."""
    turns = tuple(_sound_turn(turn) for turn in conversation.turns)
    return replace(
        conversation,
        key=_clean(conversation.key),
        title=_clean(conversation.title),
        turns=turns,
    )


def _sound_turn(turn: Turn) -> Turn:
    at = turn.sent_at
    return replace(
        turn,
        sent_at=at and at.replace(microsecond=at.microsecond // 1000 * 1000),
        key=_clean(turn.key),
        parent=turn.parent and _clean(turn.parent),
        speaker=turn.speaker and _clean(turn.speaker),
        text=_clean(turn.text),
    )


def _clean(text: str) -> str:
    """Join surrogate pairs, replace lone ones, and drop NULs."""
    if not _UNSOUND.search(text):
        return text
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
