"""Perplexity threads, as browser extensions save them: there is no export by Perplexity itself.

    {"metadata": {...}, "conversations": [{"uuid", "query", "answer", "timestamp"}, ...]}
    {"thread_metadata": {...}, "entries": [{"uuid", "query_str", "blocks": [...]}, ...]}

the second being what the site's own interface answers. A thread is a line of questions, each with
its answer. Only the question has a time.

Source: `src/providers/perplexity` of nexus-ai-chat-importer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.formats.building.blocks import linear_turns, media_block, text_block, title_from
from memcli.formats.building.branches import NO_TIME
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_WHOLE = "ask_text"  # what the block is for that has all of the answer
_TIMES = ("entry_created_datetime", "timestamp", "entry_updated_datetime", "updated_datetime")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    top = sample.json
    threads = top if isinstance(top, list) else [top]
    return any(_is_entry(entry) for thread in threads for entry in _entries(mapping(thread)))


def _is_entry(entry: Row) -> bool:
    if "query_str" in entry:
        return isinstance(entry.get("blocks"), list)
    return {"query", "answer", "uuid"} <= entry.keys()


def _entries(thread: Row) -> list[Row]:
    rows = thread.get("entries")
    if rows is None and isinstance(thread.get("metadata"), dict):
        rows = thread.get("conversations")
    return [mapping(row) for row in sequence(rows)]


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    for number, element in enumerate(elements(document, ""), start=1):
        where = f"thread {number}"
        if isinstance(element, Broken):
            yield Skipped(where, element.why)
            continue
        thread = mapping(element)
        entries = _in_order(thread)
        if turns := _turns(entries):
            yield _conversation(thread, entries, turns)
        else:
            yield Skipped(where, "has nothing to import", lost=False)


def _conversation(thread: Row, entries: list[Row], turns: list[Turn]) -> Conversation:
    about = mapping(thread.get("metadata")) or mapping(thread.get("thread_metadata"))
    first = entries[0]
    key = string(about.get("thread_id")) or next(
        (own for row in entries if (own := string(row.get("context_uuid")))), ""
    )
    slug = string(about.get("thread_url")) or string(first.get("thread_url_slug"))
    titles = (about.get("thread_title"), about.get("title"), first.get("thread_title"))
    return Conversation(
        FORMAT.name,
        key or slug or turns[0].key,
        next(filter(None, map(string, titles)), "") or title_from(turns),
        tuple(turns),
        updated_at=instant(about.get("thread_updated_at")) or instant(about.get("updated_at")),
    )


def _in_order(thread: Row) -> list[Row]:
    """Return the entries by time; one without a time follows the one before it in the file."""
    placed = []
    place: tuple[datetime, str, int] = (NO_TIME, "", 0)
    for entry in _entries(thread):
        if (asked_at := _time(entry)) is not None:
            place = (asked_at, string(entry.get("uuid")), 0)
        else:
            place = (*place[:2], place[2] + 1)
        placed.append((place, entry))
    placed.sort(key=lambda pair: pair[0])
    return [entry for _, entry in placed]


def _time(entry: Row) -> datetime | None:
    return next(filter(None, (instant(entry.get(name)) for name in _TIMES)), None)


def _turns(entries: list[Row]) -> list[Turn]:
    """Return questions and answers; an answer has the time of its question, as inherited."""
    keys, turns = Keys(), list[Turn]()
    for entry in entries:
        asked_at = _time(entry)
        question = string(entry.get("query_str")) or string(entry.get("query"))
        answer = _answer(entry)
        own = string(entry.get("uuid")) or string(entry.get("backend_uuid"))
        own = own or keys.key(asked_at, question, answer)
        asked = text_block(Role.USER, question)
        asked += [media_block(Role.USER, path) for path in sequence(entry.get("attachments"))]
        turns += linear_turns(own, asked, asked_at)
        for turn in linear_turns(f"{own}#answer", text_block(Role.ASSISTANT, answer), asked_at):
            turns.append(replace(turn, clock=Clock.INHERITED if asked_at else Clock.NONE))
    return with_inherited_times(turns)


def _answer(entry: Row) -> str:
    """Return the answer; where it comes in several blocks, one of them may have all of it."""
    parts: list[str] = []
    for block in map(mapping, sequence(entry.get("blocks"))):
        markdown = mapping(block.get("markdown_block"))
        text = string(markdown.get("answer"))
        text = text if text.strip() else "".join(map(string, sequence(markdown.get("chunks"))))
        if block.get("intended_usage") == _WHOLE and text.strip():
            return text.strip()
        if text.strip() and text.strip() not in parts:
            parts.append(text.strip())
    return "\n\n".join(parts) or string(entry.get("answer")).strip()


FORMAT = Format(name="perplexity", title="Perplexity thread", recognises=_recognises, parse=_parse)
