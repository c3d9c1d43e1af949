"""Telegram Desktop's JSON export: one chat in a file, or the whole account.

A chat is never held in memory as a whole: it can be the whole file.

Source: `export_output_json.cpp` of tdesktop.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatPiece, sender_role
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.messengers.telegram_content import message_content, unknown_kind
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, Edge, JsonPath, scan_json
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    is_plausible_time,
    localize,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import dataclass, field, replace

PIECE_TURNS = 2_000  # name and id of a chat are known in time if they come before so many

_CHATS: tuple[JsonPath, ...] = ((), ("chats", "list", "[]"), ("left_chats", "list", "[]"))
_MESSAGES = tuple((*chat, "messages", "[]") for chat in _CHATS)
_OWNER: JsonPath = ("personal_information", "user_id")
_MOST_ANSWERABLE = 100_000  # messages of forums whose topic is remembered
_TYPES = frozenset({"message", "service", "unsupported"})
_WITH_ONE_OTHER = frozenset({"personal_chat", "bot_chat"})
_TITLES = {"saved_messages": "Saved Messages", "replies": "Replies"}


def _recognises(sample: Sample) -> bool:
    """Return whether there are messages as Telegram writes them, or the lists that hold chats."""
    top = mapping(sample.json)
    if any(_is_message(element) for element in sequence(top.get("messages"))):
        return True
    if any(
        isinstance(mapping(top.get(name)).get("list"), list) for name in ("chats", "left_chats")
    ):
        return True
    if "user_id" in mapping(top.get("personal_information")):
        return True  # the chats come later in the file
    return top.get("messages") == [] and {"name", "type", "id"} <= top.keys()


def _is_message(element: object) -> bool:
    message = mapping(element)
    return string(message.get("type")) in _TYPES and not message.keys().isdisjoint(
        {"date", "date_unixtime", "from", "from_id", "actor"}
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    """Yield every chat in pieces, in the order of the file.

    Raises:
        InputError: the file ends in the middle, or is no JSON. The pieces before remain valid.
    """
    owner: str | None = None
    chat = _Chat(options, None, document.counter)
    try:
        for path, value in scan_json(document, _MESSAGES):
            if path in _MESSAGES:  # nearly always
                yield from chat.read(value)
            elif path == _OWNER:
                owner = _user_id(value)
            elif path in _CHATS and value is Edge.BEGIN:
                chat = _Chat(options, owner, document.counter)
            elif path in _CHATS and value is Edge.END:
                yield from chat.take_pieces()
            elif path and path[:-1] in _CHATS and not isinstance(value, Edge | BrokenValue):
                chat.fields.setdefault(path[-1], value)
    except InputError:
        yield from chat.take_pieces()
        raise


@dataclass(slots=True)
class _Piece:
    """The turns since the last piece, and the sender of each."""

    # The title is left open: it may come after the messages.
    turns: ChatPiece = field(default_factory=lambda: ChatPiece(title="", max_turns=PIECE_TURNS))
    senders: list[object] = field(default_factory=list)


class _Chat:
    """The chat that is being read; in a forum each topic is a chat of its own."""

    def __init__(self, options: ParseOptions, owner: str | None, counter: MessageCounter) -> None:
        self.fields: dict[str, Any] = {}  # name, type and id, as the file has them
        self._options, self._owner, self._times = options, owner, _TimeReader(options)
        self._counter = counter
        self._key: str | None = None  # fixed by the first piece
        self._pieces: dict[str, _Piece] = {}  # by topic, "" for what is in none
        self._count = 0  # turns in all pieces
        self._topics = _Topics()
        self._first_senders: set[str] = set()  # up to three: enough to know the owner
        self._last_id = "0"

    def read(self, element: object) -> Sequence[ParsedItem]:
        """Read one message, and return the pieces when enough turns are there."""
        if not isinstance(element, dict):
            where = f"chat {self.title}, message after {self._last_id}"
            why = element.reason if isinstance(element, BrokenValue) else "is not a message"
            self._counter.see_parts([], Omission.UNREADABLE)
            return [Skipped(where, why)]
        self._last_id = string(element.get("id")) or self._last_id
        turn = _turn(element, self._options, self._times)
        self._counter.seen += 1
        if turn is None:
            self._counter.omit(Omission.EMPTY)
            return ()
        if turn.kind is Kind.MEDIA and (kind := unknown_kind(element)):
            self._counter.keep_unknown(kind)
        topic = ""
        if self._topics or "action" in element:
            topic = self._topics.find(element)
            if turn.parent == topic:  # every message of a topic "replies" to its beginning
                turn = replace(turn, parent=None)
        piece = self._pieces.get(topic)
        if piece is None:
            piece = self._pieces[topic] = _Piece()
        piece.turns.add(turn)
        piece.senders.append(element.get("from_id", element.get("actor_id")))
        self._count += 1
        return self.take_pieces() if self._count >= PIECE_TURNS or piece.turns.is_full else ()

    @property
    def title(self) -> str:
        """The name of the chat, or a substitute where Telegram gives none."""
        kind = string(self.fields.get("type"))
        return string(self.fields.get("name")) or _TITLES.get(kind, "deleted account")

    def take_pieces(self) -> list[ParsedItem]:
        """Return the turns since the last pieces as pieces, and begin new ones."""
        pieces, self._pieces, self._count = self._pieces, {}, 0
        return [self._conversation(topic, piece) for topic, piece in pieces.items()]

    def _conversation(self, topic: str, piece: _Piece) -> Conversation:
        turns, senders = piece.turns.turns, piece.senders
        if self._key is None:
            self._key = self._chat_key(turns[0])
        owner = self._find_owner(senders)
        if owner is not None:
            turns = [
                replace(turn, role=Role.USER)
                if turn.role is Role.PERSON and _user_id(sender) == owner
                else turn
                for turn, sender in zip(turns, senders, strict=True)
            ]
        timed = tuple(with_inherited_times(turns))
        key, title = self._key, self.title
        if topic:
            key, title = f"{key}/{topic}", f"{title}: {self._topics.title(topic)}"
        return Conversation(FORMAT.name, key, title, timed, endless=True)

    def _chat_key(self, first: Turn) -> str:
        kind = string(self.fields.get("type")) or "chat"
        id_or_name = string(self.fields.get("id")) or string(self.fields.get("name"))
        return f"{kind}/{id_or_name or fingerprint(first.key, first.speaker, first.text)}"

    def _find_owner(self, senders: Sequence[object]) -> str | None:
        """Return the sender who owns the export; None where the chat does not tell.

        A chat with one other person has that person's id.
        """
        kind, chat_id = string(self.fields.get("type")), string(self.fields.get("id"))
        if self._owner or not chat_id:
            return self._owner
        if kind == "saved_messages":
            return _user_id(chat_id)
        if kind not in _WITH_ONE_OTHER:
            return None
        if len(self._first_senders) < 3:
            self._first_senders.update(map(_user_id, senders))
        others = self._first_senders - {"", _user_id(chat_id)}
        return others.pop() if len(others) == 1 else None


class _Topics:
    """The topics of a forum, and which message is in which.

    Messages name the message that they answer; that is the one that began the topic, or another
    one of the topic.
    """

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}  # by the id of the message that began the topic
        self._topics: dict[str, str] = {}  # the topics of the last messages, by their ids

    def __bool__(self) -> bool:
        return bool(self._titles)

    def find(self, message: Mapping[str, Any]) -> str:
        """Return the topic of a message, "" if it is in none."""
        key, action = string(message.get("id")), message.get("action")
        if action == "topic_created" and key:
            self._titles[key] = string(message.get("title")) or "topic"
            return key
        if not self._titles or "reply_to_peer_id" in message:
            return ""
        answered = string(message.get("reply_to_message_id"))
        topic = answered if answered in self._titles else self._topics.get(answered, "")
        if topic:
            if len(self._topics) >= _MOST_ANSWERABLE:
                self._topics.pop(next(iter(self._topics)))
            self._topics[key] = topic
            if action == "topic_edit":
                self._titles[topic] = string(message.get("new_title")) or self._titles[topic]
        return topic

    def title(self, topic: str) -> str:
        """Return the title of a topic."""
        return self._titles[topic]


def _turn(message: Mapping[str, Any], options: ParseOptions, times: "_TimeReader") -> Turn | None:
    """Return the turn that a message makes; None where nothing of it could be shown."""
    kind, text = message_content(message)
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
        key=string(message.get("id")) or fingerprint(sent_at, speaker, text),
        role=Role.SYSTEM if kind is Kind.SERVICE else sender_role(options, speaker),
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=clock,
        kind=kind,
        parent=parent,
        edited_at=edited_at,
    )


class _TimeReader:
    """A reader of the times of messages. Nearly all have the offset of the message before."""

    def __init__(self, options: ParseOptions) -> None:
        self._zone: tzinfo = options.timezone
        self._offset = "+00:00"  # of the message before

    def read(
        self, message: Mapping[str, Any], wall: str, unix: str
    ) -> tuple[datetime | None, Clock]:
        """Return a time that the file has as a wall clock shows it, and newer files exactly, too.

        Args:
            message: the message with the time.
            wall: the key of the wall clock time.
            unix: the key of the exact time.
        """
        wall_text, unix_time = string(message.get(wall)), message.get(unix)
        moment = self._with_last_offset(wall_text, unix_time)
        if moment is not None:
            return moment, Clock.EXACT
        local, exact = _wall_time(wall_text), parse_timestamp(unix_time)
        if exact is not None:
            moment = _in_its_offset(exact, local)
            self._offset = moment.isoformat()[-6:]
            return moment, Clock.EXACT
        if local is None:
            return None, Clock.NONE
        if local.tzinfo is not None:
            return local, Clock.EXACT
        return localize(local, self._zone), Clock.LOCAL

    def _with_last_offset(self, wall_text: str, unix_time: object) -> datetime | None:
        """Return a time that has the offset of the one before; None where it has another.

        This is much faster than the way that works for every time.
        """
        if len(wall_text) != 19 or not isinstance(unix_time, str):
            return None
        try:
            moment = datetime.fromisoformat(wall_text + self._offset)
            is_same = moment.timestamp() == int(unix_time) and is_plausible_time(moment)
        except ValueError:
            return None
        return moment if is_same else None


def _wall_time(text: str) -> datetime | None:
    """Return a wall clock time, naive or with its zone; None where the text is none."""
    try:
        local = datetime.fromisoformat(text) if "-" in text else None
    except ValueError:
        return None
    return local if local and is_plausible_time(local) else None


def _in_its_offset(exact: datetime, local: datetime | None) -> datetime:
    """Return an exact time with the offset that the wall clock time beside it shows."""
    if local is None or local.tzinfo is not None:
        return exact
    offset = local.replace(tzinfo=UTC) - exact
    if abs(offset) > timedelta(hours=14) or offset % timedelta(minutes=15):
        return exact
    return exact.astimezone(timezone(offset))


def _user_id(value: object) -> str:
    """Return a sender's id as Telegram writes it today; old exports have bare numbers."""
    number = string(value)
    return f"user{number}" if number.isdigit() else number


FORMAT = Format(name="telegram", recognises=_recognises, parse=_parse, has_threads=True)
