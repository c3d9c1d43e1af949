"""What memcli talks about: conversations, turns, sessions and passages.

    Conversation 1 ── * Turn      what an export holds: a talk with an assistant, or an endless chat
    Session      1 ── * Turn      what is ranked: a conversation, or one stretch of an endless chat
    Session      1 ── * Passage   a window over neighbouring turns: embedded, reranked and quoted

Plain values: equal when their fields are equal, ignorant of SQLite, models and terminals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NewType

SessionId = NewType("SessionId", str)  # "s_" and ten characters: what people see and type
MemoryId = NewType("MemoryId", str)  # "m_" and ten characters


class Role(StrEnum):
    """Who speaks, as models see it. People in a chat among people are PERSON; its owner is USER."""

    USER = "user"
    ASSISTANT = "assistant"
    PERSON = "person"
    SYSTEM = "system"
    TOOL = "tool"


class Kind(StrEnum):
    """What a turn is. TEXT and what names MEDIA are somebody's words, and searched."""

    TEXT = "text"
    MEDIA = "media"  # a picture, a voice message, a file without words
    CALL = "call"
    SERVICE = "service"  # "Ann joined the group"
    DELETED = "deleted"
    TOOL = "tool"  # what a program was told to do, and what it answered
    THOUGHT = "thought"  # a model's, before it answered
    CONTEXT = "context"  # put before a model by a program: system prompts, files, summaries

    @property
    def said(self) -> bool:
        """Whether somebody said it, in words or with a file, if only to take it back."""
        return self in _SAID


_SAID = frozenset({Kind.TEXT, Kind.MEDIA, Kind.DELETED})  # every turn of an import is asked


class Clock(StrEnum):
    """How far a time can be trusted."""

    EXACT = "exact"  # an instant, from the source
    LOCAL = "local"  # a wall clock without a zone, read in the zone the person named
    INHERITED = "inherited"  # the source says nothing usable: taken from the turn before
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message.

    `key` is the source's own id where it has one, else a digest of time, speaker, text and count
    (`formats.keys`): unique in its conversation, and the same in every export of it.
    """

    key: str
    role: Role
    text: str
    speaker: str | None = None  # a name; None where the role says it all
    sent_at: datetime | None = None  # aware, in the offset it was said in (UTC where unknown)
    clock: Clock = Clock.NONE
    kind: Kind = Kind.TEXT
    parent: str | None = None  # key of the turn this one answers, on a branch or as a reply
    active: bool = True  # on the branch that was kept
    edited_at: datetime | None = None  # aware; None where the source does not say, or it was not
    missing: bool = False  # from the newest copy of the conversation
    included: bool = False  # in what is searched although nobody said it: the person asked for it

    @property
    def searched(self) -> bool:
        """Whether it is found: somebody's words, on the branch that was kept."""
        words = self.included or self.kind in (Kind.TEXT, Kind.MEDIA)
        return self.active and words and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class Revision:
    """What a turn said, or how a conversation was titled, before it was replaced."""

    key: str | None  # of the turn; None for a title
    text: str
    digest: str  # of all that was replaced


@dataclass(frozen=True, slots=True)
class Past:
    """What a memory kept of a session beside what it says now."""

    revisions: tuple[Revision, ...] = ()
    aliases: tuple[
        tuple[SessionId, str], ...
    ] = ()  # a former id, the key of the turn it began with


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of an export, or a piece of an endless chat.

    An endless chat may come in any number of pieces, in any order, and pieces may overlap: they
    are joined by `key`, and cut into sessions by what was said when, never by where a piece ends.
    """

    source: str  # name of the format, or of the program that wrote the export
    key: str  # the source's own id where it has one
    title: str
    turns: tuple[Turn, ...]  # in the order they were said, other branches included
    endless: bool = False
    updated_at: datetime | None = None  # aware: of two copies the later one is the newer
    past: Past | None = None  # of a session that another memory wrote down as it kept it


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in an export that was not imported.

    `lost` tells damage (something was there and could not be read) from emptiness.
    """

    where: str  # "conversation 3 (Trip to Lisbon)", "line 17"
    why: str
    lost: bool = True


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in an export that was imported, but can be read in another way, too."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation as it is stored, shown and ranked; its turns have positions from 1."""

    id: SessionId
    source: str
    title: str
    turns: tuple[Turn, ...]
    started_at: datetime | None
    ended_at: datetime | None
    participants: tuple[str, ...]  # names, or roles where nobody has a name


