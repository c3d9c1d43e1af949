"""imessage-exporter's HTML: a page per chat, named after it.

A reply is written twice: inside the message it answers, and at its own place, where it is read.

Source: html.rs and example.html of imessage-exporter, versions 1 to 3.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from memcli.domain import Kind, Skipped
from memcli.errors import InputError
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import chat_key_and_title, chat_name
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_elements import Element, read_html_elements
from memcli.formats.parsing.html_events import StartTag
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys
from memcli.formats.parsing.written_times import parse_written_time

_PAGE = re.compile(
    r'<div class="message">\s*<div class="(?:sent|received)[^"]*">\s*<p><span class="timestamp">'
    r'|<div class ?="announcement"><p><span class="timestamp">'
)
_OUTSIDE_TEXT = ("replies", "reactions", "tapbacks", "reply_context", "expressive", "timestamp")
_TIME = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4} +\d{1,2}:\d\d:\d\d [AP]M")
_OWNER = "Me"
_MOST_REPLIES = 10_000  # replies that wait for their own place


def _recognises(sample: Sample) -> bool:
    return _PAGE.search(sample.text) is not None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("imessage_html", chat_turns(_Chat(document).messages(), document, options))


def _is_root(tag: StartTag) -> bool:
    return bool(tag.classes & {"message", "announcement"})


class _Chat:
    """A reader of one chat."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._chat, self._title = chat_key_and_title(PurePath(chat_name(document)).name)
        self._keys = MessageKeys()
        # Replies inside the messages they answer, with those messages' keys.
        self._replies: dict[tuple[object, ...], ChatMessage] = {}

    def messages(self) -> Iterator[ChatMessage | Skipped]:
        """Yield the messages of the page, and the replies whose own place is missing."""
        try:
            for element in read_html_elements(self._document, _is_root, nested_in="replies"):
                if element.is_cut:
                    yield Skipped("a message", "has more than can be read")
                yield self._message(element)
        except InputError:
            yield from self._replies.values()
            raise
        yield from self._replies.values()

    def _message(self, element: Element) -> ChatMessage:
        message = self._read(element, parent=None)
        earlier = self._replies.pop(_identity(message), None)
        if earlier:
            message = earlier
        for reply in element.find_all("reply"):
            inner = reply.find("message")
            if inner and len(self._replies) < _MOST_REPLIES:
                answer = self._read(inner, parent=message.key)
                self._replies[_identity(answer)] = answer
        return message

    def _read(self, element: Element, parent: str | None) -> ChatMessage:
        stamp, sender = _own_part(element, "timestamp"), _own_part(element, "sender")
        match = _TIME.search(stamp.text()) if stamp else None
        time = parse_written_time(" ".join(match[0].split())) if match else None
        name = sender.text() if sender else ""
        is_own = _own_part(element, "sent") is not None
        kind, text, files = _content(element)
        return ChatMessage(
            chat=self._chat,
            title=self._title,
            speaker=name,
            text=text,
            time=time,
            key=self._keys.next_key(time, name, kind, text, *files),
            files=files,
            is_owner=is_own or name == _OWNER,
            kind=kind,
            parent=parent,
        )


def _bubble_text(bubble: Element) -> str:
    """Return the text of a part of a message; of an edited one, the text after the last edit."""
    if "edited" in bubble.classes:
        cells = [each for each in bubble.walk() if each.tag == "td" and each.text("timestamp")]
        texts = [each.text("timestamp") for each in cells]
        return texts[-1] if texts else bubble.text(*_OUTSIDE_TEXT)
    return bubble.text(*_OUTSIDE_TEXT, preserved=frozenset({"bubble"}))


def _own_part(element: Element, name: str) -> Element | None:
    """Return the first part of a message with a class, not looking into its replies."""
    return next((each for each in element.walk("replies") if name in each.classes), None)


def _identity(message: ChatMessage) -> tuple[object, ...]:
    """Return the parts of a message that are the same at both places of a reply."""
    return message.time, message.speaker, message.text, tuple(message.files)


def _content(element: Element) -> tuple[Kind, str, list[str]]:
    """Return the kind, the text and the files of a message."""
    if "announcement" in element.classes:
        return Kind.SERVICE, element.text("timestamp"), []
    parts = [each for each in element.walk("replies") if "message_part" in each.classes]
    subject = _own_part(element, "subject")
    texts = [subject.text() if subject else ""]
    files: list[str] = []
    for part in parts:
        files += part.file_names(*_OUTSIDE_TEXT, "app", "bubble")
        bubbles = part.find_all("bubble", "edited", "app", "attachment_error")
        outer = [_bubble_text(each) for each in bubbles[:1]]
        texts += outer or ([] if part.file_names() else [part.text(*_OUTSIDE_TEXT, "unsent")])
    text = "\n".join(filter(None, texts))
    if not text and not files and _own_part(element, "unsent"):
        return Kind.DELETED, "", []
    return Kind.TEXT, text, files


FORMAT = Format(name="imessage_html", recognises=_recognises, parse=_parse)
