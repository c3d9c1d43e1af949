"""Telegram Desktop's HTML export: a folder per chat, in pages.

A message that follows one of the same sender does not repeat the name. Newer exports state the
zone of their times. The chat itself has no id, so its name identifies it.

Source: exports of 2018 to 2025, and export_output_html.cpp of tdesktop.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from memcli.domain import Clock, Kind, Omission, Role, Turn
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.building.text_chat import chat_key_and_title
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import EndTag, StartTag, parse_html
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import is_plausible_time, localize
from memcli.lazy_dataclasses import dataclass, field

_MESSAGE = re.compile(r'<div class="message (?:default|service)[^"]*" id="message-?\d+"')
_TIME = re.compile(
    r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)(?: UTC(?:([+-])(\d\d):?(\d\d))?)?"
)
_VOID = frozenset({"br", "img", "meta", "link", "input", "hr", "wbr", "source"})
_LONGEST_TEXT = 1 << 20  # characters
_LONGEST_TARGET = 2_000  # characters of a link's target
_DEEPEST = 100  # open elements; an export has far fewer


def _recognises(sample: Sample) -> bool:
    return _MESSAGE.search(sample.text) is not None and 'class="page_wrap' in sample.text


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("telegram_html", _messages(document, options))


@dataclass(slots=True)
class _Message:
    """A message as its elements are read."""

    number: str
    is_service: bool
    is_joined: bool  # True if it has the sender of the message before
    time: str = ""
    reply_to: str = ""  # number of the message it answers
    files: list[str] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)  # texts by the part they belong to
    size: int = 0  # characters
    link: tuple[str, int] | None = None  # the target of an open link, and the texts before it

    def text(self, part: str) -> str:
        """Return the text of a part, without the space around its lines."""
        raw = "".join(self.parts.get(part, ()))
        return "\n".join(line.strip() for line in raw.split("\n")).strip()

    def end_link(self) -> None:
        """Add the target of a link after its words, unless they are the target itself."""
        target, start = self.link or ("", 0)
        self.link, texts = None, self.parts.get("text", [])
        words = "".join(texts[start:])
        is_address = target.startswith(("http://", "https://")) and len(target) < _LONGEST_TARGET
        if is_address and words.strip() and words.strip().rstrip("/") not in target:
            texts.append(f" ({target})")


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn]:
    title, speaker = "", ""
    page = _Page()
    for message in page.messages(parse_html(document)):
        title = title or page.title or "Telegram chat"
        if not message.is_joined:
            speaker = message.text("from_name")
        document.counter.see()
        if turn := _turn(message, speaker, options):
            key, name = chat_key_and_title(title)
            yield ChatTurn(key, name, turn)
        else:
            document.counter.omit(Omission.EMPTY)


class _Page:
    """A reader of one page."""

    def __init__(self) -> None:
        self.title = ""
        self._open: list[tuple[str, frozenset[str]]] = []  # open elements with their classes
        self._message: _Message | None = None
        self._depth = 0  # number of elements around the message

    def messages(self, stream: Iterator[StartTag | EndTag | str]) -> Iterator[_Message]:
        """Yield the messages of a page from its tokens."""
        for token in stream:
            if isinstance(token, str):
                self._add_text(token)
            elif isinstance(token, EndTag):
                yield from self._close(token.tag)
            else:
                yield from self._start(token)

    def _start(self, token: StartTag) -> Iterator[_Message]:
        number = re.fullmatch(r"message(-?\d+)", token.attributes.get("id", ""))
        if number and "message" in token.classes:
            if self._message:  # the one before was not closed
                yield self._message
            self._message = _Message(
                number[1],
                is_service="service" in token.classes,
                is_joined="joined" in token.classes,
            )
            self._depth = len(self._open)
        elif self._message:
            self._read_attributes(self._message, token)
        if token.tag not in _VOID and len(self._open) < _DEEPEST:
            self._open.append((token.tag, token.classes))

    def _close(self, tag: str) -> Iterator[_Message]:
        if tag == "a" and self._message:
            self._message.end_link()
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                break
        if self._message and len(self._open) <= self._depth:
            yield self._message
            self._message = None

    def _read_attributes(self, message: _Message, token: StartTag) -> None:
        """Add to a message the time, file or reply that an element's attributes state."""
        reply = re.search(r"message(\d+)$", token.attributes.get("href", ""))
        if "answer" in token.classes:
            message.parts.setdefault("answer", []).append("\n")
        if token.tag == "br":
            self._add_text("\n", plain=False)
        elif "date" in token.classes and not self._within("forwarded"):
            message.time = message.time or token.attributes.get("title", "")
        elif reply and self._within("reply_to"):
            message.reply_to = reply[1]
        elif token.tag == "a" and self._part() == "text":
            message.link = token.attributes.get("href", ""), len(message.parts.get("text", ()))
        elif token.tag == "a" and self._within("media_wrap"):
            message.files.append(token.attributes.get("href", "").rpartition("/")[2])

    def _add_text(self, text: str, *, plain: bool = True) -> None:
        message, title = self._message, " ".join(text.split()) if plain else text
        if message is None:
            if title and not self.title and self._within("page_header") and self._within("text"):
                self.title = title
            return
        part = self._part()
        if part and message.size < _LONGEST_TEXT:
            if plain and not self._within_tag("pre"):
                text = re.sub(r"\s+", " ", text)
            message.parts.setdefault(part, []).append(text)
            message.size += len(text)

    def _part(self) -> str:
        """Return the part of a message that the text here belongs to, "" if it is none."""
        if self._within("reactions") or self._within("reply_to"):
            return ""
        if self._within("from_name"):
            if self._within("details"):  # the time of a forwarded message
                return ""
            return "forwarded" if self._within("forwarded") else "from_name"
        if self._within("media_wrap"):
            names = ("question", "answer", "title")
            part = next((name for name in names if self._within(name)), "")
            return "" if part == "answer" and self._within("details") else part
        if self._within("text"):
            return "text"
        return "notice" if self._message and self._message.is_service else ""

    def _within(self, name: str) -> bool:
        """Return whether an open element of the message has a class; outside one, any element."""
        inner = self._open[self._depth :] if self._message else self._open
        return any(name in classes for _, classes in inner)

    def _within_tag(self, tag: str) -> bool:
        return any(tag == name for name, _ in self._open)


