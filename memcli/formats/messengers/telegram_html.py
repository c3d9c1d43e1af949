"""Telegram Desktop's HTML export: a folder a chat, in pages.

A message that follows one of the same sender does not repeat their name. Newer exports say in
which zone their times are. The chat itself has no id, so it is known by its name.

Source: exports of 2018 to 2025, and export_output_html.cpp of tdesktop.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from memcli.domain import Clock, Kind, Role, Turn
from memcli.formats.building.long_chats import Said, in_pieces, person, with_files
from memcli.formats.building.text_chat import chat_named
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import End, Start, tokens
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import wall_clock

_MESSAGE = re.compile(r'<div class="message (?:default|service)[^"]*" id="message-?\d+"')
_TIME = re.compile(
    r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)(?: UTC(?:([+-])(\d\d):?(\d\d))?)?"
)
_VOID = frozenset({"br", "img", "meta", "link", "input", "hr", "wbr", "source"})
_LONGEST_TEXT = 1 << 20  # characters
_DEEPEST = 100  # elements inside each other; more than that is no export


def _recognises(sample: Sample) -> bool:
    return _MESSAGE.search(sample.text) is not None and 'class="page_wrap' in sample.text


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("telegram_html", _messages(document, reading))


@dataclass(slots=True)
class _Message:
    number: str
    service: bool
    joined: bool
    moment: str = ""
    answers: str = ""
    files: list[str] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)  # texts, by what they are
    size: int = 0

    def text(self, part: str) -> str:
        """Return one of the texts, without the space around its lines."""
        written = "".join(self.parts.get(part, ()))
        return "\n".join(line.strip() for line in written.split("\n")).strip()


def _messages(document: Document, reading: Reading) -> Iterator[Said]:
    title, speaker = "", ""
    page = _Page()
    for message in page.messages(tokens(document)):
        title = title or page.title or "Telegram chat"
        if not message.joined:
            speaker = message.text("from_name")
        if turn := _turn(message, speaker, reading):
            yield Said(*chat_named(title), turn)


class _Page:
    """Finds the messages of a page."""

    def __init__(self) -> None:
        self.title = ""
        self._open: list[tuple[str, frozenset[str]]] = []  # elements, with their classes
        self._message: _Message | None = None
        self._depth = 0  # of the message

    def messages(self, found: Iterator[Start | End | str]) -> Iterator[_Message]:
        for token in found:
            if isinstance(token, str):
                self._text(token)
            elif isinstance(token, End):
                yield from self._close(token.tag)
            else:
                yield from self._start(token)

    def _start(self, token: Start) -> Iterator[_Message]:
        number = re.fullmatch(r"message(-?\d+)", token.attributes.get("id", ""))
        if number and "message" in token.classes:
            if self._message:  # was not closed
                yield self._message
            service, joined = "service" in token.classes, "joined" in token.classes
            self._message = _Message(number[1], service, joined)
            self._depth = len(self._open)
        elif self._message:
            self._inside(self._message, token)
        if token.tag not in _VOID and len(self._open) < _DEEPEST:
            self._open.append((token.tag, token.classes))

    def _close(self, tag: str) -> Iterator[_Message]:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                break
        if self._message and len(self._open) <= self._depth:
            yield self._message
            self._message = None

    def _inside(self, message: _Message, token: Start) -> None:
        """Take in what the attributes of an element say."""
        reply = re.search(r"message(\d+)$", token.attributes.get("href", ""))
        if "answer" in token.classes:
            message.parts.setdefault("answer", []).append("\n")
        if token.tag == "br":
            self._text("\n", plain=False)
        elif "date" in token.classes and not self._within("forwarded"):
            message.moment = message.moment or token.attributes.get("title", "")
        elif reply and self._within("reply_to"):
            message.answers = reply[1]
        elif token.tag == "a" and self._within("media_wrap"):
            message.files.append(token.attributes.get("href", "").rpartition("/")[2])

    def _text(self, text: str, *, plain: bool = True) -> None:
        message, words = self._message, " ".join(text.split()) if plain else text
        if message is None:
            if words and not self.title and self._within("page_header") and self._within("text"):
                self.title = words
            return
        part = self._part()
        if part and message.size < _LONGEST_TEXT:
            kept = re.sub(r"\s+", " ", text) if plain and not self._within_tag("pre") else text
            message.parts.setdefault(part, []).append(kept)
            message.size += len(kept)

    def _part(self) -> str:
        """Return which of a message's texts stands here, "" if none of them."""
        if self._within("reactions") or self._within("reply_to"):
            return ""
        if self._within("from_name"):
            dated = self._within("details")
            return "" if dated else "forwarded" if self._within("forwarded") else "from_name"
        if self._within("media_wrap"):
            names = ("question", "answer", "title")
            named = next((name for name in names if self._within(name)), "")
            return "" if named == "answer" and self._within("details") else named
        if self._within("text"):
            return "text"
        return "notice" if self._message and self._message.service else ""

    def _within(self, name: str) -> bool:
        inner = self._open[self._depth :] if self._message else self._open
        return any(name in classes for _, classes in inner)

    def _within_tag(self, tag: str) -> bool:
        return any(tag == name for name, _ in self._open)


def _turn(message: _Message, speaker: str, reading: Reading) -> Turn | None:
    """Return the turn a message makes; None where it holds nothing."""
    speaker = re.sub(r" via @\w+$", "", speaker)
    kind, text = _content(message)
    if message.number.startswith("-") or (kind is Kind.TEXT and not text):
        return None  # the day, between messages
    sent_at, clock = _moment(message.moment, reading)
    return Turn(
        key=message.number,
        role=Role.SYSTEM if message.service else person(reading, speaker),
        text=text,
        speaker=None if message.service else speaker or None,
        sent_at=sent_at,
        clock=clock,
        kind=kind,
        parent=message.answers or None,
    )


def _content(message: _Message) -> tuple[Kind, str]:
    if message.service:
        return Kind.SERVICE, message.text("notice")
    question = message.text("question")
    if question:
        return Kind.MEDIA, f"{question}\n{message.text('answer')}".strip()
    words, origin = message.text("text"), message.text("forwarded")
    names = message.files
    if title := message.text("title"):
        names = [title]
    if words and origin:
        words = f"[forwarded from {origin}] {words}"
    return with_files(words, names if not words or title else [])


def _moment(written: str, reading: Reading) -> tuple[datetime | None, Clock]:
    match = _TIME.fullmatch(written.strip())
    if match is None:
        return None, Clock.NONE
    day, month, year, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    with suppress(ValueError):
        naive = datetime(year, month, day, hour, minute, second)
        if not 1990 <= year <= 2100:
            return None, Clock.NONE
        if "UTC" not in written:
            return wall_clock(naive, reading.timezone), Clock.LOCAL
        offset = timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
        return naive.replace(tzinfo=timezone(-offset if match[7] == "-" else offset)), Clock.EXACT
    return None, Clock.NONE


FORMAT = Format(
    name="telegram_html",
    title="Telegram HTML export",
    recognises=_recognises,
    parse=_parse,
)
