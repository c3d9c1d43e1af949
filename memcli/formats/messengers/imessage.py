"""Apple's Messages: the database `chat.db`, or a copy of it with its `-wal` beside it.

Most texts are not in `text` but in `attributedBody`, an archived object. Reactions are messages
about messages; they are left out.

Source: the schema from macOS 10.12 to 15, as open programs read it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import part_label
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing import sqlite
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.typedstream import extract_string
from memcli.formats.parsing.values import parse_timestamp

_APPLE = 978_307_200  # seconds from 1970 to 2001, when Apple's clock begins
_MOST_SECONDS = 1e12  # a larger time is in nanoseconds
_REACTIONS = range(2000, 4000)
_FILE_MARK = "\ufffc"  # stands in a text where a file is

_TABLES = {"message", "handle", "chat", "chat_message_join"}
_COLUMNS = ("attributedBody", "associated_message_type", "item_type", "group_title")
_NEWER = ("thread_originator_guid", "date_edited", "date_retracted")
_OTHERS = ("subject", "balloon_bundle_id")
_FILES = """(
    select group_concat(coalesce(attachment.transfer_name, ''), char(10))
    from message_attachment_join as link join attachment on attachment.rowid = link.attachment_id
    where link.message_id = message.rowid
)"""
_QUERY = """
    select chat.guid, chat.chat_identifier, {title}, message.guid, message.text, message.date,
        message.is_from_me, handle.id, {files}, {columns}
    from message
        left join chat_message_join as link on link.message_id = message.rowid
        left join chat on chat.rowid = link.chat_id
        left join handle on handle.rowid = message.handle_id
    order by message.rowid
"""


def _recognises(sample: Sample) -> bool:
    tables = sample.tables
    return tables.keys() >= _TABLES and {"guid", "text", "is_from_me"} <= tables["message"]


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("imessage", _messages(document, options))


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    with sqlite.open_database(document) as rows:
        for row in rows(_query(rows)):
            chat, identifier, title, guid, *_ = row
            turn = _turn(row, options)
            document.counter.see()
            if isinstance(turn, Skipped):
                document.counter.omit(Omission.UNREADABLE)
                yield turn
            elif turn and guid:
                # A message that is in no chat any more belongs to its sender's.
                key = str(chat or identifier or turn.speaker or "chat")
                yield ChatTurn(key, str(title or identifier or turn.speaker or "Messages"), turn)
            else:
                is_reaction = _number(row[10]) in _REACTIONS
                document.counter.omit(Omission.BOOKKEEPING if is_reaction else Omission.EMPTY)


def _query(rows: sqlite.Rows) -> str:
    """Return the query for the columns that this version of the database has."""
    columns = {name for (name,) in rows("select name from pragma_table_info('message')")}
    tables = {name for (name,) in rows("select name from sqlite_master where type = 'table'")}
    chat_columns = {name for (name,) in rows("select name from pragma_table_info('chat')")}
    has_files = {"attachment", "message_attachment_join"} <= tables
    return _QUERY.format(
        title="chat.display_name" if "display_name" in chat_columns else "null",
        files=_FILES if has_files else "null",
        columns=", ".join(
            f"message.{name}" if name in columns else "null"
            for name in (*_COLUMNS, *_NEWER, *_OTHERS)
        ),
    )


def _turn(row: tuple[Any, ...], options: ParseOptions) -> Turn | Skipped | None:
    """Return the turn that a message makes; None where it is a reaction, or empty."""
    guid, plain, date, is_from_me, handle, files, body = row[3:10]
    associated_type, item_type, group_title, reply_to, edited, retracted, subject, app = row[10:]
    if _number(associated_type) in _REACTIONS:
        return None
    text = plain if isinstance(plain, str) else ""
    if not text.strip(f"{_FILE_MARK} \n") and isinstance(body, bytes):
        archived = extract_string(body)
        if archived is None:
            return Skipped(f"message {guid}", "has a text that cannot be read")
        text = archived
    names = str(files).split("\n") if isinstance(files, str) else []
    parts = (subject if isinstance(subject, str) else "", text.replace(_FILE_MARK, ""))
    kind, text = text_with_files("\n".join(filter(None, map(str.strip, parts))), names)
    if _number(item_type):
        kind, text = Kind.SERVICE, text or str(group_title or "")
    elif _number(retracted):
        kind = Kind.DELETED
    elif not text and isinstance(app, str) and app:
        kind, text = Kind.MEDIA, part_label(app.rpartition(":")[2].rpartition(".")[2])
    if kind is Kind.TEXT and not text:
        return None
    sent_at = _parse_apple_time(date)
    speaker = (options.owner or "Me") if is_from_me else str(handle or "") or None
    role = Role.USER if is_from_me else sender_role(options, speaker)
    return Turn(
        key=str(guid),
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=str(reply_to) if reply_to else None,
        edited_at=_parse_apple_time(edited),
    )


def _parse_apple_time(value: object) -> datetime | None:
    """Parse a time in seconds or nanoseconds since 2001; 0 means that there is none."""
    number = _number(value)
    seconds = number / 1e9 if abs(number) > _MOST_SECONDS else number
    return parse_timestamp(seconds + _APPLE) if number else None


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


FORMAT = Format(name="imessage", recognises=_recognises, parse=_parse)
