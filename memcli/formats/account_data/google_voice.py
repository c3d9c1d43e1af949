"""Google Voice in Google Takeout: a page for each stretch of texts, each call and each voicemail.

The pages of one chat are joined by the numbers of the others. A page with the person's own texts
alone does not name their number, so its title stands for it.

Source: Takeouts of 2010 to 2026 as open programs read them.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import chat_key_and_title
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_elements import Element, read_html_elements
from memcli.formats.parsing.html_events import StartTag
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import parse_timestamp

_PAGE = re.compile(r'class="(?:hChatLog|haudio)\b')
_FILE_NAME = re.compile(r"(.*?) - (?:[^-]+ - )?\d{4}-\d\d-\d\dT.*")
_LABEL = re.compile(
    r"^(?:Me to|Placed call to|Received call from|Missed call from|Voicemail from)\s+"
)
_OWNER = "Me"
_OUTGOING = "Placed"
_MMS_NOTE = re.compile(r"MMS (?:Sent|Received)", re.IGNORECASE)


def _recognises(sample: Sample) -> bool:
    text = sample.text
    is_page = _PAGE.search(text) is not None
    return is_page and 'class="fn"' in text and ("tel:" in text or "google.com/voice" in text)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("google_voice", chat_turns(_messages(document), document, options))


def _is_root(tag: StartTag) -> bool:
    return tag.tag == "title" or bool(tag.classes & {"message", "haudio", "participants"})


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    title, group, partners = "", "", _read_partners(document)
    for element in read_html_elements(document, _is_root):
        if element.tag == "title":
            title = _LABEL.sub("", element.text()).strip()
        elif "participants" in element.classes:
            group = "~".join(sorted(_number(each) for each in element.find_all("tel")))
            names = [each.text().strip() for each in element.find_all("fn")]
            title = ", ".join(filter(None, names)) or title
        elif element.is_cut:
            yield Skipped("a message", "has more than can be read")
        else:
            match = _FILE_NAME.fullmatch(PurePath(document.name).stem)
            name = title or (match[1] if match else "") or "Google Voice"
            chat = group or "~".join(partners) or chat_key_and_title(name)[0]
            is_call = "haudio" in element.classes
            yield _call(element, chat, name) if is_call else _text(element, chat, name)


def _read_partners(document: Document) -> list[str]:
    """Return the numbers of the others who wrote or called."""
    numbers = set()
    for element in read_html_elements(document, _is_root):
        for person in element.find_all("tel") if element.tag != "title" else ():
            if person.text().strip() != _OWNER:
                numbers.add(_number(person))
    return sorted(numbers - {""})


def _number(person: Element) -> str:
    return person.attributes.get("href", "").removeprefix("tel:").strip()


def _text(message: Element, chat: str, title: str) -> ChatMessage:
    """Return a text message."""
    sender, time = message.find("fn"), message.find("dt")
    name = sender.text().strip() if sender else ""
    person = message.find("tel")
    quotes = [each.text() for each in message.walk() if each.tag == "q"]
    files = message.file_names("sender")
    text = "\n".join(quotes)
    return ChatMessage(
        chat=chat,
        title=title,
        speaker=name or (_number(person) if person else ""),
        text="" if files and _MMS_NOTE.fullmatch(text.strip()) else text,
        time=parse_timestamp(time.attributes.get("title")) if time else None,
        files=files,
        is_owner=name == _OWNER,
        other_names=(_number(person),) if person else (),
    )


def _call(call: Element, chat: str, title: str) -> ChatMessage:
    """Return a call, or a voicemail with the text that it was transcribed to."""
    contributor, published = call.find("contributor"), call.find("published")
    label = " ".join((contributor or call).text().split())
    words, duration = call.find("full-text"), call.find("duration")
    name = (contributor.find("fn") if contributor else None) or call.find("fn")
    length = duration.text().strip() if duration else ""
    has_sound = any(each.tag == "audio" for each in call.walk())
    is_own = label.startswith(_OUTGOING)
    return ChatMessage(
        chat=chat,
        title=title,
        speaker="" if is_own or name is None else _LABEL.sub("", name.text()).strip(),
        text=words.text() if words else f"{label} {length}".strip(),
        time=parse_timestamp(published.attributes.get("title")) if published else None,
        is_owner=is_own,
        kind=Kind.MEDIA if words or has_sound else Kind.CALL,
    )


FORMAT = Format(name="google_voice", recognises=_recognises, parse=_parse)
