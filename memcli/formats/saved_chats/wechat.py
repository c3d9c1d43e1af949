"""WeChat's chats as programs save them from its database: WeFlow and MemoTrace.

WeFlow writes a JSON file per chat. MemoTrace, once WeChatMsg, writes a table, a text or a page per
chat, or one table of all chats with the numbers that WeChat's database has. The page has its
messages in a script. In the text, a line with the time and the name begins each message:

    2024-02-01 10:00:00 小红
    在吗

Source: exports as ChatLab, Wetrace Plus and other open programs read them.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from io import TextIOWrapper
from pathlib import PurePath
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.values import mapping, parse_timestamp, string
from memcli.formats.parsing.written_times import parse_written_time

_MESSAGES, _SESSION = ("messages", "[]"), ("session",)
_CHAT_TABLE = ["消息id", "类型", "发送人", "时间", "内容"]
_FULL_TABLE = {"talkerid", "type", "issender", "createtime", "strcontent"}
_MEDIA = re.compile(
    r"图片|语音|视频|文件|表情|名片|image|voice|video|file|emoji|sticker", re.IGNORECASE
)
_CALL = re.compile(r"通话|call", re.IGNORECASE)
_NOTICE = re.compile(r"系统|撤回|拍一拍|system", re.IGNORECASE)
_PLAIN_TYPE = re.compile(r"文本|text", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\[[^\[\]]{1,12}\]")
_TITLE_IN_XML = re.compile(r"<title>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</title>", re.DOTALL)
_ADDRESS_IN_XML = re.compile(r'\b(?:poiname|label|nickname)="([^"]*)"')
# The types of WeChat's database; types that are not here are texts.
_MEDIA_TYPES = frozenset({"3", "34", "42", "43", "47", "62"})
_CALL_TYPE, _NOTICE_TYPES = "50", frozenset({"10000", "10002"})
_SCRIPT_OBJECT = re.compile(
    r"\{ ?type: ?(\d{1,6}), ?text: ?'((?:[^'\\]++|\\.)*+)', ?is_send: ?(\d)[^{}]*?timestamp: ?(\d+)"
    r"[^{}]*?(?:displayname: ?'((?:[^'\\]++|\\.)*+)')?[^{}']*\}",
    re.DOTALL,
)
_ESCAPE, _BREAK = re.compile(r"\\(.)", re.DOTALL), re.compile(r"<br ?/?>")
_BLOCK = 1 << 18  # characters
_LONGEST_OBJECT = 1 << 20  # characters
_OWNERS = ("我", "你")
_START = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S.{0,60})")


def _recognises(sample: Sample) -> bool:
    top = mapping(sample.json)
    if "weflow" in top:
        return isinstance(top.get("session"), dict) or "messages" in top
    columns = csv_columns(sample)
    if columns[: len(_CHAT_TABLE)] == _CHAT_TABLE or set(columns) >= _FULL_TABLE:
        return True
    if sample.text.lstrip().startswith("<"):
        return _SCRIPT_OBJECT.search(sample.text) is not None
    return _is_text(sample_lines(sample, 60))


def _is_text(head: list[str]) -> bool:
    """Return whether lines begin messages, each after a blank line and before its text.

    The last may be cut, and one of several may be damaged.
    """
    lines = [line.strip() for line in head]
    starts = [at for at, line in enumerate(lines[:-1]) if _START.fullmatch(line)]
    if not starts or any(lines[: starts[0]]):
        return False
    whole = [
        at
        for at in starts
        if lines[at + 1] and at + 1 not in starts and (at == starts[0] or not lines[at - 1])
    ]
    is_cut = starts[-1] not in whole and not any(lines[starts[-1] + 1 :])
    damaged = len(starts) - len(whole) - is_cut
    return bool(whole) and (not damaged or (damaged == 1 and len(whole) > 1))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        sample = Sample(document.name, stream.read(1 << 12))
    head, columns = sample.text, csv_columns(sample)
    if columns[: len(_CHAT_TABLE)] == _CHAT_TABLE:
        messages = _table_messages(document)
    elif set(columns) >= _FULL_TABLE:
        messages = _full_table_messages(document)
    elif head.lstrip().startswith("<"):
        messages = _page_messages(document)
    elif head.lstrip().startswith("{"):
        messages = _weflow_messages(document)
    else:
        chat = chat_key_and_title(PurePath(chat_name(document)).name)
        turns = parse_text_chat(document, options, chat, _parse_start, _text_content, _OWNERS)
        return split_chats("wechat", turns)
    return split_chats("wechat", chat_turns(messages, document, options))


def _parse_start(line: str) -> MessageStart | None:
    """Return the beginning of a message of the text form; None for any other line."""
    match = _START.fullmatch(line.strip())
    return MessageStart(parse_written_time(match[1]), match[2], "") if match else None


def _text_content(_start: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message of the text form."""
    plain = text.strip()
    is_mark = _PLACEHOLDER.fullmatch(plain) is not None and _MEDIA.search(plain) is not None
    return (Kind.MEDIA, "") if is_mark else (Kind.TEXT, text)


