"""Messenger and Instagram threads as HTML.

Classes are obfuscated and change, so a message is told by its order alone: who, what, when.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from memcli.domain import Turn
from memcli.formats.building.long_chats import Said, WallClock, person, with_files
from memcli.formats.format import Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import End, Start, tokens
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import Keys

_CLOCK = r"(?:,| at)? (\d{1,2}:\d\d)(?::(\d\d))?(?:\s?([AaPp])\.?[Mm]\.?)?"
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATES = (
    re.compile(rf"(?P<month>{_MONTH}) (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})(?P<clock>{_CLOCK})"),
    re.compile(rf"(?P<day>\d{{1,2}}) (?P<month>{_MONTH}) (?P<year>\d{{4}})(?P<clock>{_CLOCK})"),
)
_OWN = re.compile(r'>\s*Participants: |class="(?:[^"]* )?_a(?:6-g|706)[" ]')
_BLOCKS = frozenset({"div", "p", "li", "ul", "h1", "h2", "h3", "td", "tr", "body", "section"})
_LONGEST_TITLE = 200  # characters
_DEEPEST = 20  # lists inside each other
_MOST_FILES = 1_000  # of a message
_LONGEST_MESSAGE = 1 << 20  # characters


def recognises(sample: Sample) -> bool:
    """Tell whether a page looks like a thread, and has a time as threads have them."""
    text = sample.text
    if not text.lstrip()[:200].casefold().startswith(("<html", "<!doctype html")):
        return False
    return bool(_OWN.search(text)) and any(
        re.search(rf">\s*{date.pattern}\s*<", text) for date in _DATES
    )


def messages(document: Document, reading: Reading, chat: str) -> Iterator[Said]:
    """Yield the messages of a page."""
    title, keys, clock = "", Keys(), WallClock(reading.timezone)
    page = _Page()
    for lines, files in page.groups(tokens(document)):
        title = title or page.title or chat
        speaker, *said = lines[:-1] or [""]
        naive = moment(lines[-1])
        sent_at, trust = clock.read(naive)
        kind, text = with_files("\n".join(said), files if not said else [])
        if speaker or text:
            key = keys.key(naive, text, *files)
            role = person(reading, speaker)
            turn = Turn(key, role, text, speaker or None, sent_at, trust, kind)
            yield Said(chat, title, turn)


class _Page:
    """The lines of a page, a group a message; the last line of each is its time."""

    def __init__(self) -> None:
        self.title = ""
        self._lines: list[str] = []
        self._files: list[str] = []
        self._words: list[str] = []
        self._size = 0

    def groups(self, found: Iterator[Start | End | str]) -> Iterator[tuple[list[str], list[str]]]:
        inside: list[str] = []  # title or reactions
        for token in found:
            if isinstance(token, str):
                self._text(token, inside)
                continue
            if token.tag in ("title", "ul"):
                if isinstance(token, Start):
                    inside[_DEEPEST:] = [token.tag]
                elif inside:
                    inside.pop()
            if isinstance(token, Start) and token.tag in ("img", "video", "audio"):
                self._files[_MOST_FILES:] = [token.attributes.get("src", "").rpartition("/")[2]]
            if token.tag == "br" and isinstance(token, Start):
                self._words.append("\n")
            elif token.tag in _BLOCKS and self._line_ended():
                yield self._lines, self._files
                self._lines, self._files, self._size = [], [], 0

    def _text(self, text: str, inside: list[str]) -> None:
        if "title" in inside:
            self.title = (self.title + text[:_LONGEST_TITLE]).strip()[:_LONGEST_TITLE]
        elif "ul" not in inside and self._size < _LONGEST_MESSAGE:
            self._words.append(text)
            self._size += len(text)

    def _line_ended(self) -> bool:
        """Take in a line; tell whether it is a time, which ends a message."""
        line = "".join(self._words).strip()
        self._words = []
        if not line:
            return False
        if line.startswith("Participants: "):
            self._lines, self._files = [], []
            return False
        self._lines.append(line)
        return moment(line) is not None


def moment(line: str) -> datetime | None:
    """Read a time as these pages write it: "Oct 19, 2019 at 2:37 PM", "19 Oct 2019, 14:37"."""
    plain = re.sub(r"[\u00a0\u202f]", " ", line) if len(line) < 60 else ""
    match = next(filter(None, (date.fullmatch(plain) for date in _DATES)), None)
    if match is None:
        return None
    clock = re.fullmatch(_CLOCK, match["clock"])
    assert clock is not None, "it is part of what matched"
    half = f" {clock[3].upper()}M" if clock[3] else ""
    written = (
        f"{match['day']} {match['month'][:3]} {match['year']} {clock[1]}:{clock[2] or '00'}{half}"
    )
    try:
        return datetime.strptime(
            written, f"%d %b %Y {'%I' if half else '%H'}:%M:%S{' %p' if half else ''}"
        )
    except ValueError:
        return None


__all__ = ["messages", "moment", "recognises"]
