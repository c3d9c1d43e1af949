"""Google Chat in a Takeout: a folder a direct message or space, with `messages.json`.

Times are written out in the language of the account, in UTC. An id is made of the group, the topic
and the message; the message that opens a topic bears the topic's own.

Source: Takeouts as open programs read them; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import Said, in_pieces, person, with_files
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import Keys, instant, mapping, sequence, string

# Month by month, as much of the names as tells them apart in English, German, French, Spanish,
# Italian, Portuguese, Dutch, Polish and Swedish.
_MONTHS = (
    *("jan|gen|ene|sty", "feb|fév|fev|lut", "mar|mär|maa|mrt", "apr|avr|abr|kwi"),
    *("may|mai|maj|mei|mag", "jun|juin|giu|cze", "jul|juil|lug|lip", "aug|aoû|ago|sie"),
    *("sep|set|wrz", "oct|okt|ott|out|paź", "nov|lis", "dec|dez|déc|dic|gru"),
)
_MONTH_WORDS = [re.compile(rf"(?:{words})", re.IGNORECASE) for words in _MONTHS]
_NUMBERED = re.compile(r"\b(\d{4})\s?[年년./-]\s?(\d{1,2})\s?[月월./-]\s?(\d{1,2})")
_DAY_YEAR = re.compile(r"\b(\d{1,2})(?!\d|:)[^\d:]*?(\d{4})\b")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d\d)[:.](\d\d)(?:\s*([AaPp])\.?\s?[Mm])?")
_WORD = re.compile(r"[^\W\d_]+")
_AFTERNOON = re.compile(r"下午|午後|오후")


def _recognises(sample: Sample) -> bool:
    return any(
        "message_id" in message
        and "creator" in message
        and not message.keys().isdisjoint({"created_date", "updated_date", "text"})
        for message in map(mapping, sequence(mapping(sample.json).get("messages")))
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("google_chat", _messages(document, reading))


def _messages(document: Document, reading: Reading) -> Iterator[Said | Skipped]:
    chat, title = _group(document, reading)
    keys = Keys()
    for number, value in enumerate(elements(document, "messages"), start=1):
        if isinstance(value, Broken):
            yield Skipped(f"message {number} of {title}", value.why)
        elif turn := _turn(mapping(value), keys, reading):
            yield Said(chat, title, turn)


def _group(document: Document, reading: Reading) -> tuple[str, str]:
    """Return the name of the folder, and the name of the space or of those who talk."""
    folder = PurePath(document.name).parent.name
    info: Mapping[str, Any] = {}
    found = document.beside("group_info.json")
    try:
        info = mapping(next(elements(found, ""), None)) if found else {}
    except InputError:
        info = {}
    people = [
        name
        for member in map(mapping, sequence(info.get("members")))
        if (name := string(member.get("name")))
        and person(reading, name, string(member.get("email"))) is Role.PERSON
    ]
    return folder or "chat", string(info.get("name")) or ", ".join(
        people
    ) or folder or "Google Chat"


def _turn(message: Mapping[str, Any], keys: Keys, reading: Reading) -> Turn | None:
    """Return the turn a message makes; None where it holds nothing."""
    creator = mapping(message.get("creator"))
    name, address = string(creator.get("name")), string(creator.get("email"))
    deleted = message.get("message_state") == "DELETED" or "deletion_metadata" in message
    files = map(mapping, sequence(message.get("attached_files")))
    names = [string(f.get("original_name")) or string(f.get("export_name")) for f in files]
    kind, text = with_files(string(message.get("text")), names)
    kind = Kind.DELETED if deleted else kind
    if kind is Kind.TEXT and not text.strip():
        return None
    edited_at = moment(message.get("updated_date"))
    sent_at = moment(message.get("created_date")) or edited_at
    robot = string(creator.get("user_type")).casefold() == "bot"
    key = string(message.get("message_id"))
    return Turn(
        key=key or keys.key(sent_at, name, text),
        role=Role.ASSISTANT if robot else person(reading, name, address),
        text=text,
        speaker=name or address or None,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=_opening(key),
        edited_at=edited_at,
    )


def _opening(key: str) -> str | None:
    """Return the id of the message that opened the topic, None for itself."""
    parts = key.split("/")
    opening = "/".join((*parts[:-1], parts[-2])) if len(parts) == 3 else key
    return opening if opening != key else None


def moment(value: object) -> datetime | None:
    """Read a time as Takeout writes it: "Friday, May 29, 2026 at 3:00:29 AM UTC"."""
    text = re.sub(r"[\u00a0\u202f]", " ", string(value))[:100]
    clock = _CLOCK.search(text)
    if clock is None:
        return instant(text)
    hour, minute, second = map(int, clock.group(1, 2, 3))
    if (clock[4] or "").casefold() == "p" or _AFTERNOON.search(text):
        hour = hour % 12 + 12
    elif clock[4]:
        hour %= 12
    date = _date(text.replace(clock[0], " "))
    try:
        return (
            instant(datetime(*date, hour, minute, second, tzinfo=UTC).timestamp()) if date else None
        )
    except ValueError:
        return None


def _date(text: str) -> tuple[int, int, int] | None:
    if numbered := _NUMBERED.search(text):
        return int(numbered[1]), int(numbered[2]), int(numbered[3])
    found = _DAY_YEAR.search(text)
    if found is None:
        return None
    before = re.findall(_WORD, text[: found.start()])[-1:]
    for word in (*re.findall(_WORD, found[0]), *before):  # not the day of the week
        for number, month in enumerate(_MONTH_WORDS, start=1):
            if month.match(word):
                return int(found[2]), number, int(found[1])
    return None


FORMAT = Format(
    name="google_chat",
    title="Google Chat Takeout",
    recognises=_recognises,
    parse=_parse,
)
