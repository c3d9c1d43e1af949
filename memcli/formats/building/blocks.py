"""Messages made of blocks: texts, thoughts, tool calls and their results, in their order.

Assistants and coding agents write one message as several blocks. Each block becomes a turn of its
own, so that texts are told apart from tool calls.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import PurePath

from memcli.domain import Clock, Kind, Omission, Role, Turn
from memcli.formats.building.branches import Node
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.values import mapping, string
from memcli.lazy_dataclasses import dataclass

_CALL_DIGITS = 8  # of the seconds of a call; longer numbers state no length
_SILENT_TYPES = ("redacted_thinking", "tool_reference", "cache_control", "container_upload")
TITLE_LENGTH = 80  # characters of the first prompt, for a conversation without a title


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a message."""

    role: Role
    text: str  # "" only for MEDIA without a name
    kind: Kind = Kind.TEXT
    unknown_type: str = ""  # the type of the part, if it is unknown


def with_keys(key: str, blocks: Iterable[Block]) -> list[tuple[str, Block]]:
    """Return the blocks of a message with the keys of their turns.

    The first TEXT block has the message's key, even if thoughts or tool calls come before it. Any
    other block has that key with its kind and its number among the blocks of that kind.
    """
    blocks = list(blocks)
    if len(blocks) == 1 and blocks[0].kind is Kind.TEXT:  # nearly always
        return [(key, blocks[0])]
    counts: Counter[Kind] = Counter()
    pairs = []
    for block in blocks:
        counts[block.kind] += 1
        first = block.kind is Kind.TEXT and counts[block.kind] == 1
        pairs.append((key if first else f"{key}#{block.kind}{counts[block.kind]}", block))
    return pairs


def block_contents(blocks: Iterable[Block]) -> list[str]:
    """Return roles, kinds and texts of blocks, of which keys are made."""
    return [part for block in blocks for part in (block.role, block.kind, block.text)]


def count_message(
    counter: MessageCounter, blocks: Collection[Block], reason: Omission = Omission.EMPTY
) -> None:
    """Count a message that becomes these blocks.

    Args:
        counter: of the document.
        blocks: of the message.
        reason: for which a message without blocks has none.
    """
    counter.see_parts(blocks, reason)
    for block in blocks:
        if block.unknown_type:
            counter.keep_unknown(block.unknown_type)


def node_chain(
    name: str, key: str, parent: str, blocks: Iterable[Block], sent_at: datetime | None
) -> dict[str, Node]:
    """Return a message of a tree as nodes that follow each other; the last has the given name.

    A message without blocks becomes a node without text, which keeps the tree connected.

    Args:
        name: of the message in the tree.
        key: of the message, for the keys of its turns.
        parent: name of the message that it replies to.
        blocks: its parts.
        sent_at: its time.
    """
    pairs = with_keys(key, blocks)
    if not pairs:
        return {name: Node(key, parent, None, "", sent_at)}
    nodes: dict[str, Node] = {}
    for number, (turn_key, block) in enumerate(pairs, start=1):
        node_name = name if number == len(pairs) else f"{name}#{number}"
        node = Node(turn_key, parent, block.role, block.text, sent_at, kind=block.kind)
        nodes[node_name] = node
        parent = node_name
    return nodes


def linear_turns(key: str, blocks: Iterable[Block], sent_at: datetime | None) -> list[Turn]:
    """Return the turns of a message in a conversation without branches."""
    clock = Clock.EXACT if sent_at else Clock.NONE
    return [
        Turn(turn_key, block.role, block.text, None, sent_at, clock, block.kind)
        for turn_key, block in with_keys(key, blocks)
    ]


def title_from(turns: Iterable[Turn]) -> str:
    """Return the beginning of the first prompt."""
    prompts = (turn.text for turn in turns if turn.role is Role.USER and turn.is_searchable)
    return " ".join(next(prompts, "")[: 8 * TITLE_LENGTH].split())[:TITLE_LENGTH]


def tool_call(name: object, arguments: object) -> Block:
    """Return a call of a tool as a block: its name and its arguments, as JSON if not text."""
    text = arguments if isinstance(arguments, str) else _json(arguments)
    return Block(Role.ASSISTANT, f"{string(name)} {text}".strip(), Kind.TOOL)


def tool_result(result: object) -> list[Block]:
    """Return the result of a tool as a block, or no block if it has no text."""
    text = plain_text(result)
    return [Block(Role.TOOL, text, Kind.TOOL)] if text.strip() else []


