"""Chats written as text, in which some lines begin a message and the others continue it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePath
from unicodedata import normalize

from memcli.domain import Kind, Role, Skipped, Turn
from memcli.formats.building.long_chats import ChatTurn, WallClock, sender_role
from memcli.formats.format import ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines
from memcli.formats.parsing.values import MessageKeys
from memcli.lazy_dataclasses import dataclass

NO_MESSAGE = " "  # speaker of a line that ends the message before it, such as one with a day
LONGEST_MESSAGE = 1 << 20  # characters; the rest is dropped and reported


@dataclass(frozen=True, slots=True)
class MessageStart:
    """The first line of a message."""

    wall_time: datetime | None  # wall clock time
    speaker: str  # "" for a notice of the program
    text: str  # the text in this line; "" if the text begins with the next line
    chat: tuple[str, str] | None = None  # key and title, in a file of several chats


StartParser = Callable[
    [str], MessageStart | None
]  # parses a line; None if it does not begin a message
MessageParser = Callable[
    [MessageStart, str], tuple[Kind, str]
]  # returns the kind and the text of a message


def parse_text_chat(
    document: Document,
    options: ParseOptions,
    chat: tuple[str, str],
    parse_start: StartParser,
    parse_message: MessageParser,
    owner_names: tuple[str, ...] = (),
) -> Iterator[ChatTurn | Skipped]:
    """Yield the messages of one chat.

    Args:
        document: the text.
        options: gives the zone of its times and the names of its owner.
        chat: key and title of the chat, for messages whose first line names no other.
        parse_start: parses the first line of a message; returns None for any other line.
        parse_message: returns the kind and the text of a message, from its first line and its
            whole text.
        owner_names: names that the program uses for the person whose export it is.
    """
    keys: defaultdict[str, MessageKeys] = defaultdict(MessageKeys)
    clocks: dict[str, WallClock] = {}
    for found in _messages(document, parse_start):
        if isinstance(found, Skipped):
            yield found
            continue
        head, body = found
        kind, text = parse_message(head, body)
        chat_key, title = head.chat or chat
        clock = clocks.get(chat_key)
        if clock is None:
            clock = clocks[chat_key] = WallClock(options.timezone)
        sent_at, precision = clock.read(head.wall_time)
        is_owner = head.speaker in owner_names
        role = Role.USER if is_owner else sender_role(options, head.speaker)
        if not head.speaker:
            role, kind = Role.SYSTEM, kind if kind is Kind.CALL else Kind.SERVICE
        is_empty = kind is Kind.TEXT and not text.strip()
        if head.speaker != NO_MESSAGE or not is_empty:
            document.counter.see_parts([] if is_empty else [text])
        if is_empty:
            continue
        stamp = head.wall_time.isoformat() if head.wall_time else ""
        key = keys[chat_key].next_key(stamp, head.speaker, text)
        speaker = head.speaker.strip() or None
        turn = Turn(key, role, text, speaker, sent_at, precision, kind)
        yield ChatTurn(chat_key, title, turn)


def _messages(
    document: Document, begun: StartParser
) -> Iterator[tuple[MessageStart, str] | Skipped]:
    """Yield the first line and the whole text of each message."""
    head: MessageStart | None = None
    body: list[str] = []
    size = 0
    for number, line in enumerate(read_lines(document), start=1):
        if line is None:
            yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            continue
        line = line.rstrip("\r")
        if found := begun(line):
            if head:
                yield head, "\n".join(body).rstrip()
            head, body, size = found, [found.text] if found.text else [], 0
        elif head and size <= LONGEST_MESSAGE:
            body.append(line)
            size += len(line) + 1
            if size > LONGEST_MESSAGE:
                yield Skipped(f"line {number:,}", f"is past {LONGEST_MESSAGE:,} characters")
    if head:
        yield head, "\n".join(body).rstrip()


def chat_key_and_title(name: str) -> tuple[str, str]:
    """Return the key and the title of a chat that has a name but no id."""
    return normalize("NFC", name).strip().casefold() or "chat", name.strip() or "chat"


def chat_name(document: Document, *general: str) -> str:
    """Return the name of a file without its suffix, or of its folder if the name is general.

    Args:
        document: a file named after its chat.
        general: names that all files of the format have, in lower case.
    """
    path = PurePath(document.name)
    return path.parent.name if path.stem.casefold() in general else path.stem
