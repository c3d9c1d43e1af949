"""Perplexity threads that browser extensions save, because Perplexity has no export.

    {"metadata": {...}, "conversations": [{"uuid", "query", "answer", "timestamp"}, ...]}
    {"thread_metadata": {...}, "entries": [{"uuid", "query_str", "blocks": [...]}, ...]}

The second form is the response of the site's own API. A thread is a list of questions with their
answers. Only the questions have times.

Source: `src/providers/perplexity` of nexus-ai-chat-importer.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.building.time_order import SortKey, sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

_WHOLE_ANSWER = "ask_text"  # usage of the block that has the whole answer
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


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    for number, element in enumerate(read_elements(document, ""), start=1):
        where = f"thread {number}"
        if isinstance(element, BrokenValue):
            yield Skipped(where, element.reason)
            continue
        thread = mapping(element)
        entries = sort_by_time(_entries(thread), _sort_key)
        if turns := _turns(entries, document.counter):
            yield _conversation(thread, entries, turns)
        else:
            yield Skipped(where, "has nothing to import", lost=False)


def _conversation(thread: Row, entries: list[Row], turns: list[Turn]) -> Conversation:
    metadata = mapping(thread.get("metadata")) or mapping(thread.get("thread_metadata"))
    first = entries[0]
    key = string(metadata.get("thread_id")) or next(
        (uuid for entry in entries if (uuid := string(entry.get("context_uuid")))), ""
    )
    slug = string(metadata.get("thread_url")) or string(first.get("thread_url_slug"))
    titles = (metadata.get("thread_title"), metadata.get("title"), first.get("thread_title"))
    return Conversation(
        FORMAT.name,
        key or slug or turns[0].key,
        next(filter(None, map(string, titles)), "") or title_from(turns),
        tuple(turns),
        updated_at=parse_timestamp(metadata.get("thread_updated_at"))
        or parse_timestamp(metadata.get("updated_at")),
    )


def _sort_key(entry: Row) -> SortKey | None:
    asked_at = _time(entry)
    return (asked_at, string(entry.get("uuid"))) if asked_at else None


def _time(entry: Row) -> datetime | None:
    return next(filter(None, (parse_timestamp(entry.get(name)) for name in _TIMES)), None)


def _turns(entries: list[Row], counter: MessageCounter) -> list[Turn]:
    """Return questions and answers; an answer has the time of its question, as inherited."""
    keys, turns = MessageKeys(), list[Turn]()
    for entry in entries:
        asked_at = _time(entry)
        question = string(entry.get("query_str")) or string(entry.get("query"))
        answer = _answer(entry)
        key = string(entry.get("uuid")) or string(entry.get("backend_uuid"))
        key = key or keys.next_key(asked_at, question, answer)
        blocks = text_block(Role.USER, question)
        blocks += [media_block(Role.USER, path) for path in sequence(entry.get("attachments"))]
        answers = answer_blocks(answer)
        count_message(counter, [*blocks, *answers])
        turns += linear_turns(key, blocks, asked_at)
        for turn in linear_turns(f"{key}#answer", answers, asked_at):
            turns.append(replace(turn, clock=Clock.INHERITED if asked_at else Clock.NONE))
    return with_inherited_times(turns)


def _answer(entry: Row) -> str:
    """Return the answer; if it comes in several blocks, one of them may have the whole answer."""
    parts: list[str] = []
    for block in map(mapping, sequence(entry.get("blocks"))):
        markdown = mapping(block.get("markdown_block"))
        text = string(markdown.get("answer"))
        text = text if text.strip() else "".join(map(string, sequence(markdown.get("chunks"))))
        if block.get("intended_usage") == _WHOLE_ANSWER and text.strip():
            return text.strip()
        if text.strip() and text.strip() not in parts:
            parts.append(text.strip())
    return "\n\n".join(parts) or string(entry.get("answer")).strip()


FORMAT = Format(name="perplexity", recognises=_recognises, parse=_parse)
