"""The values that all of memcli passes around: conversations, turns, sessions, memories.

    Conversation 1 ── * Turn      one talk of an export, with an assistant or in an endless chat
    Session      1 ── * Turn      a conversation, or one stretch of an endless chat; it is ranked
    Session      1 ── * Passage   a window over neighbouring turns: embedded, reranked and quoted
    Memory       1 ── 1 Fact      one thing worth remembering
    Memory       1 ── * SourceTurn   a turn that the fact came from

The values are equal when their fields are equal, and know no SQLite, models or terminals.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NewType

from memcli.lazy_dataclasses import dataclass

SessionId = NewType("SessionId", str)  # "s_" and ten characters; people see and type it
MemoryId = NewType("MemoryId", str)  # "m_" and ten characters


class Role(StrEnum):
    """The role of a speaker. People in a chat among people are PERSON; its owner is USER."""

    USER = "user"
    ASSISTANT = "assistant"
    PERSON = "person"
    SYSTEM = "system"
    TOOL = "tool"


class Kind(StrEnum):
    """The kind of a turn. TEXT, and MEDIA with a caption or file name, are searched."""

    TEXT = "text"
    MEDIA = "media"  # a picture, a voice message, a file without words
    CALL = "call"
    SERVICE = "service"  # "Ann joined the group"
    DELETED = "deleted"
    TOOL = "tool"  # a call of a program, or its result
    THOUGHT = "thought"  # the reasoning of a model before its answer
    CONTEXT = "context"  # given to a model by a program: system prompts, files, summaries

    @property
    def is_message(self) -> bool:
        """True if a person or a model sent it: words, a file, or either of them deleted later."""
        return self in _MESSAGE_KINDS


# A set, because an import looks every turn up in it.
_MESSAGE_KINDS = frozenset({Kind.TEXT, Kind.MEDIA, Kind.DELETED})


class Clock(StrEnum):
    """The origin of a turn's time, which tells how far it can be trusted."""

    EXACT = "exact"  # the source gives an instant
    LOCAL = "local"  # the source gives a time without a zone; the person named the zone
    INHERITED = "inherited"  # the source gives no usable time; the turn before has this one
    NONE = "none"  # no time is known


@dataclass(frozen=True, slots=True)
class Turn:
    """One message.

    `key` is the source's own id if it has one, else a digest of time, speaker, text and count:
    unique in its conversation, and the same in every export of it.
    """

    key: str
    role: Role
    text: str
    speaker: str | None = None  # a name; None if the role is all that is known
    sent_at: datetime | None = None  # aware, in the offset of the speaker (UTC if unknown)
    clock: Clock = Clock.NONE
    kind: Kind = Kind.TEXT
    parent: str | None = None  # key of the turn that this one answers, on a branch or as a reply
    active: bool = True  # True on the branch that was kept
    edited_at: datetime | None = None  # aware; None if it was not edited, or nobody knows
    missing: bool = False  # True if the newest copy of the conversation lacks it
    included: bool = False  # True if the person wants it searched whatever its kind

    @property
    def is_searchable(self) -> bool:
        """True if search finds it: words of a person or a model, on the branch that was kept."""
        words = self.included or self.kind in (Kind.TEXT, Kind.MEDIA)
        return self.active and words and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class Revision:
    """The former text of a turn, or the former title of a conversation."""

    key: str | None  # the key of the turn; None for a title
    text: str
    digest: str  # a digest of all fields of the turn that were replaced


