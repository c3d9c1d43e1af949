"""Telegram Desktop's JSON export: one chat a file, or the whole account.

Source: `export_output_json.cpp` of tdesktop. A chat is never held whole: it can be the whole file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.base import (
    Document,
    Format,
    Parsed,
    Reading,
    Sample,
    instant,
    mapping,
    sequence,
    string,
    wall_clock,
    with_inherited_times,
)
from memcli.formats.endless import person
from memcli.formats.json_stream import Broken, Edge, Path, scan

PIECE_TURNS = 1_000
PIECE_CHARACTERS = 4 << 20

_CHATS: tuple[Path, ...] = ((), ("chats", "list", "[]"), ("left_chats", "list", "[]"))
_MESSAGES = tuple((*chat, "messages", "[]") for chat in _CHATS)
_OWNER: Path = ("personal_information", "user_id")
_TYPES = frozenset({"message", "service", "unsupported"})
_WITH_ONE_OTHER = frozenset({"personal_chat", "bot_chat"})
_TITLES = {"saved_messages": "Saved Messages", "replies": "Replies"}


def recognises(sample: Sample) -> bool:
    """Tell whether there are messages as Telegram writes them, or the lists that hold chats."""
    top = mapping(sample.json)
    if any(_is_message(element) for element in sequence(top.get("messages"))):
        return True
    if any(
        isinstance(mapping(top.get(name)).get("list"), list) for name in ("chats", "left_chats")
    ):
        return True
    if "user_id" in mapping(top.get("personal_information")):
        return True  # the chats lie further on
    return top.get("messages") == [] and {"name", "type", "id"} <= top.keys()


def _is_message(element: object) -> bool:
    message = mapping(element)
    return string(message.get("type")) in _TYPES and not message.keys().isdisjoint(
        {"date", "date_unixtime", "from", "from_id", "actor"}
    )


def parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    """Yield every chat in pieces, in the order of the file.

    Raises:
        InputError: the file ends in the middle, or is no JSON. What came before stands.
    """
    owner: str | None = None
    chat = _Chat(reading, None)
    try:
        for path, value in scan(document, _MESSAGES):
            if path == _OWNER:
                owner = _user(value)
            elif path in _CHATS and value is Edge.BEGIN:
                chat = _Chat(reading, owner)
            elif path in _CHATS and value is Edge.END:
                yield from chat.piece()
            elif path in _MESSAGES:
                yield from chat.read(value)
            elif path and path[:-1] in _CHATS and not isinstance(value, Edge | Broken):
                chat.head.setdefault(path[-1], value)
    except InputError:
        yield from chat.piece()
        raise


@dataclass(slots=True)
class _Chat:
    """The chat being read."""

    reading: Reading
    owner: str | None
    head: dict[str, Any] = field(default_factory=dict)  # name, type, id: whatever JSON holds
    key: str | None = None  # settled with the first piece
    turns: list[tuple[str, Turn]] = field(default_factory=list)  # who sent it, what was sent
    size: int = 0
    senders: set[str] = field(default_factory=set)
    last: str = "0"

    def read(self, element: object) -> Iterator[Parsed]:
        """Take in one message; yield a piece when one is full."""
        if not isinstance(element, dict):
            where = f"chat {self.title}, message after {self.last}"
            yield Skipped(where, element.why if isinstance(element, Broken) else "is no message")
            return
        turn = _turn(element, self.reading)
        self.last = string(element.get("id")) or self.last
        if turn is None:
            return
        sender = _user(element.get("from_id", element.get("actor_id")))
        if len(self.senders) < 3:
            self.senders.add(sender)
        self.turns.append((sender, turn))
        self.size += len(turn.text)
        if len(self.turns) >= PIECE_TURNS or self.size >= PIECE_CHARACTERS:
            yield from self.piece()

    @property
    def title(self) -> str:
        """Return the name, or what stands for it where Telegram gives none."""
        kind = string(self.head.get("type"))
        return string(self.head.get("name")) or _TITLES.get(kind, "deleted account")

    def piece(self) -> Iterator[Conversation]:
        """Yield what was read since the last piece."""
        if not self.turns:
            return
        if self.key is None:
            self.key = self._key()
        owner = self._owner()
        turns = [
            replace(turn, role=Role.USER) if owner == sender and turn.role is Role.PERSON else turn
            for sender, turn in self.turns
        ]
        timed = tuple(with_inherited_times(turns))
        yield Conversation(FORMAT.name, self.key, self.title, timed, endless=True)
        self.turns, self.size = [], 0

    def _key(self) -> str:
        kind = string(self.head.get("type")) or "chat"
        first = self.turns[0][1]
        number_or_name = string(self.head.get("id")) or string(self.head.get("name"))
        return f"{kind}/{number_or_name or fingerprint(first.key, first.speaker, first.text)}"

    def _owner(self) -> str | None:
        """Return the sender who owns the export: a chat with one other bears the other's id."""
        kind, number = string(self.head.get("type")), string(self.head.get("id"))
        if self.owner or not number:
            return self.owner
        if kind == "saved_messages":
            return _user(number)
        others = self.senders - {"", _user(number)}
        return others.pop() if kind in _WITH_ONE_OTHER and len(others) == 1 else None


