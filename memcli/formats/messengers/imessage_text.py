"""imessage-exporter's text files: a file per chat, named after it.

A line with the time begins a message, and the next line names the speaker. A reply is written
twice: indented under the message it answers, and at its own place, where it is read. Reactions
follow the text.

Source: the tests of imessage-exporter's txt.rs, and its list of features.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from memcli.domain import Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, WallClock, sender_role, split_chats
from memcli.formats.building.text_chat import LONGEST_MESSAGE, chat_key_and_title, chat_name
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import MessageKeys
from memcli.lazy_dataclasses import dataclass, field

_HEAD = re.compile(
    r"( *)([A-Z][a-z]{2} \d{1,2}, \d{4} {1,2}\d{1,2}:\d\d:\d\d [AP]M)"
    r"(?: \([^()]*(?:[Rr]ead|[Dd]elivered)[^()]*\))?(?: (\S.*))?"
)
_REACTIONS = re.compile(r"^[ \t]*(?:Tapbacks|Reactions):[ \t]*$.*", re.MULTILINE | re.DOTALL)
_REPLY_NOTE = re.compile(r"^This message responded to an earlier message\.[ \t]*$", re.MULTILINE)
_UNSENT = re.compile(r".{1,100} unsent (?:this|a) message.*", re.DOTALL)
_FILE = re.compile(r"(?:/|~/|(?:attachments|Attachments)/)[^\n]*/([^/\n]+\.\w{2,5})")
_MOST_REPLIES = 10_000  # replies that wait for their own place


def _recognises(sample: Sample) -> bool:
    head = next((line for line in sample_lines(sample, 20) if line.strip()), "")
    return _HEAD.fullmatch(head.rstrip()) is not None and not head.startswith(" ")


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("imessage_text", _Chat(document, options).turns())


@dataclass(slots=True)
class _Message:
    """A message as its lines are read."""

    indent: int
    time: str
    notice: str  # text of an event, which stands in the first line
    lines: list[str] = field(default_factory=list)
    size: int = 0  # characters


class _Chat:
    """A reader of one chat."""

    def __init__(self, document: Document, options: ParseOptions) -> None:
        self._document, self._options = document, options
        self._key, self._title = chat_key_and_title(chat_name(document))
        self._keys, self._clock = MessageKeys(), WallClock(options.timezone)
        self._last_key: str | None = None  # key of the last message at its own place
        # Replies under the messages they answer, with those messages' keys.
        self._replies: dict[tuple[str, str], tuple[str | None, _Message]] = {}

    def turns(self) -> Iterator[ChatTurn | Skipped]:
        """Yield the messages as turns, and the parts that are left out."""
        try:
            for message in self._messages():
                if isinstance(message, Skipped):
                    yield message
                elif message.indent and len(self._replies) < _MOST_REPLIES:
                    self._replies[_identity(message)] = self._last_key, message
                elif turn := self._turn(message):
                    self._last_key = turn.key
                    yield ChatTurn(self._key, self._title, turn)
        except InputError:
            yield from self._remaining_replies()
            raise
        yield from self._remaining_replies()

    def _remaining_replies(self) -> Iterator[ChatTurn]:
        """Yield the replies whose own place is missing."""
        for _, reply in list(self._replies.values()):
            if turn := self._turn(reply):
                yield ChatTurn(self._key, self._title, turn)

    def _messages(self) -> Iterator[_Message | Skipped]:
        """Yield the messages in the order of the file."""
        message: _Message | None = None
        for number, line in enumerate(read_lines(self._document), start=1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            elif match := _HEAD.fullmatch(line.rstrip()):
                if message:
                    yield message
                message = _Message(len(match[1]), match[2], match[3] or "")
            elif message and message.size <= LONGEST_MESSAGE:
                message.lines.append(line.rstrip("\r")[message.indent :])
                message.size += len(line) + 1
                if message.size > LONGEST_MESSAGE:
                    yield Skipped(f"line {number:,}", f"is past {LONGEST_MESSAGE:,} characters")
        if message:
            yield message

    def _turn(self, message: _Message) -> Turn | None:
        """Return the turn that a message makes; None where it is empty."""
        naive = None
        with suppress(ValueError):
            naive = datetime.strptime(" ".join(message.time.split()), "%b %d, %Y %I:%M:%S %p")
        speaker = "" if message.notice else next(iter(message.lines), "").strip()
        kind, text = _content(message)
        self._document.counter.see()
        if kind is Kind.TEXT and not text:
            self._document.counter.omit(Omission.EMPTY)
            return None
        sent_at, clock = self._clock.read(naive)
        role = Role.USER if speaker == "Me" else sender_role(self._options, speaker)
        return Turn(
            key=self._keys.next_key(naive, speaker, text),
            role=Role.SYSTEM if kind is Kind.SERVICE else role,
            text=text,
            speaker=speaker or None,
            sent_at=sent_at,
            clock=clock,
            kind=kind,
            parent=self._replies.pop(_identity(message), (None, message))[0],
        )


def _content(message: _Message) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    if message.notice:
        return Kind.SERVICE, message.notice
    text = _REACTIONS.sub("", "\n".join(message.lines[1:]))
    text = _REPLY_NOTE.sub("", text).strip()
    if _UNSENT.fullmatch(text):
        return Kind.DELETED, ""
    if file := _FILE.fullmatch(text):
        return Kind.MEDIA, file[1]
    return Kind.TEXT, text


def _identity(message: _Message) -> tuple[str, str]:
    """Return the time and the content, which are the same at both places of a reply."""
    kind, text = _content(message)
    return " ".join(message.time.split()), "\n".join((*message.lines[:1], kind, text))


FORMAT = Format(name="imessage_text", recognises=_recognises, parse=_parse)
