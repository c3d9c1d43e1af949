"""LINE's "Export chat history": a text file per chat.

There is a line for each day, and under it a line for each message: time, name and text, separated
by tabs or, in newer programs on computers, by spaces. Texts of several lines are quoted. Where
spaces separate them, the end of a name of several words is told by the title, by the person's own
names, by messages that are a picture or a call, and by the words that all messages of a name share.

Source: exports in several languages as open programs read them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from memcli.domain import Doubt, Kind
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
from memcli.formats.parsing.text_lines import read_lines, sample_lines
from memcli.text.date_words import WEEKDAY_NAMES

_TITLES = (
    re.compile(r"\[LINE\]\s*Chat history (?:with|in) (.+)"),
    re.compile(r"\[LINE\]\s*(.+?)(?:とのトーク履歴|のトーク履歴|님과의? 대화|의 채팅방? 대화.*)"),
    re.compile(r"\[LINE\]\s*(?:與|与)?(.+?)的(?:聊天記錄|聊天记录|聊天紀錄)"),
    re.compile(r"\[LINE\]\s*(.+?)(?:\.txt)?"),
)
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?:\D{0,16})")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.?, (\d{1,2})/(\d{1,2})/(\d{4})")
_WEEKDAYS = [name[:3] for name in WEEKDAY_NAMES["English"]]
_TIME = re.compile(r"(上午|下午|午前|午後|오전|오후)?(\d{1,2}):(\d\d)\s?([AaPp])?[Mm]?([\t ])(.*)")
_MEDIA = re.compile(
    r"\[(?:Photo|Video|Sticker|Voice message|Audio|Contact|Album|Emoji|スタンプ|写真|動画"
    r"|ボイスメッセージ|連絡先|アルバム|貼圖|照片|圖片|影片|語音訊息|聯絡資訊|사진|동영상|스티커"
    r"|음성메시지|연락처|앨범|รูป|รูปภาพ|วิดีโอ|สติกเกอร์|สติ๊กเกอร์|ข้อความเสียง|รายชื่อ|อัลบั้ม"
    r"|Foto|Stiker|Pesan Suara|Kontak|Imagen|Vídeo|Sticker animado|Location|位置情報|位置訊息)\]"
)
_LABEL = re.compile(r"\[([^\[\]\n]{1,30})\]")  # any other content, in any language
_FILE = re.compile(r"\[(?:File|ファイル|檔案|파일)\]\s*(.+)")
_UNSENT = re.compile(
    r"(?:.{1,100} )?unsent a message\.?|(?:.{1,100}が)?メッセージの送信を取り消しました。?"
    r"|.{0,100}已收回訊息|(?:.{1,100}님이 )?메시지(?: 전송)?를 취소했습니다\.?"
)
_FIRST_MESSAGES = 2_000  # that are looked at for names; later exports begin with the same ones
_LONGEST_NAME = 20  # characters; LINE accepts no longer names
_FEWEST_SHARED = 4  # messages that begin with the same words before those are a name
_NAME_AND_FILE = re.compile(rf"(\S.{{0,19}}?) (?:{_MEDIA.pattern}|☎.*)")
_NOTICE = re.compile(r".{1,100} (?:joined|left) the (?:group|chat)\.?")


def _recognises(sample: Sample) -> bool:
    head = sample_lines(sample, 200)
    if not head[0].startswith("[LINE]"):
        return False
    return any(map(_parse_days, head)) and any(_TIME.fullmatch(line) for line in head)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    head = next(read_lines(document), None) or ""
    match = next(filter(None, (title.fullmatch(head.strip()) for title in _TITLES)), None)
    title = match[1] if match else chat_name(document)
    parser = _LineParser(_find_names(document, [title, *options.own_names]))
    messages = parse_text_chat(document, options, chat_key_and_title(title), parser.parse, _content)
    yield from split_chats("line", messages)
    if parser.ambiguous:
        yield Doubt("dates", "day and month cannot be told apart, read as month/day")


class _LineParser:
    """A parser of the lines that begin a day or a message."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(set(names), key=lambda name: (-len(name), name))
        self._day: datetime | None = None
        self.ambiguous = False  # True if a day can be read in two ways

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message, or an empty one for a day; None for other lines."""
        if days := _parse_days(line):
            self._day = days[0]
            self.ambiguous = self.ambiguous or len(days) > 1
            return MessageStart(None, NO_MESSAGE, "")
        match = _TIME.fullmatch(line)
        if match is None or self._day is None:
            return None
        speaker, text = self._split(match[6], has_tabs=match[5] == "\t")
        return MessageStart(_parse_time(self._day, match), speaker, text)

    def _split(self, rest: str, *, has_tabs: bool) -> tuple[str, str]:
        """Return the speaker, "" for a notice, and the text."""
        if "\t" in rest:
            speaker, _, text = rest.partition("\t")
            return speaker.strip(), text
        if has_tabs:  # there would be a second one after a name
            return "", rest
        if _NOTICE.fullmatch(rest):
            return "", rest
        for name in self._names:
            if rest.startswith(f"{name} "):
                return name, rest[len(name) :].lstrip()
        speaker, space, text = rest.partition(" ")
        return (speaker, text) if space and not _UNSENT.fullmatch(rest) else ("", rest)


def _find_names(document: Document, known: Sequence[str]) -> set[str]:
    """Return the names that messages can begin with, where spaces separate the parts of a line.

    Args:
        document: the chat; its first messages are looked at.
        known: names that need not be found.
    """
    rests: list[str] = []
    messages = filter(None, (_TIME.fullmatch(line or "") for line in read_lines(document)))
    for match in islice(messages, _FIRST_MESSAGES):
        if match[5] == "\t" or "\t" in match[6]:
            return set(known)
        if not (_NOTICE.fullmatch(match[6]) or _UNSENT.fullmatch(match[6])):
            rests.append(match[6][: 4 * _LONGEST_NAME])
    files = {found[1] for rest in rests if (found := _NAME_AND_FILE.fullmatch(rest))}
    starts = Counter(name for name in files for rest in rests if rest.startswith(name + " "))
    names = {*known, *(name for name, count in starts.items() if count > 1)}
    beginnings = tuple(f"{name} " for name in names)
    by_word = defaultdict[str, list[list[str]]](list)
    for rest in rests:
        if not rest.startswith(beginnings):
            by_word[rest.partition(" ")[0]].append(rest.split(" "))
    return names | set(filter(None, map(_shared_words, by_word.values())))


def _shared_words(messages: Sequence[Sequence[str]]) -> str:
    """Return the words with which all messages begin, "" if these are no name.

    At least one word of each message is its text.
    """
    count = 0
    for column in islice(zip(*messages, strict=False), min(map(len, messages)) - 1):
        if len(set(column)) > 1:
            break
        count += 1
    name = " ".join(messages[0][:count])
    return name if len(messages) >= _FEWEST_SHARED and len(name) <= _LONGEST_NAME else ""


def _parse_days(line: str) -> list[datetime]:
    """Return the day that a line is, the likelier first if it may be two; else an empty list."""
    line = line.strip()
    if match := _YEAR_FIRST.fullmatch(line):
        return _days(int(match[1]), (int(match[2]), int(match[3])))
    match = _MONTH_FIRST.fullmatch(line)
    if match is None:
        return []
    first, second = int(match[2]), int(match[3])
    days = _days(int(match[4]), (first, second), (second, first))
    on_weekday = [day for day in days if _WEEKDAYS[day.weekday()] == match[1][:3].casefold()]
    return on_weekday or days


def _days(year: int, *months_and_days: tuple[int, int]) -> list[datetime]:
    """Return the days that the calendar has, each once."""
    days: dict[datetime, None] = {}
    for month, day in months_and_days:
        with suppress(ValueError):
            days[datetime(year, month, day)] = None
    return list(days)


def _parse_time(day: datetime, match: re.Match[str]) -> datetime | None:
    """Return the time of a message on a day; None where the clock has no such time."""
    hour, half = int(match[2]), (match[4] or "").casefold()
    if half == "p" or match[1] in ("下午", "午後", "오후"):
        hour = hour % 12 + 12
    elif (half == "a" or match[1]) and hour == 12:
        hour = 0
    try:
        return day.replace(hour=hour, minute=int(match[3]))
    except ValueError:
        return None


def _content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    if "\n" in text and text.startswith('"') and text.endswith('"'):
        text = text[1:-1].replace('""', '"')
    if _MEDIA.fullmatch(text):
        return Kind.MEDIA, ""
    if file := _FILE.fullmatch(text):
        return Kind.MEDIA, file[1]
    if text.startswith("☎"):
        return Kind.CALL, text
    if _UNSENT.fullmatch(text):
        return Kind.DELETED, text
    if _LABEL.fullmatch(text):
        return Kind.MEDIA, text
    return (Kind.SERVICE if _NOTICE.fullmatch(text) else Kind.TEXT), text


FORMAT = Format(name="line", recognises=_recognises, parse=_parse)