def _turn(message: Mapping[str, Any], reading: Reading) -> Turn | None:
    """Return the turn a message makes; None where it holds nothing that could be shown."""
    kind, text = _content(message)
    if kind is None:
        return None
    service = message.get("type") == "service"
    speaker = string(message.get("actor" if service else "from")) or None
    if speaker is None and not service:
        speaker = "deleted account" if "from" in message else None
    if "forwarded_from" in message and text:
        origin = string(message["forwarded_from"]) or "deleted account"
        text = f"[forwarded from {origin}] {text}"
    sent_at, clock = _time(message, reading)
    edited_at = None
    if "edited" in message or "edited_unixtime" in message:
        edited_at, _ = _time(message, reading, "edited")
    elsewhere = "reply_to_peer_id" in message  # an answer to what was said in another chat
    number = string(message.get("id"))
    return Turn(
        key=number or fingerprint(sent_at, speaker, text),
        role=Role.SYSTEM if kind is Kind.SERVICE else person(reading, speaker),
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=clock,
        kind=kind,
        parent=None if elsewhere else string(message.get("reply_to_message_id")) or None,
        edited_at=edited_at,
    )


def _content(message: Mapping[str, Any]) -> tuple[Kind | None, str]:
    text = _joined(message.get("text")) or _joined(message.get("text_entities"))
    if message.get("type") == "service":
        action = string(message.get("action"))
        what = text or string(message.get("title"))
        said = ": ".join(part for part in (action.replace("_", " "), what) if part)
        return (Kind.CALL if action in ("phone_call", "group_call") else Kind.SERVICE), said
    if message.get("type") not in ("message", None):
        return None, ""
    if text.strip():
        return Kind.TEXT, text
    name = _media(message)
    return (None, "") if name is None else (Kind.MEDIA, name)


def _media(message: Mapping[str, Any]) -> str | None:
    """Return what to call the medium of a message, "" if it has no name; None if there is none."""
    contact, place = mapping(message.get("contact_information")), message.get("place_name")
    names = [
        message.get("sticker_emoji"),
        message.get("file_name"),
        mapping(message.get("poll")).get("question"),
        mapping(message.get("todo_list")).get("title"),
        " ".join(filter(None, (string(contact.get(f"{n}_name")) for n in ("first", "last")))),
        place,
        message.get("game_title"),
    ]
    named = next(filter(None, map(_joined, names)), None)
    if named is not None:
        return named
    file = string(message.get("file"))
    if file:
        return "" if file.startswith("(") else file.rpartition("/")[2]
    kinds = {"photo", "media_type", "poll", "todo_list", "contact_information", "mime_type"}
    kinds |= {"location_information", "place_name", "game_title", "invoice_information"}
    return None if kinds.isdisjoint(message) else ""


def _joined(text: object) -> str:
    """Return a text that comes as one, or as a list of texts and objects with a text."""
    if isinstance(text, list):
        return "".join(
            string(part["text"] if isinstance(part, dict) and "text" in part else part)
            for part in text
        )
    return string(text)


def _time(
    message: Mapping[str, Any], reading: Reading, field: str = "date"
) -> tuple[datetime | None, Clock]:
    written = string(message.get(field))
    local: datetime | None = None
    try:
        local = datetime.fromisoformat(written) if "-" in written else None
    except ValueError:
        local = None
    if local is not None and not 1990 <= local.year <= 2100:
        local = None
    exact = instant(message.get(f"{field}_unixtime"))
    if exact is not None:
        return _in_its_offset(exact, local), Clock.EXACT
    if local is None:
        return None, Clock.NONE
    if local.tzinfo is not None:
        return local, Clock.EXACT
    return wall_clock(local, reading.timezone), Clock.LOCAL


def _in_its_offset(exact: datetime, local: datetime | None) -> datetime:
    """Give an instant the offset that the wall clock beside it shows."""
    if local is None or local.tzinfo is not None:
        return exact
    offset = local.replace(tzinfo=UTC) - exact
    quarter = timedelta(minutes=15)
    if abs(offset) > timedelta(hours=14) or offset % quarter:
        return exact
    return exact.astimezone(timezone(offset))


def _user(value: object) -> str:
    """Return a sender's id as Telegram writes it today; old exports hold bare numbers."""
    number = string(value)
    return f"user{number}" if number.isdigit() else number


FORMAT = Format(name="telegram", title="Telegram export", recognises=recognises, parse=parse)
