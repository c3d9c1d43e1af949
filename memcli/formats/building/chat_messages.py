"""Messages of chats among people, in the parts that most exports have, built into turns."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from memcli.domain import Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.long_chats import ChatTurn, WallClock, sender_role, text_with_files
from memcli.formats.format import ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.values import MessageKeys
from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message as an export states it."""

    chat: str  # key of the chat
    title: str
    speaker: str  # "" if the export does not name one
    text: str
    time: datetime | None = None  # aware if the export states an instant, else a wall clock time
    key: str = ""  # the message's own id
    files: Sequence[str] = ()  # names of its files; a name may be ""
    is_owner: bool = False  # True if the export states that the person wrote it
    kind: Kind = Kind.TEXT  # TEXT stands for any message that people write
    role: Role | None = None  # where it is known
    other_names: Sequence[str] = ()  # names of the speaker by which the person may be known
    parent: str | None = None  # key of the message that it answers
    edited_at: datetime | None = None


def chat_turns(
    messages: Iterable[ChatMessage | Skipped], document: Document, options: ParseOptions
) -> Iterator[ChatTurn | Skipped]:
    """Yield the turns of messages, and count the messages in the counter of their document.

    A notice of the program is a turn of the system. A message with neither text nor files yields
    no turn, unless its kind tells more than its text.

    Args:
        messages: of any number of chats, in the order of the file.
        document: the file that they are in.
        options: the zone of wall clock times, and the names of the person.
    """
    keys: defaultdict[str, MessageKeys] = defaultdict(MessageKeys)
    clocks: dict[str, WallClock] = {}
    for message in messages:
        document.counter.see()
        if isinstance(message, Skipped):
            document.counter.omit(Omission.UNREADABLE if message.lost else Omission.BOOKKEEPING)
            yield message
            continue
        clock = clocks.get(message.chat)
        if clock is None:
            clock = clocks[message.chat] = WallClock(options.timezone)
        turn = _turn(message, keys[message.chat], clock, options)
        if turn is None:
            document.counter.omit(Omission.EMPTY)
        else:
            yield ChatTurn(message.chat, message.title, turn)


def _turn(
    message: ChatMessage, keys: MessageKeys, clock: WallClock, options: ParseOptions
) -> Turn | None:
    """Return the turn of a message; None if it has no content."""
    kind, text = message.kind, message.text.strip("\n")
    if kind in (Kind.TEXT, Kind.MEDIA):
        kind, text = text_with_files(text, message.files)
        kind = message.kind if message.kind is Kind.MEDIA else kind
    if kind is Kind.TEXT and not text.strip():
        return None
    sent_at, precision = clock.read(message.time)
    role = message.role or (Role.USER if message.is_owner else None)
    role = role or sender_role(options, message.speaker, *message.other_names)
    speaker = message.speaker or (options.owner if role is Role.USER else None)
    key = message.key or keys.next_key(message.time, message.speaker, kind, text)
    return Turn(
        key=key,
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=precision,
        kind=kind,
        parent=message.parent or None,
        edited_at=message.edited_at,
    )
