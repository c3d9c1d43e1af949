"""Logs of IRC clients: WeeChat, irssi, ZNC, HexChat and mIRC.

    2021-03-04 10:15:22 @ann hello      WeeChat, with tabs between the three
    10:15 <@ann> hello                  irssi and HexChat, under lines with a day
    [10:15:22] <ann> hello              ZNC, whose files are named by the day, and mIRC

Source: the documentation of the clients' loggers, and logs as open programs read them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath

from memcli.domain import Kind
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    NO_MESSAGE,
    MessageStart,
    chat_key_and_title,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.written_times import parse_written_time

_NICK = r"[A-Za-z\[\]\\`_^{|}~][\w\[\]\\`^{|}~.@/-]{0,62}"
_WEECHAT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\t([^\t]{0,80})\t(.*)")
_CLOCK = r"(?:(?P<date>[A-Z][a-z]{2} +\d{1,2}) )?\[?(?P<clock>\d\d:\d\d(?::\d\d)?)\]?"
_SPOKEN = re.compile(rf"{_CLOCK}\s+<[ ~&@%+]?(?P<nick>{_NICK})>\s?(?P<text>.*)")
_ACTION = re.compile(rf"{_CLOCK}\s+\*\s(?P<nick>{_NICK})\s(?P<text>.*)")
_EVENT = re.compile(
    r"(?:Now talking|Topic for|Disconnected|You are now known).*"
    r"|\S+ (?:\(.*\) )?(?:has (?:joined|left|quit|set|changed|been)|sets mode|is now known as).*"
)
_NOTICE = re.compile(rf"{_CLOCK}\s+(?P<mark>\*\*\*|-!-|-->|<--|\*|-[^\s-]{{1,80}}-)\s*(?P<text>.*)")
_DAY_LINE = re.compile(
    r"(?:--- (?:Log opened|Day changed|Log closed)|\*{4} (?:BEGIN|ENDING) LOGGING AT"
    r"|Session (?:Start|Close|Time):) (.{8,40})"
)
_WEEKDAY_DATE = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) +(\d{1,2}) (?:(\d\d:\d\d:\d\d) )?(\d{4})"
)
_DAY_IN_NAME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_SERVICE_PREFIXES = frozenset({"-->", "<--", "--", "=!=", "", "⚠"})
_ACTION_PREFIX = " *"
_RANKS = "~&@%+ "
_NEEDED_LINES = 2


def _recognises(sample: Sample) -> bool:
    """Return whether most of the first lines are those of a log, and people speak in them."""
    head = [line.rstrip() for line in sample_lines(sample, 100)[:-1] if line.strip()]
    spoken = sum(_is_spoken(line) for line in head)
    spoken_or_other = sum(_is_spoken(line) or _is_other(line) for line in head)
    is_named = _DAY_LINE.match(head[0]) is not None if head else False
    return spoken >= _NEEDED_LINES - is_named and spoken_or_other >= len(head) * 0.8


def _is_spoken(line: str) -> bool:
    match = _WEECHAT.fullmatch(line)
    if match:
        return re.fullmatch(rf"[{_RANKS}]?{_NICK}", match[2]) is not None
    return bool(_SPOKEN.fullmatch(line))


def _is_other(line: str) -> bool:
    """Return whether a line is a notice, an action or a day."""
    patterns = (_WEECHAT, _NOTICE, _ACTION, _DAY_LINE)
    return any(pattern.match(line) for pattern in patterns)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    title = _channel(document)
    chat = chat_key_and_title(f"{_network(document, title)}{title}")[0], title
    parser = _StartParser(PurePath(document.name).name)
    return split_chats("irc", parse_text_chat(document, options, chat, parser.parse, _content))


def _channel(document: Document) -> str:
    """Return the name of a channel as the names of the log's file and folders have it."""
    path = PurePath(document.name)
    name = re.sub(r"\.(?:log|txt|weechatlog)$", "", path.name)
    name = _DAY_IN_NAME.sub("", name).strip("_-. ")
    return name.removeprefix("irc.") or path.parent.name or "irc"


def _is_event(match: re.Match[str]) -> bool:
    """Return whether an action is an event, which HexChat writes in the same form."""
    return _EVENT.fullmatch(f"{match['nick']} {match['text']}") is not None


def _network(document: Document, channel: str) -> str:
    """Return the name of the folder of a channel's logs, which keeps equal channels apart."""
    folders = [part for part in PurePath(document.name).parent.parts if part != channel]
    is_channel = channel.startswith(("#", "&"))
    return f"{folders[-1]}/" if folders and is_channel else ""


class _StartParser:
    """A parser of the lines that begin a day or a message; every line of a log does."""

    def __init__(self, file_name: str) -> None:
        match = _DAY_IN_NAME.search(file_name)
        self._day = "-".join(match.groups()) if match else ""

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message, or an empty one for a day; None for other lines."""
        line = line.rstrip()
        if match := _DAY_LINE.match(line):
            self._day = _day(match[1]) or self._day
            return MessageStart(None, NO_MESSAGE, "")
        if match := _WEECHAT.fullmatch(line):
            return _weechat_head(match)
        for pattern in (_SPOKEN, _ACTION, _NOTICE):
            if match := pattern.fullmatch(line):
                is_notice = pattern is _NOTICE or (pattern is _ACTION and _is_event(match))
                nick = "" if is_notice else match["nick"]
                if is_notice and pattern is _ACTION:
                    return MessageStart(self._time(match), "", f"{match['nick']} {match['text']}")
                action = f"* {match['text']}" if pattern is _ACTION else match["text"]
                return MessageStart(self._time(match), nick, action)
        return None

    def _time(self, match: re.Match[str]) -> datetime | None:
        day = self._day
        if match["date"] and day:  # HexChat writes the month and the day, but not the year
            day = f"{' '.join(match['date'].split())}, {day[:4]}"
        return parse_written_time(f"{day} {match['clock']}") if day else None


def _weechat_head(match: re.Match[str]) -> MessageStart:
    time, nick, text = parse_written_time(match[1]), match[2], match[3]
    if nick == _ACTION_PREFIX or nick.strip() == "*":
        name, _, action = text.partition(" ")
        return MessageStart(time, name, f"* {action}")
    is_service = nick.strip() in _SERVICE_PREFIXES
    return MessageStart(time, "" if is_service else nick.lstrip(_RANKS), text)


def _day(text: str) -> str:
    """Return the day of a line such as `Thu Mar 04 10:15:22 2021`, "" if it has none."""
    match = _WEEKDAY_DATE.fullmatch(text.strip())
    moment = parse_written_time(f"{match[1]} {match[2]}, {match[4]}" if match else text)
    return moment.strftime("%Y-%m-%d") if moment else ""


def _content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    return Kind.TEXT, text


FORMAT = Format(name="irc", recognises=_recognises, parse=_parse)