def text_block(role: Role, text: str, kind: Kind = Kind.TEXT) -> list[Block]:
    """Return a text as a block, or no block if the text is blank."""
    return [Block(role, text, kind)] if text.strip() else []


def media_block(role: Role, path: object = "") -> Block:
    """Return a picture or a file as a block with its name; an inline file has none."""
    name = string(path)
    inline = name.startswith("data:")
    return Block(role, "" if inline else PurePath(name.replace("\\", "/")).name, Kind.MEDIA)


def unknown_blocks(role: Role, part: Mapping[str, object]) -> list[Block]:
    """Return a part of an unknown type: its text, or else its type and its title or name.

    Args:
        role: of the message.
        part: an object with a `type`; without one, and without a text, it gives no block.
    """
    kind = string(part.get("type")) or string(part.get("kind"))
    for name in ("text", "content", "value", "transcript", "caption"):
        text = string(part.get(name))
        if text.strip() and not text.startswith("data:"):
            return [Block(role, text, unknown_type=kind)]
    names = ("title", "name", "filename", "file_name", "url")
    name = next((text for key in names if (text := string(part.get(key)).strip())), "")
    is_text = kind in ("", "text", "input_text", "output_text")  # without any words
    return [] if is_text else [Block(role, part_label(kind, name), Kind.MEDIA, kind)]


def unknown_content(message: Mapping[str, object], known: Collection[str]) -> Block | None:
    """Return content of an unknown kind in a message that has none of a known kind.

    Args:
        message: an object of which some values are objects.
        known: the keys of objects that are no content, or content that was looked at.
    """
    for name, value in message.items():
        if isinstance(value, dict) and value and name not in known:
            texts = {key: text for key, text in value.items() if isinstance(text, str)}
            title = texts.get("title") or texts.get("question") or ""
            part = {**texts, "title": title, "type": name.removesuffix("_information")}
            for block in unknown_blocks(Role.PERSON, part):
                return block
    return None


def part_label(kind: str, name: str = "") -> str:
    """Return a label in place of content without a text: "[canvas: Budget]", "[voice note]"."""
    kind = kind.removeprefix("input_").removesuffix("_url")
    words = kind.replace("_", " ").strip()
    return f"[{words}: {name.strip()}]" if name.strip() else f"[{words}]"


def call_text(words: str, seconds: object) -> str:
    """Return the words about a call, and how long it took: "missed call", "incoming call, 2:05".

    Args:
        words: the kind of call.
        seconds: its length as an export states it; 0, or no number, is left out.
    """
    number = str(seconds)
    if not (number.isascii() and number.isdigit() and len(number) < _CALL_DIGITS and int(number)):
        return words
    minutes, rest = divmod(int(number), 60)
    return f"{words}, {minutes}:{rest:02}"


def plain_text(content: object) -> str:
    """Return the text of a text, of an object with a text, or of a list of either."""
    if isinstance(content, list):
        return "\n".join(filter(None, map(plain_text, content)))
    if isinstance(content, dict):
        for name in ("text", "content", "output"):
            if name in content:
                return plain_text(content[name])
        return _json(content)
    return string(content)


def anthropic_blocks(role: Role, content: object) -> list[Block]:
    """Return the blocks of a message in the form of Anthropic's API, which others imitate."""
    if not isinstance(content, list):
        return text_block(role, string(content))
    blocks: list[Block] = []
    for part in content:
        if isinstance(part, dict):
            blocks += _anthropic_block(role, part)
        else:
            blocks += text_block(role, string(part))
    return blocks


def _anthropic_block(role: Role, block: Mapping[str, object]) -> list[Block]:
    kind = string(block.get("type"))
    if kind in ("text", "input_text", "output_text", ""):
        return text_block(role, string(block.get("text")))
    if kind in ("thinking", "reasoning"):
        text = string(block.get("thinking")) or string(block.get("text"))
        return text_block(role, text, Kind.THOUGHT)
    if kind in ("tool_use", "toolCall"):
        return [tool_call(block.get("name"), block.get("input", block.get("arguments")))]
    if kind == "tool_result":
        return tool_result(block.get("content"))
    if kind in ("image", "document", "input_image", "file"):
        source = mapping(block.get("source"))
        path = block.get("filename") or block.get("title") or source.get("url")
        return [media_block(role, path)]
    return [] if kind in _SILENT_TYPES else unknown_blocks(role, block)


def _json(value: object) -> str:
    """Return a value as JSON with sorted keys, which is the same for any order of its keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