def _weflow_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    file_name = PurePath(chat_name(document)).name
    for number, (_, details, value) in enumerate(
        read_messages(document, [_MESSAGES], [_SESSION]), start=1
    ):
        session = mapping(details.get(_SESSION))
        names = (string(session.get(name)) for name in ("displayName", "remark", "nickname"))
        title = next(filter(None, names), file_name)
        chat = string(session.get("wxid")) or chat_key_and_title(title)[0]
        if isinstance(value, BrokenValue):
            yield Skipped(f"message {number:,} of {title}", value.reason)
        else:
            yield _weflow_message(chat, title, mapping(value))


def _weflow_message(chat: str, title: str, message: Mapping[str, Any]) -> ChatMessage:
    sender, type_name = string(message.get("senderUsername")), string(message.get("type"))
    sent = message.get("isSend")
    is_notice = sent is None or sender.endswith("@chatroom") or bool(_NOTICE.search(type_name))
    kind, text = _content(type_name, string(message.get("content")))
    return ChatMessage(
        chat=chat,
        title=title,
        speaker="" if is_notice else string(message.get("senderDisplayName")) or sender,
        text=text,
        time=parse_timestamp(message.get("createTime")),
        is_owner=sent in (1, True),
        kind=Kind.SERVICE if is_notice else kind,
        other_names=(sender,),
    )


def _table_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages of a table per chat, which is named after the chat."""
    name = re.sub(r"\(wxid_\w+\)|\(\w+@chatroom\)", "", PurePath(chat_name(document)).name)
    chat, title = chat_key_and_title(name)
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
            continue
        kind, text = _content(row["类型"], row["内容"])
        speaker = row["发送人"].strip()
        key = row["消息id"].strip()
        yield ChatMessage(
            chat=chat,
            title=title,
            speaker="" if kind is Kind.SERVICE else speaker,
            text=text,
            time=parse_written_time(row["时间"]),
            key=key,
            is_owner=speaker in _OWNERS,
            kind=kind,
            other_names=(row.get("备注", ""), row.get("昵称", "")),
        )


def _full_table_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages of a table of all chats, which names the partner of each chat."""
    titles: dict[str, str] = {}
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
            continue
        talker, is_owner = row["talkerid"].strip(), row["issender"].strip() == "1"
        partner = row.get("remark", "").strip() or row.get("nickname", "").strip()
        title = titles.setdefault(talker, partner or f"WeChat {talker}")
        kind, text = _numbered_content(row["type"].strip(), row["strcontent"])
        time = parse_timestamp(row["createtime"]) or parse_written_time(row.get("strtime", ""))
        speaker = "" if is_owner or kind is Kind.SERVICE else partner or row.get("sender", "")
        yield ChatMessage(
            chat=talker,
            title=title,
            speaker=speaker,
            text=text,
            time=time,
            is_owner=is_owner,
            kind=kind,
            other_names=(row.get("sender", ""),),
        )


def _page_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages in the script of a page."""
    chat, title = chat_key_and_title(PurePath(chat_name(document)).name)
    rest = ""
    with document.open() as stream, TextIOWrapper(stream, "utf-8-sig", "replace") as page:
        while block := page.read(_BLOCK):
            rest, end = rest + block, 0
            for match in _SCRIPT_OBJECT.finditer(rest):
                yield _page_message(match, chat, title)
                end = match.end()
            rest = rest[end:][-_LONGEST_OBJECT:]


def _page_message(match: re.Match[str], chat: str, title: str) -> ChatMessage:
    type_number, text, sent, time, name = match.groups()
    text = unescape(_BREAK.sub("\n", _ESCAPE.sub(r"\1", text)))
    kind, text = _numbered_content("10000" if type_number == "0" else type_number, text)
    if kind is Kind.MEDIA:
        text = PurePath(text.replace("\\", "/")).name
    return ChatMessage(
        chat=chat,
        title=title,
        speaker="" if kind is Kind.SERVICE else unescape(name or ""),
        text=text,
        time=parse_timestamp(time),
        is_owner=sent == "1",
        kind=kind,
    )


def _content(type_name: str, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message whose type is in words."""
    text = _plain(text)
    if _NOTICE.search(type_name):
        return Kind.SERVICE, text
    if _CALL.search(type_name):
        return Kind.CALL, text
    if _MEDIA.search(type_name) or _MEDIA.search(text if _PLACEHOLDER.fullmatch(text) else ""):
        return Kind.MEDIA, "" if _PLACEHOLDER.fullmatch(text) else text
    is_text = not type_name or _PLAIN_TYPE.search(type_name) is not None
    return Kind.TEXT, text if text or is_text else f"[{type_name}]"


def _numbered_content(type_number: str, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message whose type is a number."""
    text = _plain(text)
    if type_number in _NOTICE_TYPES:
        return Kind.SERVICE, text
    if type_number == _CALL_TYPE:
        return Kind.CALL, text
    if type_number in _MEDIA_TYPES:
        return Kind.MEDIA, "" if _PLACEHOLDER.fullmatch(text) else text
    return Kind.TEXT, text or ("" if type_number == "1" else f"[{type_number}]")


def _plain(text: str) -> str:
    """Return a text; of XML, which stands for files, links and places, the title alone."""
    text = text.strip()
    if not text.startswith(("<?xml", "<msg", "<voipmsg", "<sysmsg")):
        return text
    match = _TITLE_IN_XML.search(text) or _ADDRESS_IN_XML.search(text)
    return unescape(match[1]).strip() if match else ""


FORMAT = Format(name="wechat", recognises=_recognises, parse=_parse)