@dataclass(frozen=True, slots=True)
class SessionHistory:
    """The revisions and former ids of a session, as a database of memcli exports them."""

    revisions: tuple[Revision, ...] = ()
    # Each alias is a former id and the key of the turn that the session began with.
    aliases: tuple[tuple[SessionId, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of an export, or a piece of an endless chat.

    The pieces of an endless chat may come in any order and may overlap. They are joined by `key`
    and cut into sessions by the times of the turns, never by the end of a piece.
    """

    source: str  # the name of the format, or of the program that wrote the export
    key: str  # the source's own id if it has one
    title: str
    turns: tuple[Turn, ...]  # in order of time, with all branches
    endless: bool = False
    updated_at: datetime | None = None  # aware; of two copies the one with the later time is newer
    history: SessionHistory | None = None  # given only if a database of memcli exported the session


class Omission(StrEnum):
    """The reason for which a message of an export became no turn."""

    EMPTY = "empty"  # the message has neither words nor a file
    HIDDEN = "hidden"  # instructions and context that the program does not show to the person
    DRAFT = "draft"  # a message that was never sent
    REPEATED = "repeated"  # the same message is there twice
    BOOKKEEPING = "bookkeeping"  # an entry of the program that is no message
    UNREADABLE = "unreadable"  # the message is damaged; a warning tells where


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item of an export that was not imported.

    `lost` is True for damage (an item was there and could not be read), False for an empty item.
    """

    where: str  # "conversation 3 (Trip to Lisbon)", "line 17"
    why: str
    lost: bool = True


@dataclass(frozen=True, slots=True)
class Doubt:
    """An item of an export that was imported, but could be read in another way, too."""

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
    participants: tuple[str, ...]  # names, or roles if nobody has a name


@dataclass(frozen=True, slots=True)
class Passage:
    """A window of neighbouring turns of a session, or a part of one long turn."""

    first: int  # position of its first turn, from 1
    last: int  # position of its last turn, included
    start: int = 0  # its first character, if it is a part of one turn
    stop: int | None = None  # the character after its last; None: it ends where the turn ends


class MemoryType(StrEnum):
    """The type of a memory. MemReader was trained with these names."""

    USER = "UserMemory"  # a trait, possession or preference of the person
    LONG_TERM = "LongTermMemory"  # facts, events, shared knowledge


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement worth remembering; with its sources it is a memory."""

    key: str  # the subject: of two facts with one key the newer one is current
    type: MemoryType
    value: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a session that a reader model reads in one go."""

    session: SessionId
    first: int  # position of its first turn, from 1
    last: int  # position of its last turn, included


@dataclass(frozen=True, slots=True)
class SourceTurn:
    """The present place of a turn that a memory came from."""

    session: SessionId
    position: int  # from 1
    key: str  # the key of the turn, which stays when its session grows or is cut elsewhere


YOU = "you"  # the author of memories that the person wrote, and the source of their turns


@dataclass(frozen=True, slots=True)
class Memory:
    """A fact with the turns it came from, and whether a newer one supersedes it.

    Of memories with one key the one said last is current, no matter when it was read. If the times
    do not tell which one that is, the memories conflict.
    """

    id: MemoryId
    fact: Fact
    sources: tuple[SourceTurn, ...]  # at least one, in order of time
    said_at: datetime | None  # the time of the last source; None if no source has one
    by: str  # YOU, or name and fingerprint of the model that wrote it
    accepted: bool = False  # True if the person accepted or wrote it
    unsupported: tuple[str, ...] = ()  # its names, numbers and dates that no source has
    superseded_by: MemoryId | None = None
    edited: bool = False  # True if the person edited it into the one that supersedes it
    conflicts: tuple[MemoryId, ...] = ()  # other current memories that it contradicts

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("a memory needs a turn that it came from")

    @property
    def current(self) -> bool:
        """True if no newer memory supersedes it."""
        return self.superseded_by is None

    @property
    def trusted(self) -> bool:
        """True if its sources support all of it, or the person accepted it."""
        return self.accepted or not self.unsupported


@dataclass(frozen=True, slots=True)
class PortableSource:
    """A turn that a memory came from, named by keys that are the same in every database."""

    source: str  # the source of its conversation
    conversation: str  # the key of its conversation
    turn: str  # its own key
    by: str  # YOU, or name and fingerprint of the model that found the memory there


@dataclass(frozen=True, slots=True)
class PortableMemory:
    """A memory as one database exports it to another, which derives all its other fields."""

    fact: Fact
    sources: tuple[PortableSource, ...]
    accepted: bool = False  # True if the person accepted it explicitly
    edited_into: MemoryId | None = None  # the memory that the person made of it


class ReadingOutcome(StrEnum):
    """The result of reading a segment."""

    ADDED = "added"
    IGNORED = "ignored"
    BUFFERED = "buffered"  # undecided: to be read again together with the next segment
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PortableTurn:
    """A turn that was read, named by keys that are the same in every database."""

    source: str  # the source of its conversation
    conversation: str  # the key of its conversation
    turn: str  # its own key
    digest: str  # a digest of its text at that time
    stop: int  # the number of its characters that had been read by then


@dataclass(frozen=True, slots=True)
class PortableReading:
    """A reading of a segment, as one database exports it to another."""

    turns: tuple[PortableTurn, ...]
    way: str  # a digest of the reader model and its settings
    model: str
    outcome: ReadingOutcome
    reason: str
    memories: tuple[MemoryId, ...] = ()
    trace: tuple[object, ...] | None = None  # thoughts, calls and results, as JSON values


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The digest of a forgotten item, by which an import knows not to take it again."""

    digest: str
    key: str | None = None  # the key that the digest was made with; None in older exports


def public_id(prefix: str, *parts: object) -> str:
    """Return a prefix and ten letters and digits, 50 bits of a digest of these parts."""
    digest = int(fingerprint(*parts), 16)
    letters = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no two look alike
    return prefix + "".join(letters[digest >> 5 * at & 31] for at in range(10))


def fingerprint(*parts: object) -> str:
    """Return a digest of these parts in this order, 32 hexadecimal digits.

    ("ab", "c") and ("a", "bc") have different digests. Lone surrogates are allowed.
    """
    digest = blake2b(digest_size=16)
    for part in parts:
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def participants(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return the speakers in the order of their first turns: names, or roles without a name."""
    names = [turn.speaker or turn.role for turn in turns if turn.kind.is_message]
    return tuple(map(str, dict.fromkeys(names)))
