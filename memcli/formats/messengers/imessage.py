"""Apple's Messages: the database `chat.db`, or a copy of it with its `-wal` beside it.

Most texts are not in `text` but in `attributedBody`, an archived object. Reactions are messages
about messages, and left out.

Source: the schema from macOS 10.12 to 15, as open programs read it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.formats.building.long_chats import Said, in_pieces, person, with_files
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing import sqlite
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.typedstream import string_in
from memcli.formats.parsing.values import instant

_APPLE = 978_307_200  # seconds from 1970 to 2001, where Apple's clock begins
_NANOSECONDS = 1e12  # a larger number of them than of seconds
_REACTIONS = range(2000, 4000)

_TABLES = {"message", "handle", "chat", "chat_message_join"}
_COLUMNS = ("attributedBody", "associated_message_type", "item_type", "group_title")
_NEWER = ("thread_originator_guid", "date_edited", "date_retracted")
_FILES = """(
    select group_concat(coalesce(attachment.transfer_name, ''), char(10))
    from message_attachment_join as held join attachment on attachment.rowid = held.attachment_id
    where held.message_id = message.rowid
)"""
_QUERY = """
    select chat.guid, chat.chat_identifier, {title}, message.guid, message.text, message.date,
        message.is_from_me, handle.id, {files}, {columns}
    from message
        join chat_message_join as placed on placed.message_id = message.rowid
        join chat on chat.rowid = placed.chat_id
        left join handle on handle.rowid = message.handle_id
    order by message.rowid
"""


def _recognises(sample: Sample) -> bool:
    found = sample.tables
    return found.keys() >= _TABLES and {"guid", "text", "is_from_me"} <= found["message"]


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("imessage", _messages(document, reading))


def _messages(document: Document, reading: Reading) -> Iterator[Said | Skipped]:
    with sqlite.opened(document) as rows:
        for row in rows(_query(rows)):
            chat, identifier, title, guid, *_ = row
            titled = str(title or identifier or "Messages")
            turn = _turn(row, reading)
            if isinstance(turn, Skipped):
                yield turn
            elif turn and guid:
                yield Said(str(chat or identifier or "chat"), titled, turn)


def _query(rows: sqlite.Rows) -> str:
    """Return the query for as much as this version of the database has."""
    has = {name for (name,) in rows("select name from pragma_table_info('message')")}
    tables = {name for (name,) in rows("select name from sqlite_master where type = 'table'")}
    of_chat = {name for (name,) in rows("select name from pragma_table_info('chat')")}
    files = {"attachment", "message_attachment_join"} <= tables
    return _QUERY.format(
        title="chat.display_name" if "display_name" in of_chat else "null",
        files=_FILES if files else "null",
        columns=", ".join(
            f"message.{name}" if name in has else "null" for name in (*_COLUMNS, *_NEWER)
        ),
    )


def _turn(row: tuple[Any, ...], reading: Reading) -> Turn | Skipped | None:
    """Return the turn a message makes; None where it is a reaction, or holds nothing."""
    guid, text, date, mine, handle, files, body, about, item, group, answers, edited, retracted = (
        row[3:]
    )
    if _number(about) in _REACTIONS:
        return None
    words = text if isinstance(text, str) else ""
    if not words.strip("\ufffc \n") and isinstance(body, bytes):
        archived = string_in(body)
        if archived is None:
            return Skipped(f"message {guid}", "has a text that cannot be read")
        words = archived
    names = str(files).split("\n") if isinstance(files, str) else []
    kind, said = with_files(words.replace("\ufffc", "").strip(), names)
    if _number(item):
        kind, said = Kind.SERVICE, said or str(group or "")
    elif _number(retracted):
        kind = Kind.DELETED
    if kind is Kind.TEXT and not said:
        return None
    sent_at = _moment(date)
    speaker = (reading.owner or "Me") if mine else str(handle or "") or None
    role = Role.USER if mine else person(reading, speaker)
    return Turn(
        key=str(guid),
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=said,
        speaker=speaker,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=str(answers) if answers else None,
        edited_at=_moment(edited),
    )


def _moment(value: object) -> datetime | None:
    """Read a time in seconds or nanoseconds since 2001; 0 stands for none."""
    number = _number(value)
    seconds = number / 1e9 if abs(number) > _NANOSECONDS else number
    return instant(seconds + _APPLE) if number else None


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


FORMAT = Format(
    name="imessage",
    title="Messages database (chat.db)",
    recognises=_recognises,
    parse=_parse,
)
