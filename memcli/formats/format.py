"""What a format is, what it reads from, and what every parser needs.

Adding a format takes one file beside this one, with a `FORMAT` at its end, and one line in
`memcli.formats.FORMATS`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import Any, BinaryIO

from memcli.domain import (
    Clock,
    Conversation,
    Doubt,
    Forgotten,
    KeptMemory,
    KeptReading,
    Kind,
    Skipped,
    Turn,
    fingerprint,
)

# How much of a file its format is recognised by.
HEAD_BYTES = 1 << 20


@dataclass(slots=True)
class Mark:
    """How far a log was read: up to the end of a whole line. Whoever reads on moves it."""

    offset: int = 0  # bytes
    line: int = 0  # lines before it


def _nothing(_path: str) -> None:
    """Find no file beside one."""


def _none(_path: str) -> "list[Document]":
    """Find no files in a folder beside one."""
    return []


@dataclass(frozen=True, slots=True)
class Document:
    """One file of an export, wherever it lies: on disk, inside a zip, on standard input."""

    name: str  # as a person would say it: "export.zip/conversations.json"
    open: Callable[[], BinaryIO] = field(compare=False)  # from the start, every time
    modified_at: datetime | None = field(default=None, compare=False)  # aware, where it is known
    mark: Mark | None = field(default=None, compare=False)  # of a log that was read before
    size: int | None = field(default=None, compare=False)  # bytes, where it is known
    find: Callable[[str], "Document | None"] = field(default=_nothing, compare=False)
    folder: Callable[[str], "list[Document]"] = field(default=_none, compare=False)

    def beside(self, path: str) -> "Document | None":
        """Return another file of the same export, None where it has none.

        Args:
            path: as a link in this file would have it: `users.json`, `../users.json`. It never
                leads out of the folder or the zip that was named.
        """
        return self.find(path)

    def within(self, path: str) -> "list[Document]":
        """Return the files of a folder of the same export, by name; none where there is none.

        Args:
            path: of the folder, as `beside` takes it.
        """
        return self.folder(path)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the person said about how to read."""

    timezone: tzinfo = UTC  # of wall clocks without a zone
    me: str | None = None  # the person's own name in chats among people
    included: frozenset[Kind] = frozenset()  # to be searched although nobody said them
    aliases: tuple[str, ...] = ()  # other names of their own, in any source

    @property
    def owner(self) -> str | None:
        """What to call the person."""
        return next(iter(self.own_names), None)

    @property
    def own_names(self) -> list[str]:
        """All names of the person."""
        return [name.strip() for name in (self.me, *self.aliases) if name and name.strip()]


@dataclass(frozen=True)
class Sample:
    """The head of a document: all that a format may look at to recognise it."""

    name: str
    head: bytes  # at most HEAD_BYTES
    document: Document | None = None  # for what the head cannot tell: the tables of a database

    @cached_property
    def text(self) -> str:
        """The head as text, without a byte order mark; what is not UTF-8 is replaced."""
        return self.head.decode("utf-8-sig", "replace")

    @cached_property
    def json(self) -> Any:  # whatever JSON holds
        """The head as JSON, closed where it breaks off; None where it is no JSON at all."""
        from memcli.formats.parsing.json_stream import begun

        return begun(self.text)

    @cached_property
    def elements(self) -> list[dict[str, Any]]:
        """The objects to look at: those of a top-level list, or the one top-level object.

        A list held by a top-level "conversations" counts as the top-level list.
        """
        top = self.json
        if isinstance(top, dict) and isinstance(top.get("conversations"), list):
            top = top["conversations"]
        found = top if isinstance(top, list) else [top]
        return [element for element in found if isinstance(element, dict)]

    @cached_property
    def tables(self) -> dict[str, set[str]]:
        """The columns of each table of a database; nothing where it is none."""
        from memcli.formats.parsing.sqlite import tables

        return tables(self)


Kept = Conversation | KeptMemory | KeptReading | Forgotten
Parsed = Kept | Skipped | Doubt


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of export.

    `parse` yields conversations as it reads, in bounded memory. What it cannot read it yields as
    Skipped and goes on; where it cannot go on it raises InputError, and what it yielded before
    stands.

    A log that only ever grows may be parsed from its first lines and its new ones alone. Where
    keys are the source's own and unique over all its conversations, a conversation that begins
    with a copy of another is kept without the copy.

    Where the threads of a chat `key` are conversations `key/…` that end in the key of the turn that
    began them, that turn is the thread's, though an export from before there was an answer has it
    in the chat.
    """

    name: str
    title: str  # as a person would say it
    recognises: Callable[[Sample], bool]
    parse: Callable[[Document, Reading], Iterator[Parsed]]
    grows: bool = False  # a log, a line an event: a half-written last line is left for next time
    unique_keys: bool = False
    threads: bool = False


class Keys:
    """Makes keys for messages that have none: a digest of what identifies them, and a count.

    The count tells the n-th of equal messages, so that the same message has the same key in every
    export that holds all messages equal to it.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def key(self, *parts: object) -> str:
        """Return the key of the next message with these parts."""
        digest = fingerprint(*parts)
        self._seen[digest] += 1
        return fingerprint(digest, self._seen[digest])


def instant(value: object) -> datetime | None:
    """Read an exact time: epoch seconds or milliseconds, or ISO 8601 with a zone.

    Naive ISO times are taken as UTC. Nonsense gives None: text that is no time, not-a-number,
    years before 1990 or after 2100.
    """
    moment: datetime | None = None
    try:
        if isinstance(value, str):
            text = value.strip()
            try:
                value = float(text)
            except ValueError:
                moment = datetime.fromisoformat(text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > 1e11 else value
            moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if 1990 <= moment.year <= 2100 else None


def wall_clock(naive: datetime, zone: tzinfo) -> datetime:
    """Place a wall clock time in a zone, with the zone's offset at that time fixed."""
    offset = naive.replace(tzinfo=zone).utcoffset() or timedelta(0)
    return naive.replace(tzinfo=timezone(offset))


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one: exports are full of surprises."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """Return a text or number as text, anything else as ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def with_inherited_times(turns: list[Turn]) -> list[Turn]:
    """Give turns without a time that of the turn before them, marked as inherited."""
    if all(turn.sent_at for turn in turns):
        return turns
    timed: list[Turn] = []
    last: datetime | None = None
    for turn in turns:
        if turn.sent_at is None and last is not None:
            timed.append(replace(turn, sent_at=last, clock=Clock.INHERITED))
        else:
            timed.append(turn)
            last = turn.sent_at
    return timed
