"""Small conversations for tests, written as people read them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from memcli.domain import Clock, Conversation, Role, Session, SessionId, Turn, participants
from memcli.store import Store

BEGIN = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_ROLES = {"me": Role.USER, "ai": Role.ASSISTANT, "system": Role.SYSTEM}


def turn(line: str, key: str = "1", at: datetime | None = BEGIN) -> Turn:
    """Read "me: ...", "ai: ..." or "Ann: ..." as a turn."""
    speaker, _, text = line.partition(": ")
    role = _ROLES.get(speaker, Role.PERSON)
    name = speaker if role is Role.PERSON else None
    return Turn(key, role, text, name, at, Clock.EXACT if at else Clock.NONE)


def turns(*lines: str, at: datetime | None = BEGIN, step: timedelta = MINUTE) -> tuple[Turn, ...]:
    """Read lines as turns a minute apart, with the keys 1, 2, 3."""
    return tuple(
        turn(line, str(number), at and at + (number - 1) * step)
        for number, line in enumerate(lines, start=1)
    )


def talk(
    title: str,
    *lines: str,
    at: datetime | None = BEGIN,
    step: timedelta = MINUTE,
    key: str = "",
    source: str = "notes",
    endless: bool = False,
) -> Conversation:
    """Make a conversation, known by its title."""
    return Conversation(source, key or title, title, turns(*lines, at=at, step=step), endless)


def session(conversation: Conversation, public: str = "") -> Session:
    """Make the one session of a conversation, with an id as short as its title."""
    times = [turn.sent_at for turn in conversation.turns if turn.sent_at]
    return Session(
        SessionId(public or f"s_{conversation.title.lower()}"),
        conversation.source,
        conversation.title,
        conversation.turns,
        min(times, default=None),
        max(times, default=None),
        participants(conversation.turns),
    )


def keep(store: Store, *conversations: Conversation) -> list[int]:
    """Store each conversation as one session; return the numbers of the sessions."""
    numbers = []
    for each in conversations:
        head = store.conversations.get(each.source, each.key) or store.conversations.add(
            each.source, each.key, endless=each.endless
        )
        numbers.append(store.sessions.add(head.number, session(each)))
    return numbers


def said(turns: Iterable[Turn]) -> list[str]:
    """Return the texts."""
    return [turn.text for turn in turns]
