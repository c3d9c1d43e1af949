"""Conversations with an assistant whose messages are mixed, as the rows of a table are."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from memcli.domain import Conversation, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import title_from
from memcli.formats.building.long_chats import ChatTurn
from memcli.formats.building.time_order import NO_TIME
from memcli.formats.format import ParsedItem
from memcli.formats.parsing.json_stream import LARGEST_VALUE
from memcli.formats.parsing.values import MessageKeys, with_inherited_times


def collect_conversations(
    source: str, turns: Iterable[ChatTurn | Skipped], name: str
) -> Iterator[ParsedItem]:
    """Yield the conversations of a table with an assistant, each as a whole.

    A conversation without an id is identified by its first message. Turns are in order of time; of
    equal times, in the order of the table, or in the reverse if it begins with the newest turn.

    Raises:
        InputError: the table holds more than LARGEST_VALUE characters.
    """
    chats: dict[str, tuple[str, list[Turn]]] = {}
    size, problem = 0, ""
    times: list[datetime] = []  # of the first and of the last turn of the table
    try:
        for found in turns:
            if isinstance(found, Skipped):
                yield found
                continue
            chats.setdefault(found.chat_key, (found.title, []))[1].append(found.turn)
            times[1:] = [found.turn.sent_at] if found.turn.sent_at else times[1:]
            size += len(found.turn.text)
            if size > LARGEST_VALUE:
                problem = f"{name} holds conversations of more than {LARGEST_VALUE >> 20} MB"
                break
    except InputError as error:
        problem = str(error)
    keys = MessageKeys()
    newest_first = bool(times) and times[0] > times[-1]
    for chat, (title, turns_of_chat) in chats.items():
        ordered = with_inherited_times(turns_of_chat[::-1] if newest_first else turns_of_chat)
        ordered.sort(key=lambda turn: turn.sent_at or NO_TIME)
        first = next((turn for turn in ordered if turn.role is not Role.SYSTEM), ordered[0])
        key = chat or keys.next_key(first.role, first.text, first.sent_at)
        yield Conversation(source, key, title or title_from(ordered), tuple(ordered))
    if problem:
        raise InputError(problem)
