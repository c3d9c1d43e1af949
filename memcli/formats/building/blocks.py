"""Messages made of blocks: words, thoughts, tools and their results, in the order they came.

Assistants and coding agents write one message as several blocks. Each becomes a turn of its own,
so that what was said is told from what was done.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from memcli.domain import Clock, Kind, Role, Turn
from memcli.formats.building.branches import Node
from memcli.formats.parsing.values import mapping, string

TITLE_LENGTH = 80  # characters of the first prompt, where a conversation has no title


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a message."""

    role: Role
    text: str  # "" only of MEDIA without a name
    kind: Kind = Kind.TEXT


def keyed(key: str, blocks: Iterable[Block]) -> list[tuple[str, Block]]:
    """Return the blocks of a message with the keys of their turns.

    The first words have the message's own key, whatever was thought or done before them; other
    blocks have it with their kind and their number among those of that kind.
    """
    seen: Counter[Kind] = Counter()
    found = []
    for block in blocks:
        seen[block.kind] += 1
        first = block.kind is Kind.TEXT and seen[block.kind] == 1
        found.append((key if first else f"{key}#{block.kind}{seen[block.kind]}", block))
    return found


def chain(
    name: str, key: str, parent: str, blocks: Iterable[Block], sent_at: datetime | None
) -> dict[str, Node]:
    """Return a message of a tree as nodes that follow each other; the last has its name.

    A message without blocks is a node without words, which keeps its place.
    """
    pairs = keyed(key, blocks)
    if not pairs:
        return {name: Node(key, parent, None, "", sent_at)}
    nodes: dict[str, Node] = {}
    for number, (own, block) in enumerate(pairs, start=1):
        here = name if number == len(pairs) else f"{name}#{number}"
        nodes[here] = Node(own, parent, block.role, block.text, sent_at, kind=block.kind)
        parent = here
    return nodes


def line(key: str, blocks: Iterable[Block], sent_at: datetime | None) -> list[Turn]:
    """Return a message of a conversation without branches as turns."""
    clock = Clock.EXACT if sent_at else Clock.NONE
    return [
        Turn(own, block.role, block.text, None, sent_at, clock, block.kind)
        for own, block in keyed(key, blocks)
    ]


def title_from(turns: Iterable[Turn]) -> str:
    """Return the beginning of the first prompt."""
    prompts = (turn.text for turn in turns if turn.role is Role.USER and turn.searched)
    return " ".join(next(prompts, "")[: 8 * TITLE_LENGTH].split())[:TITLE_LENGTH]


def called(name: object, arguments: object) -> Block:
    """Return a call of a tool."""
    told = arguments if isinstance(arguments, str) else _json(arguments)
    return Block(Role.ASSISTANT, f"{string(name)} {told}".strip(), Kind.TOOL)


def answered(result: object) -> list[Block]:
    """Return what a tool answered, if it did."""
    text = plain(result)
    return [Block(Role.TOOL, text, Kind.TOOL)] if text.strip() else []


def said(role: Role, text: str, kind: Kind = Kind.TEXT) -> list[Block]:
    """Return words as a block, if there are any."""
    return [Block(role, text, kind)] if text.strip() else []


def media(role: Role, path: object = "") -> Block:
    """Return a picture or a file, by its name."""
    name = string(path)
    inline = name.startswith("data:")
    return Block(role, "" if inline else PurePath(name.replace("\\", "/")).name, Kind.MEDIA)


def plain(content: object) -> str:
    """Return the text of what may be a text, an object with one, or a list of either."""
    if isinstance(content, list):
        return "\n".join(filter(None, map(plain, content)))
    if isinstance(content, dict):
        for name in ("text", "content", "output"):
            if name in content:
                return plain(content[name])
        return _json(content)
    return string(content)


def anthropic(role: Role, content: object) -> list[Block]:
    """Return the blocks of a message as Anthropic's interface writes them, and its imitators."""
    if not isinstance(content, list):
        return said(role, string(content))
    found: list[Block] = []
    for part in content:
        found += (
            _anthropic_block(role, part) if isinstance(part, dict) else said(role, string(part))
        )
    return found


def _anthropic_block(role: Role, block: Mapping[str, object]) -> list[Block]:
    kind = string(block.get("type"))
    if kind in ("text", "input_text", "output_text", ""):
        return said(role, string(block.get("text")))
    if kind in ("thinking", "reasoning"):
        text = string(block.get("thinking")) or string(block.get("text"))
        return said(role, text, Kind.THOUGHT)
    if kind in ("tool_use", "toolCall"):
        return [called(block.get("name"), block.get("input", block.get("arguments")))]
    if kind == "tool_result":
        return answered(block.get("content"))
    if kind in ("image", "document", "input_image", "file"):
        source = mapping(block.get("source"))
        return [media(role, block.get("filename") or block.get("title") or source.get("url"))]
    return []


def _json(value: object) -> str:
    """Return a value as JSON: the same text, whatever the order its keys came in."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
