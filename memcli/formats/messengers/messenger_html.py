"""Messenger and Instagram threads as HTML.

The class names are obfuscated and change, so a message is recognised by the order of its lines
alone: the sender, the text, the time.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from itertools import islice

from memcli.domain import Kind, Role, Turn
from memcli.formats.building.long_chats import ChatTurn, WallClock, sender_role, text_with_files
from memcli.formats.format import ParseOptions
from memcli.formats.messengers.messenger_notices import is_chat_notice
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import EndTag, StartTag, parse_html
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys
from memcli.text.date_words import MONTH_NAMES, parse_month
from memcli.text.localized_dates import parse_localized_date

_CLOCK = r"(?:,| at)? (\d{1,2}:\d\d)(?::(\d\d))?(?:\s?([AaPp])\.?[Mm]\.?)?"
_MONTH = rf"({'|'.join(name[:3].title() for name in MONTH_NAMES['English'])})[a-z]*\.?"
_DATES = (
    re.compile(rf"(?P<month>{_MONTH}) (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})(?P<clock>{_CLOCK})"),
    re.compile(rf"(?P<day>\d{{1,2}}) (?P<month>{_MONTH}) (?P<year>\d{{4}})(?P<clock>{_CLOCK})"),
)
_TIME_SHAPE = re.compile(r"\d[:.]\d\d")
_LONGEST_TIME = 60  # characters
_MOST_WORDS = 6  # in a time: month, "at", and how some languages say them
_THREAD_MARKUP = re.compile(r'>\s*Participants: |class="(?:[^"]* )?_a(?:6-g|706)[" ]')
_BLOCKS = frozenset({"div", "p", "li", "ul", "h1", "h2", "h3", "td", "tr", "body", "section"})
_LONGEST_TITLE = 200  # characters
_DEEPEST = 20  # open lists
_MOST_GUESSES = 20  # lines in a row that look like times and are not
_MOST_FILES = 1_000  # in a message
_LONGEST_MESSAGE = 1 << 20  # characters


def recognises_thread_page(sample: Sample) -> bool:
    """Return whether a page looks like a thread, and has a time as threads have them."""
    text = sample.text
    if not text.lstrip()[:200].casefold().startswith(("<html", "<!doctype html")):
        return False
    if not _THREAD_MARKUP.search(text):
        return False
    lines = (unescape(match[1]) for match in re.finditer(r">\s*([^<>\n]{10,60}?)\s*<", text))
    likely = islice(filter(_is_only_a_time, lines), _MOST_GUESSES)
    return any(map(parse_thread_time, likely))


def thread_page_turns(document: Document, options: ParseOptions, chat: str) -> Iterator[ChatTurn]:
    """Yield the messages of a page as turns.

    Args:
        document: the page.
        options: the zone of the page's times, and the person's names.
        chat: the key of the thread, and its title where the page has none.
    """
    title, keys, clock = "", MessageKeys(), WallClock(options.timezone)
    page = _Page()
    for lines, files in page.messages(parse_html(document)):
        title = title or page.title or chat
        speaker, *text_lines = lines[:-1] or [""]
        naive = parse_thread_time(lines[-1])
        sent_at, precision = clock.read(naive)
        kind, text = text_with_files("\n".join(text_lines), files if not text_lines else [])
        document.counter.see_parts([text] if speaker or text else [])
        if not files and is_chat_notice(text, speaker):
            kind = Kind.SERVICE
        if speaker or text:
            key = keys.next_key(naive, text, *files)
            is_notice = kind is Kind.SERVICE
            role = Role.SYSTEM if is_notice else sender_role(options, speaker)
            turn = Turn(key, role, text, speaker or None, sent_at, precision, kind)
            yield ChatTurn(chat, title, turn)


class _Page:
    """A reader of one page."""

    def __init__(self) -> None:
        self.title = ""
        self._lines: list[str] = []
        self._files: list[str] = []
        self._line: list[str] = []
        self._size = 0  # characters of the message
        self._guesses = 0  # lines since the last time that could have been one, and were not

    def messages(
        self, stream: Iterator[StartTag | EndTag | str]
    ) -> Iterator[tuple[list[str], list[str]]]:
        """Yield the lines and the files of each message; its last line is its time."""
        inside: list[str] = []  # open elements of the title and of reactions
        for token in stream:
            if isinstance(token, str):
                self._add_text(token, inside)
                continue
            if token.tag in ("title", "ul"):
                if isinstance(token, StartTag):
                    inside[_DEEPEST:] = [token.tag]
                elif inside:
                    inside.pop()
            if isinstance(token, StartTag) and token.tag in ("img", "video", "audio"):
                self._files[_MOST_FILES:] = [token.attributes.get("src", "").rpartition("/")[2]]
            if token.tag == "br" and isinstance(token, StartTag):
                self._line.append("\n")
            elif token.tag in _BLOCKS and self._end_line():
                yield self._lines, self._files
                self._lines, self._files, self._size = [], [], 0

    def _add_text(self, text: str, inside: list[str]) -> None:
        if "title" in inside:
            self.title = (self.title + text[:_LONGEST_TITLE]).strip()[:_LONGEST_TITLE]
        elif "ul" not in inside and self._size < _LONGEST_MESSAGE:
            self._line.append(text)
            self._size += len(text)

    def _end_line(self) -> bool:
        """Add a line to the message; return whether it is a time, which ends the message."""
        line = "".join(self._line).strip()
        self._line = []
        if not line:
            return False
        if line.startswith("Participants: "):
            self._lines, self._files = [], []
            return False
        self._lines.append(line)
        moment = parse_thread_time(line, any_language=self._guesses < _MOST_GUESSES)
        self._guesses = 0 if moment else self._guesses + _is_only_a_time(line)
        return moment is not None


def _is_only_a_time(line: str) -> bool:
    """Return whether a line has the numbers of a time and hardly any other words."""
    if len(line) >= _LONGEST_TIME or not _TIME_SHAPE.search(line):
        return False
    words = re.findall(r"[^\W\d_]+", line)
    return 0 < len(words) <= _MOST_WORDS and len(re.findall(r"\d+", line)) in (4, 5)


def parse_thread_time(line: str, *, any_language: bool = True) -> datetime | None:
    """Parse a time as these pages write it: "Oct 19, 2019 at 2:37 PM", "19 Oct 2019, 14:37".

    It is written in the language of the account.

    Args:
        line: the whole line.
        any_language: whether to try all languages, and not only English.
    """
    if not 10 <= len(line) < _LONGEST_TIME or not _TIME_SHAPE.search(line):
        return None
    plain = re.sub(r"[\u00a0\u202f]", " ", line)
    match = next(filter(None, (date.fullmatch(plain) for date in _DATES)), None)
    if match is None:
        is_likely = any_language and _is_only_a_time(line)
        return parse_localized_date(line) if is_likely else None
    clock = re.fullmatch(_CLOCK, match["clock"])
    assert clock is not None, "the line has matched with it"
    date = f"{match['year']} {parse_month(match['month'])} {match['day']}"
    time = f"{clock[1]}:{clock[2] or '00'}"
    try:
        if clock[3]:
            return datetime.strptime(f"{date} {time} {clock[3]}M", "%Y %m %d %I:%M:%S %p")
        return datetime.strptime(f"{date} {time}", "%Y %m %d %H:%M:%S")
    except ValueError:
        return None
