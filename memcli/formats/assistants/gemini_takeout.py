"""Google Takeout of what was asked of Gemini: `My Activity/Gemini Apps/MyActivity.json` or `.html`.

A row is a prompt, with its time, and with the answer as HTML if it was kept; newest first. Rows of
newer exports name their thread, others are one endless chat. Words around the prompt are in the
person's language, and there is no type of row: what has an answer is a prompt, and without one
only what begins in a known way. In HTML the time is written out; only English ones are read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from memcli.domain import Clock, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import Said, in_pieces
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import End, Start, tokens
from memcli.formats.parsing.html_text import Text, text_of
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import Keys, instant, mapping, sequence, string, wall_clock

TITLE = "Gemini"  # threads have none

_PROMPTED = ("Prompted ", "Eingegebener Prompt: ", "送信したメッセージ: ")
_NO_PROMPT = ("Gave feedback", "Selected preferred draft", "Created Gemini Canvas titled")
_PRODUCTS = ("gemini", "bard")
_CELLS = {"header-cell", "content-cell"}
_THREAD = re.compile(r"https?://gemini\.google\.com/app/(?:c/)?([\w-]+)")
_GEMINI_CELL = re.compile(r"header-cell[^>]*>\s*(?:<p[^>]*>)?[^<]*(?:Gemini|Bard)", re.IGNORECASE)

_STAMP = re.compile(
    r"([A-Z][a-z]{2})[a-z]* (\d{1,2}), (\d{4}), (\d{1,2}:\d{2}:\d{2})(?: ([AP]M))?(?: (\S+))?"
)
_ZONES = (
    "UTC+0 GMT+0 WET+0 BST+1 WEST+1 CET+1 CEST+2 EET+2 EEST+3 MSK+3 SGT+8 JST+9 KST+9 AEST+10"
    " AEDT+11 NZST+12 NZDT+13 EST-5 EDT-4 CST-6 CDT-5 MST-7 MDT-6 PST-8 PDT-7 AKST-9 AKDT-8 HST-10"
)
_HOURS = {zone: int(hours) for zone, hours in re.findall(r"([A-Z]+)([+-]\d+)", _ZONES)}
_OFFSET = re.compile(r"(?:GMT|UTC)([+-]\d{1,2})(?::(\d{2}))?")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: what was asked and answered."""

    prompt: str  # "" where nothing was asked
    answer: str
    sent_at: datetime | None
    clock: Clock
    stamp: str  # the time, as the file has it
    thread: str = ""
    files: tuple[str, ...] = ()


