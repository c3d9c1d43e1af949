"""Conversations of Poe, which has no export of everything: one file for each conversation.

Bots of the site, such as `@export-chat` and `@savechats`, write Markdown. Each message is a name,
`User` or that of the bot, and a text; a line of three hyphens stands between messages.

    User:

    Why is the sky blue?

    ---

    GPT-5.5:

    Because of its air.

Open programs save JSON: the data of a shared page, with `chatShare`, or a conversation beside an
`exportMeta` that names Poe.

Source: `poe-export-tools` and `poe-chat-exporter`, which read and write these files.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)

LARGEST_TRANSCRIPT = 64 << 20  # characters

_PERSON = "User"
_LABEL = re.compile(r"(?!#|\s)([^:\n`*|]{1,120}):[ \t]*")
_RULE = re.compile(r"---[ \t]*")
_HEAD_LINES = 400

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return bool(_messages(mapping(sample.json))) or _is_transcript(
        sample_lines(sample, _HEAD_LINES)
    )


def _is_transcript(head: list[str]) -> bool:
    """Return whether a text begins with a name, and another one follows a line of hyphens."""
    content = [line for line in head if line.strip()]
    labels = [
        match[1]
        for before, line in zip(["---", *content], content, strict=False)
        if _RULE.fullmatch(before) and (match := _LABEL.fullmatch(line))
    ]
    is_first = bool(content) and _LABEL.fullmatch(content[0]) is not None
    return is_first and _PERSON in labels and len(set(labels)) > 1


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        is_json = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    if not is_json:
        yield from _parse_transcript(document)
        return
    for value in read_elements(document, ""):
        if isinstance(value, BrokenValue):
            yield Skipped("the conversation", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
        else:
            yield _conversation(document, mapping(value))


def _share(top: Row) -> Row:
    """Return the object of a shared conversation in the data of a page; else an empty one."""
    for name in ("props", "pageProps", "data", "mainQuery"):
        top = mapping(top.get(name)) or top
    return mapping(top.get("chatShare"))


def _is_saved(top: Row) -> bool:
    return string(mapping(top.get("exportMeta")).get("platform")).casefold().startswith("poe")


def _messages(top: Row) -> list[Row]:
    share = _share(top)
    edges = sequence(mapping(share.get("messagesConnection")).get("edges"))
    if edges:
        return [mapping(mapping(edge).get("node")) for edge in edges]
    if share:
        return [mapping(message) for message in sequence(share.get("messages"))]
    saved = mapping(top.get("conversation")) if _is_saved(top) else {}
    return [mapping(message) for message in sequence(saved.get("messages"))]


def _conversation(document: Document, top: Row) -> ParsedItem:
    keys, turns = MessageKeys(), list[Turn]()
    for message in _messages(top):
        sent_at = parse_timestamp(_seconds(message.get("creationTime"))) or parse_timestamp(
            message.get("date")
        )
        blocks = _blocks(message)
        count_message(document.counter, blocks)
        content = [part for block in blocks for part in (block.role, block.text)]
        key = string(message.get("messageId")) or keys.next_key(sent_at, *content)
        turns += linear_turns(key, blocks, sent_at)
    about = _share(top) or mapping(top.get("conversation"))
    names = (string(about.get(name)) for name in ("shareCode", "chatCode", "id"))
    key = next(filter(None, names), PurePath(document.name).stem)
    if not turns:
        return Skipped(f"conversation {key}", "has nothing to import", lost=False)
    title = string(about.get("title")) or title_from(turns)
    return Conversation(FORMAT.name, key, title, tuple(with_inherited_times(turns)))


def _seconds(value: object) -> object:
    """Return a time in microseconds, as Poe writes it, in seconds; others unchanged."""
    return value / 1e6 if isinstance(value, int) and value > 1e14 else value


def _blocks(message: Row) -> list[Block]:
    author = string(message.get("author")) or string(message.get("role"))
    role = Role.USER if author in ("human", "user") else Role.ASSISTANT
    blocks = text_block(role, string(message.get("text")) or string(message.get("content")))
    for file in map(mapping, sequence(message.get("attachments"))):
        path = string(file.get("url")).partition("?")[0]
        blocks.append(media_block(role, string(file.get("name")) or path))
    return blocks


def _parse_transcript(document: Document) -> Iterator[ParsedItem]:
    stem = PurePath(document.name).stem
    keys, turns, size = MessageKeys(), list[Turn](), 0
    name, body = "", list[str]()
    waiting: list[str] = []  # a line of hyphens and the blank lines after it

    def finish() -> None:
        role = Role.USER if name == _PERSON else Role.ASSISTANT
        text = "\n".join(body).strip()
        blocks = answer_blocks(text) if role is Role.ASSISTANT else text_block(role, text)
        if name:
            count_message(document.counter, blocks)
        turns.extend(linear_turns(keys.next_key(name, text), blocks, None))

    for number, line in enumerate(read_lines(document), start=1):
        if line is None:
            yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            continue
        size += len(line)
        if size > LARGEST_TRANSCRIPT:
            yield Skipped(f"line {number:,} and all after it", "the transcript is too long")
            break
        label = _LABEL.fullmatch(line.rstrip("\r"))
        if label and (waiting or not name):
            finish()
            name, body, waiting = label[1], [], []
        elif _RULE.fullmatch(line.rstrip("\r")):
            body += waiting
            waiting = [line]
        elif waiting and not line.strip():
            waiting.append(line)
        else:
            body += [*waiting, line]
            waiting = []
    body += [line for line in waiting if line.strip("- \r")]
    finish()
    if turns:
        yield Conversation(FORMAT.name, stem, title_from(turns), tuple(turns))
    else:
        yield Skipped(stem, "has nothing to import", lost=False)


FORMAT = Format(name="poe", recognises=_recognises, parse=_parse)
