"""QQ's chats: the text that its message manager saves, and QQChatExporter's JSON.

The text holds one chat or all of them:

    消息对象:阿豪
    ================================================================

    2025-10-23 19:44:00 小美(10001)
    门口密码 4471

Source: exports in both forms as open programs read them.
"""

import re
from collections.abc import Iterator

from memcli.domain import Kind
from memcli.formats.building.chat_messages import chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    NO_MESSAGE,
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.written_times import parse_written_time
from memcli.formats.saved_chats.qq_exporter import exporter_messages, is_exporter_sample

_TITLE = "消息记录（此消息记录为文本格式"
_OBJECT = re.compile(r"消息对象[:：]\s*(.+)")
_GROUP = re.compile(r"消息分组[:：].*|={60,}")
_HEAD = re.compile(r"(\d{4}-\d\d?-\d\d? \d\d?:\d\d:\d\d(?: [AP]M)?) (\S.*)")
_RANK = re.compile(r"^【[^】]{1,20}】")
_NUMBER = re.compile(r"[(（<]([^()（）<>]+)[)）>]$")
_SYSTEM = frozenset({"10000", "1000000"})
_MEDIA = re.compile(r"(?:\[(?:图片|表情|动画表情|视频|语音|闪照|文件|涂鸦)\]\s*)+")


def _recognises(sample: Sample) -> bool:
    if is_exporter_sample(sample):
        return True
    head = sample_lines(sample, 60)
    is_titled = any(_TITLE in line for line in head[:5]) or any(map(_OBJECT.match, head))
    return is_titled and any(_HEAD.fullmatch(line.rstrip()) for line in head)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        sample = Sample(document.name, stream.read(1 << 16), document)
    if is_exporter_sample(sample):
        messages = chat_turns(exporter_messages(document), document, options)
    else:
        chat = chat_key_and_title(chat_name(document))
        messages = parse_text_chat(document, options, chat, _StartParser().parse, _content)
    return split_chats("qq", messages)


class _StartParser:
    """A parser of the lines that begin a chat or a message."""

    def __init__(self) -> None:
        self._chat: tuple[str, str] | None = None

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message, or an empty one for the lines around a chat."""
        line = line.strip()
        if match := _OBJECT.fullmatch(line):
            self._chat = chat_key_and_title(match[1].strip())
        if match or _GROUP.fullmatch(line):
            return MessageStart(None, NO_MESSAGE, "", self._chat)
        match = _HEAD.fullmatch(line)
        if match is None:
            return None
        name = _RANK.sub("", match[2])
        number = _NUMBER.search(name)
        if number and number[1] in _SYSTEM:
            name = ""
        elif number and number.start():
            name = name[: number.start()]
        return MessageStart(parse_written_time(match[1]), name, "", self._chat)


def _content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    return (Kind.MEDIA, "") if _MEDIA.fullmatch(text.strip()) else (Kind.TEXT, text)


FORMAT = Format(name="qq", recognises=_recognises, parse=_parse)
