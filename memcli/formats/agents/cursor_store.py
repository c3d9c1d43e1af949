"""Chats of Cursor's command-line agent: `~/.cursor/chats/<project>/<agent>/store.db`.

`meta` has one row of JSON in hexadecimal digits, which names the root of a tree of blobs. A blob is
known by the digest of its bytes. The root lists the blobs of the messages in their order, as the
first field of a message of Protocol Buffers; each of those is a message in JSON:

    {"role": "user", "content": [{"type": "text", "text": ...}]}

The transcript of the same chat has the same id and the same keys, so that it is stored once.

Source: databases of 2026 as open programs read them; there is no published schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.agents.cursor_transcripts import prompt_blocks
from memcli.formats.building.blocks import (
    Block,
    block_contents,
    count_message,
    linear_turns,
    media_block,
    plain_text,
    text_block,
    title_from,
    tool_call,
    tool_result,
    unknown_blocks,
)
from memcli.formats.format import ParsedItem
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, parse_or_broken
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.sqlite import Rows, open_database
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_CHILD, _DIGEST_BYTES = b"\x0a\x20", 32  # the first field, with a value of 32 bytes
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}

Row = Mapping[str, Any]


def has_store(sample: Sample) -> bool:
    """Return whether a database holds the chat of an agent."""
    tables = sample.tables
    return tables.get("blobs", set()) >= {"id", "data"} and {"key", "value"} <= tables.get(
        "meta", set()
    )


def parse_store(document: Document, source: str) -> Iterator[ParsedItem]:
    """Yield the conversation of a database."""
    with open_database(document) as query:
        about = _metadata(query)
        turns, keys = list[Turn](), MessageKeys()
        for number, digest in enumerate(_messages(query, about), start=1):
            value = parse_or_broken(_blob(query, digest))
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {number}", value.reason)
                document.counter.see_parts([], Omission.UNREADABLE)
                continue
            blocks = _blocks(mapping(value))
            count_message(document.counter, blocks)
            key = keys.next_key(*block_contents(blocks))
            turns += linear_turns(key, blocks, None)
    key = string(about.get("agentId"))
    if turns:
        title = string(about.get("name")) or title_from(turns)
        started = parse_timestamp(about.get("createdAt"))
        yield Conversation(source, key or turns[0].key, title, tuple(turns), updated_at=started)
    else:
        yield Skipped(f"chat {key}", "has nothing to import", lost=False)


def _metadata(query: Rows) -> Row:
    """Return the object in the table of metadata; newer versions may write it as it is."""
    for (value,) in query("select value from meta"):
        text = value if isinstance(value, str) else bytes(value or b"").decode("utf-8", "replace")
        for written in (_from_digits(text), text):
            found = mapping(parse_or_broken(written))
            if "latestRootBlobId" in found or "agentId" in found:
                return found
    return {}


def _from_digits(text: str) -> str:
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        return ""


def _messages(query: Rows, about: Row) -> Iterator[str]:
    """Yield the digests of the messages that the root lists."""
    root = _blob(query, string(about.get("latestRootBlobId")))
    at = 0
    while root.startswith(_CHILD, at):
        at += len(_CHILD)
        yield root[at : at + _DIGEST_BYTES].hex()
        at += _DIGEST_BYTES


def _blob(query: Rows, digest: str) -> bytes:
    blobs = [data for (data,) in query("select data from blobs where id = ?", digest)]
    return bytes(blobs[0]) if blobs and isinstance(blobs[0], bytes) else b""


def _blocks(message: Row) -> list[Block]:
    role, content = _ROLES.get(string(message.get("role"))), message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    blocks: list[Block] = []
    for part in map(mapping, parts):
        blocks += _part_blocks(role, part)
    return blocks


def _part_blocks(role: Role | None, part: Row) -> list[Block]:
    kind, text = string(part.get("type")), string(part.get("text"))
    if kind == "tool-call":
        return [tool_call(part.get("toolName"), part.get("args", part.get("input")))]
    if kind == "tool-result":
        return tool_result(part.get("result", part.get("output")))
    if role is None:
        return text_block(
            Role.SYSTEM, text or plain_text(sequence(part.get("content"))), Kind.CONTEXT
        )
    if kind == "reasoning":
        return text_block(role, text, Kind.THOUGHT)
    if kind in ("image", "file"):
        return [media_block(role, part.get("filename"))]
    if kind == "text":
        return prompt_blocks(text) if role is Role.USER else text_block(role, text)
    return unknown_blocks(role, part)