def _turn(message: _Message, speaker: str, options: ParseOptions) -> Turn | None:
    """Return the turn that a message makes; None where it is empty."""
    speaker = re.sub(r" via @\w+$", "", speaker)
    kind, text = _content(message)
    if message.number.startswith("-") or (kind is Kind.TEXT and not text):
        return None  # a negative number is that of a line with the day
    sent_at, clock = _parse_time(message.time, options)
    return Turn(
        key=message.number,
        role=Role.SYSTEM if message.is_service else sender_role(options, speaker),
        text=text,
        speaker=None if message.is_service else speaker or None,
        sent_at=sent_at,
        clock=clock,
        kind=kind,
        parent=message.reply_to or None,
    )


def _content(message: _Message) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    if message.is_service:
        return Kind.SERVICE, message.text("notice")
    question = message.text("question")
    if question:
        return Kind.MEDIA, f"{question}\n{message.text('answer')}".strip()
    text, origin = message.text("text"), message.text("forwarded")
    title = message.text("title")
    names = [title] if title else message.files
    if text and origin:
        text = f"[forwarded from {origin}] {text}"
    return text_with_files(text, names if not text or title else [])


def _parse_time(text: str, options: ParseOptions) -> tuple[datetime | None, Clock]:
    """Parse "01.06.2024 12:00:00 UTC+02:00"; older exports have no zone."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None, Clock.NONE
    day, month, year, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    with suppress(ValueError):
        naive = datetime(year, month, day, hour, minute, second)
        if not is_plausible_time(naive):
            return None, Clock.NONE
        if "UTC" not in text:
            return localize(naive, options.timezone), Clock.LOCAL
        offset = timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
        return naive.replace(tzinfo=timezone(-offset if match[7] == "-" else offset)), Clock.EXACT
    return None, Clock.NONE


FORMAT = Format(name="telegram_html", recognises=_recognises, parse=_parse)
