"""KakaoTalk's "Export chat" in its four forms.

    2025년 10월 10일 오전 10:09, 민수 : 안녕           Android
    2025. 10. 23. 오전 11:44, 민수 : 안녕             iOS
    [민수] [오전 11:44] 안녕                          Windows, under a line with the day
    2025-10-23 11:44:01,"민수","안녕"                 macOS, a table

Source: exports in Korean and English as open programs read them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import PurePath

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    NO_MESSAGE,
    MessageStart,
    chat_key_and_title,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import read_lines, sample_lines
from memcli.formats.parsing.written_times import parse_written_time

_TITLES = (
    re.compile(r"(.+?)(?: \d+)? ?님과(?:의)? 카카오톡 대화"),
    re.compile(r"KakaoTalk Chats with (.+)", re.IGNORECASE),
    re.compile(r"(.+) with KakaoTalk Chats", re.IGNORECASE),
    re.compile(r"(.+?)(?: \d+)? 카카오톡 대화"),
    re.compile(r"카카오톡 대화|.*_\d{4}\.\d\d?\.\d\d? \d\d[:.]\d\d-\d+\.txt"),
)
_SAVED = re.compile(r"(?:저장한 날짜|Date Saved|Saved Date)\s*:.*", re.IGNORECASE)
_COLUMNS = ["date", "user", "message"]
_HANGUL = re.compile(r"[가-힣]")
_FILE_NAME = re.compile(
    r"KakaoTalk_(?:Chat_)?(?:\d{8}_\d{4}_\d\d_\d{3}_)?(.*?)(?:_?\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)?"
)
_GENERAL_NAME = re.compile(r"KakaoTalk_?Chats.*|Talk_\d{4}\..*", re.IGNORECASE)
_DAY_LINE = re.compile(r"-{5,}\s*(.{6,40}?)\s*-{5,}")
_ROW = re.compile(r"\[([^\[\]]{1,100}(?:\[[^\]]*\])?)\] \[([^\[\]]{4,16})\] ?(.*)")
_DATED = re.compile(
    r"(.{8,40}?\d{1,2}:\d\d(?:\s?[AaPp]\.?[Mm]\.?)?)(?:, (.{1,100}?) : (.*)|[,:] (.+))"
)
# Lines with a day alone have the weekday, or in old files a time without seconds.
_DAY = re.compile(
    r"\d{4}[년.] ?\d{1,2}[월.] ?\d{1,2}[일.]? ?(?:[월화수목금토일]요일|오[전후] \d{1,2}:\d\d)"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [A-Z][a-z]+ \d{1,2}, \d{4}"
)
_EVENT = re.compile(
    r".{1,100}님이 .{0,120}(?:들어왔|나갔|초대했|초대하였|내보냈|가렸|되었|변경했)습니다\.?"
    r"(?:채팅방으로 초대하기)?"
    r"|채팅방 관리자가 .{1,60}습니다\.?"
    r"|.{1,100} (?:joined|left|invited|was removed from) (?:this |the )?(?:chatroom|chat).*"
)
_SHORT_EVENT = re.compile(r"(.{1,100}?) (?:has )?(?:left|joined|invited .{1,200})\.")
_MEDIA = re.compile(
    r"(?:사진|동영상|이모티콘|음성메시지|Photos?|Videos?|Emoticons?|Voice ?message)"
    r"(?: \d+(?:장)?)?|\(이모티콘\)|\(emoticon\)",
    re.IGNORECASE,
)
_FILE = re.compile(r"(?:파일|File): (.+)")
_CALL = re.compile(r"(?:보이스톡|페이스톡|그룹콜|Voice Call|Video Call|통화 시간)\b.{0,40}")
_DELETED = re.compile(
    r"삭제된 메시지입니다\.?|This message was deleted\.?|.{0,20}메시지가? 삭제되었습니다\.?"
)
_LONGEST_START = 1_000  # characters of a line that are looked at to recognise it
_OWNERS = ("회원님", "나", "Me", "You")


def _recognises(sample: Sample) -> bool:
    head = [line[:_LONGEST_START] for line in sample_lines(sample, 200)]
    if csv_columns(sample) == _COLUMNS:
        return "kakaotalk" in sample.name.casefold() or bool(_HANGUL.search("".join(head[:50])))
    is_named = any(_title(line.strip()) is not None for line in head[:3])
    is_named = is_named or any(_SAVED.fullmatch(line.strip()) for line in head[:5])
    parser = _StartParser()
    starts = filter(None, (parser.parse(line.rstrip()) for line in head))
    return is_named and any(start.speaker.strip() and start.wall_time for start in starts)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        columns = csv_columns(Sample(document.name, stream.read(1 << 12)))
    if columns == _COLUMNS:
        messages = chat_turns(_table_messages(document), document, options)
    else:
        chat = chat_key_and_title(_text_title(document))
        messages = parse_text_chat(document, options, chat, _StartParser().parse, _content, _OWNERS)
    return split_chats("kakaotalk", messages)


def _title(line: str) -> str | None:
    """Return the name of the chat that a title states, "" if it states none; else None."""
    line = line.lstrip("\ufeff")
    for pattern in _TITLES:
        if match := pattern.fullmatch(line):
            return match[1] if match.groups() else ""
    return None


def _text_title(document: Document) -> str:
    """Return the name of the chat; where neither text nor file has it, the names of its people."""
    head = [line or "" for line in islice(read_lines(document), 200)]
    titles = (title for line in head[:3] if (title := _title(line.strip())))
    if title := next(titles, "") or _name_in_file(document):
        return title
    parser = _StartParser()
    starts = filter(None, (parser.parse(line) for line in head))
    names = dict.fromkeys(start.speaker.strip() for start in starts)
    return ", ".join(sorted(name for name in names if name and name not in _OWNERS))


def _name_in_file(document: Document) -> str:
    """Return the name of the chat as the name of the file has it, "" if it has none."""
    name = PurePath(document.name).stem
    match = _FILE_NAME.fullmatch(name)
    if _GENERAL_NAME.fullmatch(name):
        return ""
    return match[1].strip("_ ") if match else name


def _table_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    chat, title = chat_key_and_title(_name_in_file(document) or PurePath(document.name).stem)
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
            continue
        speaker, time = row["user"].strip(), parse_written_time(row["date"])
        kind, text = _content(MessageStart(time, speaker, ""), row["message"])
        yield ChatMessage(
            chat=chat,
            title=title,
            speaker="" if kind is Kind.SERVICE else speaker,
            text=text,
            time=time,
            is_owner=speaker in _OWNERS,
            kind=kind,
        )


class _StartParser:
    """A parser of the lines that begin a day or a message, in the three forms of text."""

    def __init__(self) -> None:
        self._day = ""  # as written; only Windows has lines with the day alone
        self._names: set[str] = set()  # of the people who spoke

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message, or an empty one for a day; None for other lines."""
        line = line.strip()
        if day := _DAY_LINE.fullmatch(line):
            self._day = day[1]
            return MessageStart(None, NO_MESSAGE, "")
        if (row := _ROW.fullmatch(line)) and self._day:
            time = _time_of_day(self._day, row[2])
            self._names.add(row[1])
            return MessageStart(time, row[1], row[3]) if time else None
        if _DAY.fullmatch(line) or _SAVED.fullmatch(line):
            return MessageStart(None, NO_MESSAGE, "")
        dated = _DATED.fullmatch(line)
        if dated and (time := parse_written_time(dated[1])):
            return MessageStart(time, (dated[2] or "").strip(), dated[3] if dated[2] else dated[4])
        short = _SHORT_EVENT.fullmatch(line)
        if self._day and (_EVENT.fullmatch(line) or (short and short[1] in self._names)):
            return MessageStart(None, "", line)  # the time is that of the message before
        return None


def _time_of_day(day: str, clock: str) -> datetime | None:
    """Return the time that a clock shows on a day."""
    return parse_written_time(f"{_date_alone(day)} {clock}")


def _date_alone(day: str) -> str:
    """Return a day without its Korean weekday."""
    return re.sub(r"\s?[월화수목금토일]요일", "", day)


def _content(head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    plain = text.strip()
    if _MEDIA.fullmatch(plain):
        return Kind.MEDIA, ""
    if file := _FILE.fullmatch(plain):
        return Kind.MEDIA, file[1]
    if _CALL.fullmatch(plain):
        return Kind.CALL, plain
    if _DELETED.fullmatch(plain):
        return Kind.DELETED, ""
    if _EVENT.fullmatch(plain) and (not head.speaker.strip() or plain.startswith(head.speaker)):
        return Kind.SERVICE, plain
    return Kind.TEXT, text


FORMAT = Format(name="kakaotalk", recognises=_recognises, parse=_parse)
