"""Prompts to Gemini in Google Takeout: `My Activity/Gemini Apps/MyActivity.json` or `.html`.

A row is a prompt with its time, and with the answer as HTML if it was kept; the newest row is the
first. Rows of newer exports name their thread, others are one endless chat. Words around the prompt
are in the person's language, and rows have no type: a row with an answer is a prompt, and a row
without one is a prompt only if it begins with the words that prompts of the file begin with. In
HTML the time is written in the person's language, between the prompt and the answer.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.assistants.gemini_phrases import PromptPhrases, is_other_row, key_text
from memcli.formats.assistants.gemini_times import parse_row_time
from memcli.formats.building.blocks import part_label
from memcli.formats.building.long_chats import ChatTurn, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import EndTag, StartTag, is_html, parse_html
from memcli.formats.parsing.html_text import HtmlTextBuilder, html_to_text
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
)
from memcli.lazy_dataclasses import dataclass

TITLE = "Gemini"  # the title of all chats, because threads have none

_FILE_KEYS = ("attachedFiles", "imageFile", "audioFiles")
_ROWS_FOR_PHRASES = 1_000  # rows at the start of a file, by which phrases are found
_PRODUCTS = ("gemini", "bard")
_CELL_CLASSES = {"header-cell", "content-cell"}
_CAPTION_CLASS = "mdl-typography--caption"  # of the cell that says why a row is there
_THREAD = re.compile(r"https?://gemini\.google\.com/app/(?:c/)?([\w-]+)")
_GEMINI_CELL = re.compile(r"header-cell[^>]*>\s*(?:<p[^>]*>)?[^<]*(?:Gemini|Bard)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: a title with the prompt, and an answer."""

    title: str  # "" if the row is of another product
    answer: str
    sent_at: datetime | None
    clock: Clock
    time_text: str  # the time as it is written in the file
    thread: str = ""
    files: tuple[str, ...] = ()


