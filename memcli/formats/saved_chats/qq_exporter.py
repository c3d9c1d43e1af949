"""QQChatExporter's chats: one JSON file, or a manifest with chunks of JSON lines beside it.

Source: exports of versions 4 to 6 as ChatLab reads them.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import PurePath
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.errors import InputError
from memcli.formats.building.blocks import part_label
from memcli.formats.building.chat_messages import ChatMessage
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.text_chat import chat_key_and_title, chat_name
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_MESSAGES, _CHAT = ("messages", "[]"), ("chatInfo",)
_FILE_MARK = re.compile(r"\[(?:图片|视频|语音|文件|动画表情)[:：] ?([^\[\]]*)\]")
_BARE_MARK = re.compile(r"\[(?:图片|视频|语音|文件|动画表情|表情)\]")
_NOBODY = frozenset({"", "0", "未知"})


def is_exporter_sample(sample: Sample) -> bool:
    """Return whether a file is an export or a chunk of one."""
    top = mapping(sample.json)
    if isinstance(top.get("chatInfo"), dict) and "metadata" in top:
        return "messages" in top or ("statistics" in top and "chunked" not in top)
    return any(map(_is_chunk_row, sample_objects(sample, 3)))


def _is_chunk_row(row: Mapping[str, Any]) -> bool:
    """Return whether an object is a message of a chunk."""
    sender, content = mapping(row.get("sender")), mapping(row.get("content"))
    return {"uid", "name"} <= sender.keys() and "text" in content and "timestamp" in row


def exporter_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages of an export or of a chunk."""
    with document.open() as stream:
        sample = Sample(document.name, stream.read(1 << 16))
    top = mapping(sample.json)
    if "metadata" in top:
        for number, (_, details, value) in enumerate(
            read_messages(document, [_MESSAGES], [_CHAT]), start=1
        ):
            info = mapping(details.get(_CHAT))
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {number:,}", value.reason)
            else:
                yield _message(mapping(value), info, document)
    else:
        info = mapping(_read_top(document.find_file("../manifest.json")).get("chatInfo"))
        for line, value in read_json_lines(document):
            if isinstance(value, BrokenValue):
                yield Skipped(f"line {line:,}", value.reason)
            else:
                yield _message(mapping(value), info, document)


def _read_top(document: Document | None) -> Mapping[str, Any]:
    """Return the object of a small file; an empty one if it cannot be read."""
    try:
        values = read_elements(document, "") if document else iter(())
        return mapping(next(chain(values, [None])))
    except InputError:
        return {}


def _message(
    message: Mapping[str, Any], info: Mapping[str, Any], document: Document
) -> ChatMessage:
    title = string(info.get("name")) or PurePath(chat_name(document)).name
    peer = string(info.get("peerUid")) or string(info.get("peerUin"))
    sender, raw = mapping(message.get("sender")), mapping(message.get("rawMessage"))
    names = [sender.get("groupCard"), sender.get("name"), raw.get("sendMemberName")]
    names += [sender.get("remark"), sender.get("nickname"), raw.get("sendNickName")]
    numbers = {string(sender.get("uid")), string(sender.get("uin"))} - _NOBODY
    own = {string(info.get("selfUid")), string(info.get("selfUin"))} - _NOBODY
    content = mapping(message.get("content"))
    text = string(content.get("text"))
    names_in_text = frozenset(_FILE_MARK.findall(text))
    files = [name for name in _files(content) if not name or name not in names_in_text]
    kind = _kind(message, has_sender=bool(numbers))
    if not text and not files:
        text = "\n".join(filter(None, map(_element_text, sequence(content.get("elements")))))
    elif not _FILE_MARK.sub("", _BARE_MARK.sub("", text)).strip():
        files = [*files, *names_in_text] or ([""] if text else [])
        text = ""
    reply = mapping(content.get("reply"))
    return ChatMessage(
        chat=peer or chat_key_and_title(title)[0],
        title=title,
        speaker="" if kind is Kind.SERVICE else next(filter(None, map(string, names)), ""),
        text=text,
        time=parse_timestamp(message.get("timestamp")),
        key=string(message.get("messageId")) or string(message.get("id")),
        files=files,
        is_owner=bool(numbers & own),
        kind=kind,
        other_names=tuple(numbers),
        parent=string(reply.get("referencedMessageId")) or None,
    )


def _element_text(element: object) -> str:
    """Return the text of a part of a message, or a label with its type and its name."""
    fields, data = mapping(element), mapping(mapping(element).get("data"))
    names = ("text", "content", "summary", "prompt", "title", "name", "address", "filename")
    text = next(filter(None, (string(data.get(name)) for name in names)), "")
    kind = string(fields.get("type"))
    return text if kind == "text" else part_label(kind, text) if kind else text


def _kind(message: Mapping[str, Any], *, has_sender: bool) -> Kind:
    """Return the kind of a message; newer exports name the marks of a notice differently."""
    if message.get("system") or message.get("isSystemMessage") or not has_sender:
        return Kind.SERVICE
    if message.get("recalled") or message.get("isRecalled"):
        return Kind.DELETED
    return Kind.TEXT


def _files(content: Mapping[str, Any]) -> list[str]:
    """Return the names of the files of a message, of which pictures may have none."""
    files = map(mapping, sequence(content.get("resources")))
    return [string(file.get("filename")) or string(file.get("fileName")) for file in files]
