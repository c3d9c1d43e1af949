"""Endless chats, given away in pieces while they are read; and who and what is in them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.format import Parsed, Reading
from memcli.formats.parsing.values import wall_clock, with_inherited_times

PIECE_TURNS = 1_000
PIECE_CHARACTERS = 4 << 20
_HELD_TURNS = 10_000  # of all chats together
_HELD_CHARACTERS = 16 << 20

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn, and the chat it was said in."""

    chat: str  # its key
    title: str
    turn: Turn


def in_pieces(source: str, said: Iterable[Said | Skipped]) -> Iterator[Parsed]:
    """Yield the chats of an export in pieces, and what was skipped in between.

    Each piece is in order of time, whichever end of the chat the export begins with. Turns without
    a time follow the one before them.

    Args:
        source: of the conversations.
        said: turns of any number of chats, mixed, in the order of the file.

    Raises:
        InputError: as `said` does; what came before it is yielded first.
    """
    held = _Held(source)
    try:
        for one in said:
            if isinstance(one, Skipped):
                yield one
            else:
                yield from held.add(one)
    except InputError:
        yield from held.rest()
        raise
    yield from held.rest()


@dataclass(slots=True)
class _Piece:
    title: str
    turns: list[Turn] = field(default_factory=list)
    characters: int = 0


class _Held:
    """What was read of each chat since its last piece."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._pieces: dict[str, _Piece] = {}
        self._turns = self._characters = 0

    def add(self, said: Said) -> Iterator[Conversation]:
        piece = self._pieces.setdefault(said.chat, _Piece(said.title))
        piece.turns.append(said.turn)
        piece.characters += len(said.turn.text)
        self._turns += 1
        self._characters += len(said.turn.text)
        if len(piece.turns) >= PIECE_TURNS or piece.characters >= PIECE_CHARACTERS:
            yield self._taken(said.chat)
        elif self._turns >= _HELD_TURNS or self._characters >= _HELD_CHARACTERS:
            yield from self.rest()

    def rest(self) -> Iterator[Conversation]:
        for chat in list(self._pieces):
            yield self._taken(chat)

    def _taken(self, chat: str) -> Conversation:
        piece = self._pieces.pop(chat)
        self._turns -= len(piece.turns)
        self._characters -= piece.characters
        turns = tuple(_in_order(piece.turns))
        return Conversation(self._source, chat, piece.title, turns, endless=True)


def _in_order(turns: list[Turn]) -> list[Turn]:
    times = [turn.sent_at for turn in turns if turn.sent_at]
    if times and times[0] > times[-1]:
        turns = turns[::-1]
    return sorted(with_inherited_times(turns), key=lambda turn: turn.sent_at or _NEVER)


class WallClock:
    """Reads the times of a chat that is written down in order, without a zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: datetime | None = None

    def read(self, naive: datetime | None) -> tuple[datetime | None, Clock]:
        """Return when the next message was sent, and how far that can be trusted."""
        if naive is None or not 1990 <= naive.year <= 2100:
            return None, Clock.NONE
        moment = wall_clock(naive, self._zone)
        if self._last is not None and moment < self._last:
            # In the night the clocks go back, the hour that comes twice.
            again = wall_clock(naive.replace(fold=1), self._zone)
            moment = again if again >= self._last else moment
        self._last = moment
        return moment, Clock.LOCAL


def person(reading: Reading, *names: str | None) -> Role:
    """Return USER if one of these names is the person's own, else PERSON."""
    own = _own_names(reading.me, reading.aliases)
    mine = bool(own) and any(name and name.strip().casefold() in own for name in names)
    return Role.USER if mine else Role.PERSON


@lru_cache(maxsize=8)  # every message asks
def _own_names(me: str | None, aliases: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.casefold() for name in Reading(me=me, aliases=aliases).own_names)


def with_files(text: str, names: Iterable[str]) -> tuple[Kind, str]:
    """Return the kind and text of a message with these files; a file may have no name, ""."""
    listed = list(names)
    named = ", ".join(filter(None, listed))
    if not text.strip():
        return (Kind.MEDIA if listed else Kind.TEXT), named
    return Kind.TEXT, f"{text}\n[{named}]" if named else text