def _recognises(sample: Sample) -> bool:
    if sample.text.lstrip().startswith("<"):
        return "content-cell" in sample.text and bool(_GEMINI_CELL.search(sample.text))
    return any(
        isinstance(row.get("title"), str) and "time" in row and _is_gemini(row)
        for row in sample.elements
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    with document.open() as stream:
        html = stream.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    rows = _html_rows(document, reading) if html else _json_rows(document)
    return in_pieces(FORMAT.name, _said(rows))


def _said(rows: Iterator[_Row | Skipped]) -> Iterator[Said | Skipped]:
    """Yield each prompt, and its answer a moment later."""
    keys, last = Keys(), None
    for row in rows:
        if isinstance(row, Skipped):
            yield row
            continue
        clock = row.clock
        if row.sent_at:
            last = row.sent_at
        elif last:  # after the answer of the row before it
            last, clock = last + timedelta(milliseconds=2), Clock.INHERITED
        if not row.prompt:
            continue
        # Of both kinds of file: HTML has no fractions of seconds.
        place = int(row.sent_at.timestamp()) if row.sent_at else row.stamp
        key = keys.key(place, " ".join(row.prompt.split()))
        text = f"{row.prompt}\n[{', '.join(row.files)}]" if row.files else row.prompt
        chat = row.thread or "activity"
        yield Said(chat, TITLE, Turn(key, Role.USER, text, None, last, clock))
        if row.answer.strip():
            later = last + timedelta(milliseconds=1) if last else None
            clock = Clock.INHERITED if last else Clock.NONE
            told = Turn(f"{key}#answer", Role.ASSISTANT, row.answer, None, later, clock, parent=key)
            yield Said(chat, TITLE, told)


def _is_gemini(row: Mapping[str, Any]) -> bool:
    named = [row.get("header"), *sequence(row.get("products"))]
    return any(product in string(name).casefold() for name in named for product in _PRODUCTS)


def _prompt(title: str, *, answered: bool) -> str:
    """Return what was asked, "" for a row that is no prompt."""
    title = title.replace("\xa0", " ")
    for known in _PROMPTED:
        if title.startswith(known):
            return title.removeprefix(known).strip()
    return title.strip() if answered and not title.startswith(_NO_PROMPT) else ""


def _json_rows(document: Document) -> Iterator[_Row | Skipped]:
    for number, value in enumerate(elements(document), start=1):
        row = mapping(value)
        if isinstance(value, Broken):
            yield Skipped(f"row {number}", value.why)
            continue
        answer = ""
        try:
            items = map(mapping, sequence(row.get("safeHtmlItem")))
            answer = "\n".join(filter(None, (text_of(string(item.get("html"))) for item in items)))
        except InputError as error:
            yield Skipped(f"answer of row {number}", str(error))
        prompt = _prompt(string(row.get("title")), answered=bool(answer))
        stamp, sent_at = string(row.get("time")), instant(row.get("time"))
        clock = Clock.EXACT if sent_at else Clock.NONE
        thread = _THREAD.match(string(row.get("titleUrl")))
        files = sequence(row.get("attachedFiles"))
        names = (string(mapping(file).get("name")) or string(file) for file in files)
        yield _Row(
            *(prompt if _is_gemini(row) else "", answer, sent_at, clock, stamp),
            thread[1] if thread else "",
            tuple(filter(None, names)),
        )


def _html_rows(document: Document, reading: Reading) -> Iterator[_Row | Skipped]:
    unread = 0
    for header, *contents in _cells(document):
        if any(name in " ".join(header).casefold() for name in _PRODUCTS):
            row = _html_row(header, contents, reading)
            if row is not None:
                yield row
            elif any(contents):
                unread += 1
    if unread:
        yield Skipped(f"{unread} rows", "have no time in English: export as JSON instead")


def _html_row(header: list[str], contents: list[list[str]], reading: Reading) -> _Row | None:
    """Read one row; None where it has no time that can be read.

    The time stands between prompt and answer, or else in the header.
    """
    own = contents[0] if contents else []
    for lines in (own, header):
        for at, line in enumerate(lines):
            if stamp := _STAMP.fullmatch(line.replace("\u202f", " ")):
                asked = own[:at] if lines is own else own[:1]
                told = own[at + 1 :] if lines is own else own[1:]
                answer = "\n".join([*told, *(line for cell in contents[1:] for line in cell)])
                prompt = _prompt("\n".join(asked), answered=bool(answer))
                return _Row(prompt, answer, *_time(stamp, reading), line)
    return None


def _time(stamp: re.Match[str], reading: Reading) -> tuple[datetime | None, Clock]:
    month, day, year, clock, half, zone = stamp.groups()
    form = "%b %d %Y %I:%M:%S %p" if half else "%b %d %Y %H:%M:%S"
    try:
        naive = datetime.strptime(f"{month} {day} {year} {clock} {half or ''}".strip(), form)
    except ValueError:
        return None, Clock.NONE
    if not 1990 <= naive.year <= 2100:
        return None, Clock.NONE
    if (offset := _OFFSET.fullmatch(zone or "")) is not None:
        minutes = int(offset[2] or 0) * (-1 if offset[1].startswith("-") else 1)
        shift = timedelta(hours=int(offset[1]), minutes=minutes)
    elif zone in _HOURS:
        shift = timedelta(hours=_HOURS[zone])
    else:
        return wall_clock(naive, reading.timezone), Clock.LOCAL
    if abs(shift) >= timedelta(days=1):
        return None, Clock.NONE
    return instant(naive.replace(tzinfo=timezone(shift)).isoformat()), Clock.EXACT


def _cells(document: Document) -> Iterator[list[list[str]]]:
    """Yield the lines of the cells of each row, its header's first.

    Raises:
        InputError: the file ends inside a row, or is no HTML.
    """
    row: list[list[str]] = []
    cell: Text | None = None
    depth = outer = 0  # of divisions inside a row, and of its cell
    for token in tokens(document):
        if isinstance(token, Start) and token.tag == "div":
            depth += bool(depth or "outer-cell" in token.classes)
            if depth and cell is None and token.classes & _CELLS:
                cell, outer = Text(), depth
        if cell is not None:
            cell.add(token)
        if isinstance(token, End) and token.tag == "div" and depth:
            if cell is not None and depth == outer:
                row.append(cell.lines())
                cell = None
            depth -= 1
            if not depth and row:
                yield row
                row = []
    if depth:
        raise InputError(f"{document.name} ends in the middle")


FORMAT = Format(
    name="gemini_takeout",
    title="Gemini in Google Takeout",
    recognises=_recognises,
    parse=_parse,
)
