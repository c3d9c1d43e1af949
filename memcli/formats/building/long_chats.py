"""Chats of any length, yielded in pieces while they are read; the role and time of a message."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.format import PARSER_FAILURES, ParsedItem, ParseOptions
from memcli.formats.parsing.values import is_plausible_time, localize, with_inherited_times
from memcli.lazy_dataclasses import dataclass, field

PIECE_TURNS = 1_000
PIECE_CHARACTERS = 4 << 20
_MAX_BUFFERED_TURNS = 10_000  # of all chats together
_MAX_BUFFERED_CHARACTERS = 16 << 20

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A turn and the chat that it belongs to."""

    chat_key: str  # key of the chat
    title: str
    turn: Turn


def split_chats(
    source: str, turns: Iterable[ChatTurn | Skipped], *, keep_order: bool = False
) -> Iterator[ParsedItem]:
    """Yield the chats of an export in pieces, with the skipped parts in between.

    The turns of a piece are in order of time, also if the export begins with the newest. A turn
    without a time follows the turn before it.

    Args:
        source: of the conversations.
        turns: turns of any number of chats, mixed, in the order of the file.
        keep_order: whether to keep the order of the file, even where its clocks run backwards.

    Raises:
        InputError: raised by `turns`, as any other error; the turns before it are yielded first.
    """
    buffer = _Buffer(source, keep_order=keep_order)
    try:
        for turn in turns:
            if isinstance(turn, Skipped):
                yield turn
            elif pieces := buffer.add(turn):
                yield from pieces
    except (InputError, *PARSER_FAILURES):
        yield from buffer.take_all()
        raise
    yield from buffer.take_all()


@dataclass(slots=True)
class ChatPiece:
    """The turns of one chat that were not yielded yet."""

    title: str
    turns: list[Turn] = field(default_factory=list)
    characters: int = 0
    max_turns: int = PIECE_TURNS

    def add(self, turn: Turn) -> None:
        """Append a turn."""
        self.turns.append(turn)
        self.characters += len(turn.text)

    @property
    def is_full(self) -> bool:
        """True if the piece has `max_turns` turns or PIECE_CHARACTERS characters."""
        return len(self.turns) >= self.max_turns or self.characters >= PIECE_CHARACTERS


class _Buffer:
    """The turns of all chats that were read since each chat's last piece."""

    def __init__(self, source: str, *, keep_order: bool) -> None:
        self._source, self._keep_order = source, keep_order
        self._pieces: dict[str, ChatPiece] = {}
        self._turns = self._characters = 0

    def add(self, chat_turn: ChatTurn) -> Sequence[Conversation]:
        """Add a turn, and return the pieces that are large enough; nearly always there are none."""
        chat, turn = chat_turn.chat_key, chat_turn.turn
        piece = self._pieces.get(chat)
        if piece is None:
            piece = self._pieces[chat] = ChatPiece(chat_turn.title)
        piece.add(turn)
        self._turns += 1
        self._characters += len(turn.text)
        if piece.is_full:
            return [self._take(chat)]
        if self._turns >= _MAX_BUFFERED_TURNS or self._characters >= _MAX_BUFFERED_CHARACTERS:
            return self.take_all()
        return ()

    def take_all(self) -> list[Conversation]:
        """Return the pieces of all chats."""
        return [self._take(chat) for chat in list(self._pieces)]

    def _take(self, chat: str) -> Conversation:
        piece = self._pieces.pop(chat)
        self._turns -= len(piece.turns)
        self._characters -= piece.characters
        turns = with_inherited_times(piece.turns) if self._keep_order else _in_order(piece.turns)
        return Conversation(self._source, chat, piece.title, tuple(turns), endless=True)


def _in_order(turns: list[Turn]) -> list[Turn]:
    times = [turn.sent_at for turn in turns if turn.sent_at]
    if times and times[0] > times[-1]:
        turns = turns[::-1]
    return sorted(with_inherited_times(turns), key=lambda turn: turn.sent_at or _NEVER)


class WallClock:
    """A reader of wall clock times without a zone, in a chat whose messages are in order."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: datetime | None = None

    @property
    def last(self) -> datetime | None:
        """The time of the last message that had one."""
        return self._last

    def read(self, naive: datetime | None) -> tuple[datetime | None, Clock]:
        """Return the time of the next message, and how exactly it is known.

        An aware time is exact; the export states its zone.
        """
        if naive is None or not is_plausible_time(naive):
            return None, Clock.NONE
        if naive.tzinfo is not None:
            self._last = naive
            return naive, Clock.EXACT
        moment = localize(naive, self._zone)
        if self._last is not None and moment < self._last:
            # The hour that occurs twice in the night when the clocks are set back.
            second_time = localize(naive.replace(fold=1), self._zone)
            moment = second_time if second_time >= self._last else moment
        self._last = moment
        return moment, Clock.LOCAL


def sender_role(options: ParseOptions, *names: str | None) -> Role:
    """Return USER if one of these names is the person's own, else PERSON."""
    own_names = _own_names(options.me, options.aliases)
    if own_names and any(name and name.strip().casefold() in own_names for name in names):
        return Role.USER
    return Role.PERSON


@lru_cache(maxsize=8)  # called for every message
def _own_names(me: str | None, aliases: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.casefold() for name in ParseOptions(me=me, aliases=aliases).own_names)


def text_with_files(text: str, names: Iterable[str]) -> tuple[Kind, str]:
    """Return the kind and the text of a message with these files.

    Args:
        text: of the message.
        names: of the files; the name of a file may be "".
    """
    files = list(names)
    known_names = ", ".join(filter(None, files))
    if not text.strip():
        return (Kind.MEDIA if files else Kind.TEXT), known_names
    return Kind.TEXT, f"{text}\n[{known_names}]" if known_names else text
