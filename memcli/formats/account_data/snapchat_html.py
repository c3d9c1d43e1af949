"""Snapchat's chats as pages: a page per chat since 2023, and one page of tables before.

    <h4>ann</h4> TEXT <p>Is it open?</p> <h6>2024-06-01 10:00:00 UTC</h6>         a page per chat
    <tr><td>ann</td><td>TEXT</td><td>2020-06-01 10:00:00 UTC</td></tr>
    <tr><td>Is it open?</td></tr>                                                 a table

The tables are those of the lists in old JSON: received, sent, and the two of unsaved messages. The
first column is headed "From" or "To"; where it has another language, the order tells.

Source: both kinds of page as open programs read them; neither is documented.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from memcli.domain import Skipped
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_elements import read_html_elements
from memcli.formats.parsing.html_events import EndTag, StartTag, parse_html
from memcli.formats.parsing.html_text import HtmlTextBuilder
from memcli.formats.parsing.sample import Sample

_DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
_CARD_DATE = re.compile(rf"<h6\b[^>]{{0,200}}>[^<]{{0,20}}{_DATE}")
_ROW = re.compile(
    r"<td\b[^>]{0,200}>\s{0,20}(?:TEXT|MEDIA|IMAGE|VIDEO|STICKER|NOTE|SHARE|LOCATION)\s{0,20}</td>"
    rf"\s{{0,20}}<td\b[^>]{{0,200}}>\s{{0,20}}{_DATE}"
)
_LINK = re.compile(r"""href=["']?[./]{0,9}(?:chat|snap)_history/subpage_""")
_JSON = ("../../json", "../json")  # from the page of a chat, and from the page of all chats
_WRITTEN_DATE = re.compile(_DATE)
_TYPE = re.compile(r"[A-Z][A-Z_]{2,30}")
_WIDTH = 3  # columns of a message: the other person, the type, the time
_DIRECTIONS = {"from": "Received", "to": "Sent"}
_PAGE = "subpage_"  # begins the name of a page of one chat

PageMessage = tuple[str, Mapping[str, str]]  # a chat, and a message with the keys of the JSON


def is_chat_page(sample: Sample) -> bool:
    """Return whether a file is a page of Snapchat that holds messages."""
    text = sample.text
    has_cards = "rightpanel" in text and "<h4" in text and _CARD_DATE.search(text) is not None
    return has_cards or _ROW.search(text) is not None


def is_other_page(sample: Sample) -> bool:
    """Return whether a page has no messages of its own: it has links, or the JSON has them."""
    if not is_chat_page(sample):
        return _LINK.search(sample.text) is not None
    parts = PurePath(sample.name).parts[-2:]
    names = [f"{each}_history" for each in ("chat", "snap") if f"{each}_history" in "/".join(parts)]
    files = [f"{folder}/{name}.json" for folder in _JSON for name in names]
    return sample.document is not None and any(map(sample.document.find_file, files))


def read_chat_page(document: Document) -> Iterator[PageMessage | Skipped]:
    """Yield the messages of a page, as the entries of the JSON and the keys of their lists.

    Raises:
        InputError: a tag has no end.
    """
    with document.open() as stream:
        has_tables = _ROW.search(Sample(document.name, stream.read(1 << 20)).text) is not None
    return _read_tables(document) if has_tables else _read_cards(document)


def _read_tables(document: Document) -> Iterator[PageMessage]:
    """Yield the messages of the tables; the text of a message stands in the row after it."""
    direction, count = "Received", 0
    message: dict[str, str] = {}
    for row in read_html_elements(document, lambda tag: tag.tag in ("table", "tr")):
        if row.tag == "table":  # the rows end it
            yield from _table_message(direction, message)
            message, count = {}, count + 1
            direction = "Received" if count % 2 else "Sent"
            continue
        heads = [cell.text() for cell in row.walk() if cell.tag == "th"]
        cells = [cell.text() for cell in row.walk() if cell.tag == "td"]
        direction = _DIRECTIONS.get(heads[0].strip().casefold() if heads else "", direction)
        if len(cells) >= _WIDTH:
            yield from _table_message(direction, message)
            other, media, created, *more = cells
            message = {"other": other, "Media Type": media, "Created": created}
            message["Text"] = "\n".join(filter(None, more))
        elif cells and message:
            message["Text"] = "\n".join(filter(None, (message["Text"], *cells)))
    yield from _table_message(direction, message)


def _table_message(direction: str, message: Mapping[str, str]) -> Iterator[PageMessage]:
    if message:
        person = "From" if direction == "Received" else "To"
        yield f"{direction} Saved Chat History", {**message, person: message["other"]}


class _Card:
    """A message of a page: the name, then the content, then the time."""

    def __init__(self) -> None:
        self._name, self._label, self._text, self._time = (HtmlTextBuilder() for _ in range(4))
        self.is_ended = False

    def add(self, token: StartTag | EndTag | str, place: str) -> None:
        """Add what stands in an element of this tag."""
        parts = {"h4": self._name, "p": self._text, "h6": self._time}
        parts.get(place, self._label).add(token)
        self.is_ended = self.is_ended or (isinstance(token, EndTag) and token.tag == "h6")

    def message(self, title: str) -> Mapping[str, str] | None:
        """Return the message; None if the page breaks off before its text."""
        labels, lines = self._label.lines(), self._text.lines()
        if not self.is_ended and not lines:
            return None
        media = labels.pop(0) if labels and _TYPE.fullmatch(labels[0]) else "TEXT"
        date = _WRITTEN_DATE.search(" ".join(self._time.lines()))
        return {
            "From": " ".join(self._name.lines()),
            "Media Type": media,
            "Created": date[0] if date else "",
            "Content": "\n".join((*lines, *labels)),
            "Conversation Title": title,
        }


def _read_cards(document: Document) -> Iterator[PageMessage | Skipped]:
    name = PurePath(document.name).stem.removeprefix(_PAGE)
    heading = HtmlTextBuilder()
    card: _Card | None = None
    place = ""  # the tag of the element that the text stands in
    for token in parse_html(document):
        if isinstance(token, StartTag) and token.tag in ("h1", "h4", "p", "h6"):
            place = token.tag
            if place == "h4":
                yield from _card_message(card, name, heading)
                card = _Card()
        if card is not None and not card.is_ended:
            card.add(token, place)
        elif place == "h1" and card is None and isinstance(token, str):
            heading.add(token)
        if isinstance(token, EndTag) and token.tag == place:
            place = ""
    yield from _card_message(card, name, heading)


def _card_message(
    card: _Card | None, name: str, heading: HtmlTextBuilder
) -> Iterator[PageMessage | Skipped]:
    if card is not None:
        message = card.message(" ".join(heading.lines()) or name)
        yield Skipped("a message", "breaks off") if message is None else (name, message)