def _recognises(sample: Sample) -> bool:
    if sample.text.lstrip().startswith("<"):
        return "content-cell" in sample.text and bool(_GEMINI_CELL.search(sample.text))
    return any(
        isinstance(row.get("title"), str) and "time" in row and _is_gemini(row)
        for row in sample.elements
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    rows = _html_rows(document, options) if is_html(document) else _json_rows(document)
    return split_chats(FORMAT.name, _chat_turns(rows, document.counter))


def _chat_turns(
    rows: Iterator[_Row | Skipped], counter: MessageCounter
) -> Iterator[ChatTurn | Skipped]:
    """Yield each prompt, and its answer one millisecond later."""
    head, error = list[_Row | Skipped](), None
    try:
        head.extend(islice(rows, _ROWS_FOR_PHRASES))
    except InputError as raised:
        error = raised
    titles = [(row.title, bool(row.answer)) for row in head if isinstance(row, _Row) and row.title]
    phrases, keys, last, others = PromptPhrases(titles), MessageKeys(), None, 0
    for row in chain(head, () if error else rows):
        if isinstance(row, Skipped):
            yield row
            continue
        clock = row.clock
        if row.sent_at:
            last = row.sent_at
        elif last:  # the row follows the answer of the row before it
            last, clock = last + timedelta(milliseconds=2), Clock.INHERITED
        prompt = phrases.prompt(row.title, answered=bool(row.answer))
        if row.title and prompt is not None:
            turns = list(_row_turns(row, prompt, last, clock, keys))
            counter.see(len(turns))
            yield from turns
        elif row.title:
            counter.see_parts([], Omission.BOOKKEEPING)
            others += not is_other_row(row.title)
    if others:
        yield Skipped(f"{others} rows", "have no answer, and begin unlike prompts", lost=False)
    if error:
        raise error


def _row_turns(
    row: _Row, prompt: str, sent_at: datetime | None, clock: Clock, keys: MessageKeys
) -> Iterator[ChatTurn]:
    # The key has whole seconds, so that it is the same in HTML, which has no fractions.
    time = int(row.sent_at.timestamp()) if row.sent_at else row.time_text
    key = keys.next_key(time, key_text(row.title, prompt))
    kind, text = text_with_files(prompt, row.files)
    if not text:
        kind, text = Kind.MEDIA, part_label("prompt")
    chat = row.thread or "activity"
    yield ChatTurn(chat, TITLE, Turn(key, Role.USER, text, None, sent_at, clock, kind))
    if row.answer.strip():
        answer = Turn(
            key=f"{key}#answer",
            role=Role.ASSISTANT,
            text=row.answer,
            sent_at=sent_at + timedelta(milliseconds=1) if sent_at else None,
            clock=Clock.INHERITED if sent_at else Clock.NONE,
            parent=key,
        )
        yield ChatTurn(chat, TITLE, answer)


def _is_gemini(row: Mapping[str, Any]) -> bool:
    names = [row.get("header"), *sequence(row.get("products"))]
    return any(product in string(name).casefold() for name in names for product in _PRODUCTS)


def _json_rows(document: Document) -> Iterator[_Row | Skipped]:
    for number, value in enumerate(read_elements(document), start=1):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"row {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        answer = ""
        try:
            items = map(mapping, sequence(row.get("safeHtmlItem")))
            answer = "\n".join(
                filter(None, (html_to_text(string(item.get("html"))) for item in items))
            )
        except InputError as error:
            yield Skipped(f"answer of row {number}", str(error))
        sent_at = parse_timestamp(row.get("time"))
        thread = _THREAD.match(string(row.get("titleUrl")))
        files = [file for name in _FILE_KEYS for file in _as_list(row.get(name))]
        names = (string(mapping(file).get("name")) or string(file) for file in files)
        yield _Row(
            title=string(row.get("title")) if _is_gemini(row) else "",
            answer=answer,
            sent_at=sent_at,
            clock=Clock.EXACT if sent_at else Clock.NONE,
            time_text=string(row.get("time")),
            thread=thread[1] if thread else "",
            files=tuple(filter(None, names)),
        )


def _as_list(value: object) -> list[object]:
    return sequence(value) if isinstance(value, list) else [value]


def _html_rows(document: Document, options: ParseOptions) -> Iterator[_Row | Skipped]:
    lost = unknown = 0
    for header, *contents in _cells(document):
        if any(name in " ".join(header).casefold() for name in _PRODUCTS):
            row = _html_row(header, contents, options)
            if row is not None:
                unknown += row.clock is Clock.NONE
                yield row
            elif any(contents):
                lost += 1
    if unknown:
        why = "are in an unknown form: export as JSON instead"
        yield Skipped(f"times of {unknown} rows", why, lost=False)
    if lost:
        yield Skipped(f"{lost} rows", "have no time in a known form: export as JSON instead")


def _html_row(header: list[str], contents: list[list[str]], options: ParseOptions) -> _Row | None:
    """Parse one row; return None if it has no time in a known form.

    The time is between prompt and answer, or else in the header.
    """
    content = contents[0] if contents else []
    for lines in (content, header):
        for number, line in enumerate(lines):
            if (time := parse_row_time(line, options)) is not None and (number or lines is header):
                split = number if lines is content else len(content)
                rest = content[split + 1 :] if lines is content else []
                answer = "\n".join([*rest, *(line for cell in contents[1:] for line in cell)])
                sent_at, clock = time
                return _Row("\n".join(content[:split]), answer, sent_at, clock, time_text=line)
    return None


def _cells(document: Document) -> Iterator[list[list[str]]]:
    """Yield the lines of each cell of each row; the header is the first cell.

    Raises:
        InputError: the file ends inside a row, or is not HTML.
    """
    row: list[list[str]] = []
    cell: HtmlTextBuilder | None = None
    is_caption = False
    depth = cell_depth = 0  # open divisions inside a row, and those around its cell
    for token in parse_html(document):
        if isinstance(token, StartTag) and token.tag == "div":
            depth += bool(depth or "outer-cell" in token.classes)
            if depth and cell is None and token.classes & _CELL_CLASSES:
                cell, cell_depth = HtmlTextBuilder(), depth
                is_caption = _CAPTION_CLASS in token.classes
        if cell is not None:
            cell.add(token)
        if isinstance(token, EndTag) and token.tag == "div" and depth:
            if cell is not None and depth == cell_depth:
                row += [] if is_caption else [cell.lines()]
                cell = None
            depth -= 1
            if not depth and row:
                yield row
                row = []
    if depth:
        raise InputError(f"{document.name} ends in the middle")


FORMAT = Format(name="gemini_takeout", recognises=_recognises, parse=_parse)
