"""DiscordChatExporter's HTML: a page per channel, thread or direct message.

Messages have Discord's own ids, and the channel's id is in the name of the file, so a message that
the JSON or Discord's data package also has is stored once. Neighbouring messages of one author
share the name, and in old pages the time, of the first.

Source: MessageGroupTemplate.cshtml of DiscordChatExporter, 2018 to 2025.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from memcli.domain import Doubt, Kind, Role, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import chat_key_and_title, chat_name
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_elements import Element, read_html_elements
from memcli.formats.parsing.html_events import StartTag
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.written_times import DateReader

_AUTHOR = ("chatlog__author", "chatlog__author-name", "chatlog__system-notification-author")
_TIME = ("chatlog__timestamp", "chatlog__system-notification-timestamp")
_SHORT_TIME = "chatlog__short-timestamp"
_NOTICE = "chatlog__system-notification-content"
_OUTSIDE = frozenset({*_AUTHOR, *_TIME, "preamble__entry"})
_CONTENT_PARTS = ("chatlog__content", "chatlog__poll", "chatlog__forwarded")
_PRESERVED = frozenset({"chatlog__markdown-preserve", "markdown", "pre"})
_FILES = ("chatlog__attachment", "chatlog__sticker")
_REPLY_TARGET = re.compile(r"scrollToMessage\(event, ?'(\d+)'\)")
_CHANNEL_ID = re.compile(r"\[(\d+)\](?: \[part \d+\])?$")
_TIME_TEXT = re.compile(
    r'chatlog__(?:short-)?timestamp"?(?: title="([^"]*)")?[^>]*>(?:<a[^>]*>)?([^<]*)'
)
_DIRECT = ("Direct Messages", "Direct Message")


def _recognises(sample: Sample) -> bool:
    text = sample.text
    return "data-message-id" in text and "chatlog__" in text


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        head = Sample(document.name, stream.read(HEAD_BYTES)).text
    dates = DateReader(match[1] or match[2] for match in _TIME_TEXT.finditer(head))
    if dates.is_ambiguous:
        yield Doubt("dates", f"day and month cannot be told apart, read as {dates.order}")
    yield from split_chats(
        "discord", chat_turns(_Page(document, dates).messages(), document, options)
    )


def _is_message(tag: StartTag) -> bool:
    return "data-message-id" in tag.attributes


def _is_header(tag: StartTag) -> bool:
    return bool(tag.classes & _OUTSIDE)


class _Page:
    """A reader of one page."""

    def __init__(self, document: Document, dates: DateReader) -> None:
        self._document, self._dates = document, dates
        self._preamble: list[str] = []
        self._author: Element | None = None
        self._is_bot = False
        self._time = ""

    def messages(self) -> Iterator[ChatMessage | Skipped]:
        """Yield the messages of the page."""
        elements = read_html_elements(self._document, _is_message, is_outside_root=_is_header)
        for element in elements:
            if "preamble__entry" in element.classes:
                self._preamble.append(element.text())
            elif "data-message-id" not in element.attributes:
                self._read_header(element)
            else:
                number = element.attributes["data-message-id"]
                if element.is_cut:
                    yield Skipped(f"message {number}", "has more than can be read")
                yield self._message(element, number)

    def _read_header(self, element: Element) -> None:
        """Read an author or a time that stands before the messages of a group."""
        if element.classes & set(_TIME):
            self._time = element.attributes.get("title") or element.text()
        else:
            self._author, self._is_bot = element, False

    def _message(self, element: Element, number: str) -> ChatMessage:
        if author := element.find(*_AUTHOR):
            self._author = author
            self._is_bot = element.find("chatlog__author-tag", "chatlog__bot-tag") is not None
        if time := element.find(*_TIME):
            self._time = time.attributes.get("title") or time.text()
        short = element.find(_SHORT_TIME)
        time_text = (short.attributes.get("title", "") if short else "") or self._time
        names = _names(self._author) if self._author else []
        chat, title = self._chat()
        kind, text = _content(element, is_bot=self._is_bot)
        target = _REPLY_TARGET.search(_click_actions(element))
        files = [name for part in element.find_all(*_FILES) for name in part.file_names()]
        return ChatMessage(
            chat=chat,
            title=title,
            speaker=next(filter(None, names), ""),
            text=text,
            time=self._dates.parse(time_text),
            key=number,
            files=list(dict.fromkeys(files)),
            kind=kind,
            role=Role.ASSISTANT if self._is_bot else None,
            other_names=names[1:],
            parent=target[1] if target else None,
        )

    def _chat(self) -> tuple[str, str]:
        """Return the id and the title of the channel."""
        name = PurePath(chat_name(self._document)).name
        number = _CHANNEL_ID.search(name)
        guild, channel = (*self._preamble, "", "")[:2]
        channel = channel.rpartition(" / ")[2]
        is_direct = guild in _DIRECT or not guild
        title = channel if is_direct or not channel else f"{channel} ({guild})"
        title = title or _CHANNEL_ID.sub("", name).strip()
        return number[1] if number else chat_key_and_title(title)[0], title or "Discord channel"


def _names(author: Element) -> list[str]:
    """Return the name by which an author is shown, and the name of the account."""
    return [author.text(), author.attributes.get("title", "")]


def _click_actions(element: Element) -> str:
    """Return the scripts of the quoted message, which name the message that is answered."""
    links = element.find_all("chatlog__reply-link", "chatlog__reference-link")
    return " ".join(link.attributes.get("onclick", "") for link in links)


def _content(element: Element, *, is_bot: bool) -> tuple[Kind, str]:
    """Return the kind and the text of a message, without the previews of links people post."""
    if notice := element.find(_NOTICE):
        text = notice.text()
        return (Kind.CALL if text.startswith("started a call") else Kind.SERVICE), text
    parts = [
        part.text("chatlog__edited-timestamp", preserved=_PRESERVED)
        for part in element.find_all(*_CONTENT_PARTS)
    ]
    if is_bot or not any(parts):
        parts += [embed.text() for embed in element.find_all("chatlog__embed")]
    return Kind.TEXT, "\n".join(filter(None, parts))


FORMAT = Format(name="discord_html", recognises=_recognises, parse=_parse)
