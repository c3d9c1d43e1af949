"""Telegram Desktop's JSON export: one chat a file, or the whole account.

Source: `export_output_json.cpp` of tdesktop. A chat is never held whole: it can be the whole file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.building.long_chats import person
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, Edge, Path, scan
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    instant,
    mapping,
    sequence,
    string,
    wall_clock,
    with_inherited_times,
)

PIECE_TURNS = 2_000
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
            if path in _MESSAGES:  # nearly always
                yield from chat.read(value)
            elif path == _OWNER:
                owner = _user(value)
            elif path in _CHATS and value is Edge.BEGIN:
                chat = _Chat(reading, owner)
            elif path in _CHATS and value is Edge.END:
                yield from chat.piece()
            elif path and path[:-1] in _CHATS and not isinstance(value, Edge | Broken):
                chat.head.setdefault(path[-1], value)
    except InputError:
        yield from chat.piece()
        raise


class _Chat:
    """The chat being read."""

    def __init__(self, reading: Reading, owner: str | None) -> None:
        self.head: dict[str, Any] = {}  # name, type, id: whatever JSON holds
        self._owner, self._times = owner, _Times(reading)
        self._reading = reading
        self._key: str | None = None  # settled with the first piece
        self._turns: list[Turn] = []  # since the last piece
        self._senders: list[object] = []  # of each
        self._some: set[str] = set()  # who sends
        self._size = 0
        self._last = "0"

    def read(self, element: object) -> Sequence[Parsed]:
        """Take in one message; return a piece when one is full."""
        if not isinstance(element, dict):
            where = f"chat {self.title}, message after {self._last}"
            why = element.why if isinstance(element, Broken) else "is no message"
            return [Skipped(where, why)]
        self._last = string(element.get("id")) or self._last
        turn = _turn(element, self._reading, self._times)
        if turn is None:
            return ()
        self._turns.append(turn)
        self._senders.append(element.get("from_id", element.get("actor_id")))
        self._size += len(turn.text)
        if len(self._turns) >= PIECE_TURNS or self._size >= PIECE_CHARACTERS:
            return self.piece()
        return ()

    @property
    def title(self) -> str:
        """Return the name, or what stands for it where Telegram gives none."""
        kind = string(self.head.get("type"))
        return string(self.head.get("name")) or _TITLES.get(kind, "deleted account")

    def piece(self) -> list[Parsed]:
        """Return what was read since the last piece."""
        turns, senders = self._turns, self._senders
        if not turns:
            return []
        self._turns, self._senders, self._size = [], [], 0
        if self._key is None:
            self._key = self._settled_key(turns[0])
        owner = self._known_owner(senders)
        if owner is not None:
            turns = [
                replace(turn, role=Role.USER)
                if turn.role is Role.PERSON and _user(sender) == owner
                else turn
                for turn, sender in zip(turns, senders, strict=True)
            ]
        timed = tuple(with_inherited_times(turns))
        return [Conversation(FORMAT.name, self._key, self.title, timed, endless=True)]

    def _settled_key(self, first: Turn) -> str:
        kind = string(self.head.get("type")) or "chat"
        number_or_name = string(self.head.get("id")) or string(self.head.get("name"))
        return f"{kind}/{number_or_name or fingerprint(first.key, first.speaker, first.text)}"

    def _known_owner(self, senders: Sequence[object]) -> str | None:
        """Return the sender who owns the export: a chat with one other bears the other's id."""
        kind, number = string(self.head.get("type")), string(self.head.get("id"))
        if self._owner or not number:
            return self._owner
        if kind == "saved_messages":
            return _user(number)
        if kind not in _WITH_ONE_OTHER:
            return None
        if len(self._some) < 3:
            self._some.update(map(_user, senders))
        others = self._some - {"", _user(number)}
        return others.pop() if len(others) == 1 else None


def _turn(message: Mapping[str, Any], reading: Reading, times: "_Times") -> Turn | None:
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
    sent_at, clock = times.read(message, "date", "date_unixtime")
    edited_at = None
    if "edited" in message or "edited_unixtime" in message:
        edited_at, _ = times.read(message, "edited", "edited_unixtime")
    parent = None
    if "reply_to_message_id" in message and "reply_to_peer_id" not in message:  # in this chat
        parent = string(message["reply_to_message_id"]) or None
    return Turn(
        string(message.get("id")) or fingerprint(sent_at, speaker, text),
        Role.SYSTEM if kind is Kind.SERVICE else person(reading, speaker),
        *(text, speaker, sent_at, clock, kind, parent),
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


class _Times:
    """Reads when messages were sent. Nearly all have the offset of the one before."""

    def __init__(self, reading: Reading) -> None:
        self._local: tzinfo = reading.timezone
        self._offset = "+00:00"  # of the message before

    def read(
        self, message: Mapping[str, Any], wall: str, unix: str
    ) -> tuple[datetime | None, Clock]:
        """Read a time that is written as a wall clock shows it, and in newer exports exactly.

        Args:
            message: what has it.
            wall: the key of the wall clock.
            unix: the key of the exact time.
        """
        written, exactly = string(message.get(wall)), message.get(unix)
        moment = self._as_before(written, exactly)
        if moment is not None:
            return moment, Clock.EXACT
        local, exact = _wall(written), instant(exactly)
        if exact is not None:
            moment = _in_its_offset(exact, local)
            self._offset = moment.isoformat()[-6:]
            return moment, Clock.EXACT
        if local is None:
            return None, Clock.NONE
        if local.tzinfo is not None:
            return local, Clock.EXACT
        return wall_clock(local, self._local), Clock.LOCAL

    def _as_before(self, written: str, exactly: object) -> datetime | None:
        """Read a time that has the offset of the one before; None where it is not as expected."""
        if len(written) != 19 or not isinstance(exactly, str):
            return None
        try:
            moment = datetime.fromisoformat(written + self._offset)
            expected = moment.timestamp() == int(exactly) and 1990 < moment.year < 2100
        except ValueError:
            return None
        return moment if expected else None


def _wall(written: str) -> datetime | None:
    try:
        local = datetime.fromisoformat(written) if "-" in written else None
    except ValueError:
        return None
    return local if local and 1990 <= local.year <= 2100 else None


def _in_its_offset(exact: datetime, local: datetime | None) -> datetime:
    """Give an instant the offset that the wall clock beside it shows."""
    if local is None or local.tzinfo is not None:
        return exact
    offset = local.replace(tzinfo=UTC) - exact
    if abs(offset) > timedelta(hours=14) or offset % timedelta(minutes=15):
        return exact
    return exact.astimezone(timezone(offset))


def _user(value: object) -> str:
    """Return a sender's id as Telegram writes it today; old exports hold bare numbers."""
    number = string(value)
    return f"user{number}" if number.isdigit() else number


FORMAT = Format(name="telegram", title="Telegram export", recognises=recognises, parse=parse)