@dataclass(frozen=True, slots=True)
class Passage:
    """A window of neighbouring turns of a session, or a part of one long turn."""

    first: int  # positions of its first and last turn, from 1, both included
    last: int
    start: int = 0  # characters, within the turn, where it takes several passages
    stop: int | None = None


class MemoryType(StrEnum):
    """What a memory is about; the names are those MemReader was taught."""

    USER = "UserMemory"  # what the person is like, has or prefers
    LONG_TERM = "LongTermMemory"  # facts, events, shared knowledge


@dataclass(frozen=True, slots=True)
class Fact:
    """Something worth remembering, as a model or a person put it; a memory once it has sources."""

    key: str  # what it is about: of two facts about one key the newer is the current one
    type: MemoryType
    value: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a session that is read, and decided about, at once."""

    session: SessionId
    first: int  # positions of its first and last turn, from 1, both included
    last: int


@dataclass(frozen=True, slots=True)
class SourceTurn:
    """A turn that a memory came from, where it is now."""

    session: SessionId
    position: int  # from 1
    key: str  # of the turn: stays when its session grows or is cut elsewhere


YOU = "you"  # who a memory is by, where no model wrote it; and the source of what you write


@dataclass(frozen=True, slots=True)
class Memory:
    """A fact with the turns it came from, and what became of it.

    Of memories about one key the one said last is current, whenever it was read; where nothing
    tells which that is, they conflict.
    """

    id: MemoryId
    fact: Fact
    sources: tuple[SourceTurn, ...]  # as they were said, at least one
    said_at: datetime | None  # when the last of them was; None where no time is known
    by: str  # YOU, or name and fingerprint of the model that wrote it
    accepted: bool = False  # by the person; what they wrote themselves always is
    unsupported: tuple[str, ...] = ()  # its names, numbers and dates that no source has
    superseded_by: MemoryId | None = None
    edited: bool = False  # by the person, into what superseded it
    conflicts: tuple[MemoryId, ...] = ()  # with other current ones

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("a memory needs a turn that it came from")

    @property
    def current(self) -> bool:
        """Whether nothing newer is known."""
        return self.superseded_by is None

    @property
    def trusted(self) -> bool:
        """Whether its sources have all that it says, or the person accepted it."""
        return self.accepted or not self.unsupported


@dataclass(frozen=True, slots=True)
class KeptSource:
    """A turn that a memory came from, by names that mean it in every database."""

    source: str  # of its conversation
    conversation: str  # the conversation's key
    turn: str  # its own key
    by: str  # YOU, or name and fingerprint of the model that found it there


@dataclass(frozen=True, slots=True)
class KeptMemory:
    """A memory as one database writes it down for another: all else about it follows."""

    fact: Fact
    sources: tuple[KeptSource, ...]
    accepted: bool = False  # by the person, in so many words
    edited_into: MemoryId | None = None


class Outcome(StrEnum):
    """What a reader made of a segment."""

    ADDED = "added"
    IGNORED = "ignored"
    BUFFERED = "buffered"  # not settled: to be shown again together with what follows
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A turn as it was read, by names that mean it in every database."""

    source: str  # of its conversation
    conversation: str  # the conversation's key
    turn: str  # its own key
    digest: str  # of its text then
    stop: int  # characters of it that were read by then


@dataclass(frozen=True, slots=True)
class KeptReading:
    """What a reader made of a segment, as one database writes it down for another."""

    turns: tuple[KeptTurn, ...]
    way: str  # digest of the reader and of how it was asked
    model: str
    outcome: Outcome
    reason: str
    memories: tuple[MemoryId, ...] = ()
    trace: tuple[object, ...] | None = None  # as JSON has it


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Something that must not come back: a digest, from which nobody reads what it was."""

    digest: str


def public_id(prefix: str, *parts: object) -> str:
    """Return a prefix and ten letters and digits, 50 bits of a digest of these parts."""
    digest = int(fingerprint(*parts), 16)
    letters = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: nothing that looks like another
    return prefix + "".join(letters[digest >> 5 * at & 31] for at in range(10))


def fingerprint(*parts: object) -> str:
    """Return 32 hexadecimal digits that stand for these parts in this order.

    Parts are told apart: ("ab", "c") and ("a", "bc") differ. Lone surrogates are no obstacle.
    """
    digest = blake2b(digest_size=16)
    for part in parts:
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def participants(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return who speaks, in the order they first do: names, or roles where nobody has a name."""
    names = [turn.speaker or turn.role for turn in turns if turn.kind.said]
    return tuple(map(str, dict.fromkeys(names)))
