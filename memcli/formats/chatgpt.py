"""ChatGPT data exports: `conversations.json`, its shards, and single conversations.

A conversation is a tree of nodes that name their parent. New exports leave `children` out, so
`parent` is followed, and `children` only from nodes without a parent. What the person saw last
is the way from `current_node` up to the root; what was said on other branches is kept as well.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.formats.base import (
    Document,
    Format,
    Parsed,
    Reading,
    Sample,
    instant,
    mapping,
    sequence,
    string,
)
from memcli.formats.json_stream import Broken, elements

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_SPOKEN = ("text", "multimodal_text", "")  # types of content that are somebody's words
_CITATION = re.compile(" ?(?:\ue200[^\ue200\ue201]*+\ue201|【[\\d:]++†[^【】]*+】)")
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # before every time that `instant` lets through

Nodes = dict[str, Mapping[str, Any]]
Lineages = dict[str, tuple[datetime, int]]  # newest time from the root to a node, and its depth


def _recognises(sample: Sample) -> bool:
    return any(
        string(mapping(message.get("author")).get("role")) and "content" in message
        for element in sample.elements
        for message in _messages(element).values()
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    for number, element in enumerate(elements(document, "conversations", ""), start=1):
        where = f"conversation {number}"
        if isinstance(element, Broken):
            yield Skipped(where, element.why)
            continue
        conversation = mapping(element)
        title = string(conversation.get("title"))
        if turns := _turns(conversation):
            own = string(conversation.get("conversation_id")) or string(conversation.get("id"))
            yield Conversation("chatgpt", own or turns[0].key, title, tuple(turns))
        else:
            where = f"{where} ({title})" if title else where
            yield Skipped(where, "has nothing to import", lost=False)


def _nodes(conversation: Mapping[str, Any]) -> Nodes:
    return {name: mapping(node) for name, node in mapping(conversation.get("mapping")).items()}


def _messages(conversation: Mapping[str, Any]) -> Nodes:
    return {name: mapping(node.get("message")) for name, node in _nodes(conversation).items()}


def _turns(conversation: Mapping[str, Any]) -> list[Turn]:
    """Return what was said on all branches, by time, and every turn after the one it answers."""
    messages = _messages(conversation)
    texts = {name: text for name, message in messages.items() if (text := _text(message))}
    times = {name: instant(message.get("create_time")) for name, message in messages.items()}
    parents = _parents(_nodes(conversation), times)
    lineages = _lineages(parents, times)
    keys = _keys(messages)
    active = _active(string(conversation.get("current_node")), parents, lineages, texts)
    started = instant(conversation.get("create_time"))

    turns: list[Turn] = []
    nearest: dict[str, str | None] = {}  # key of the turn at a node or, where none is, above it
    for name in sorted(messages, key=lambda name: (lineages[name], keys[name])):
        answered = nearest.get(parents[name])
        nearest[name] = keys[name] if name in texts else answered
        if name in texts:
            newest, _ = lineages[name]
            sent_at = times[name] or (newest if newest > _NO_TIME else started)
            clock = Clock.EXACT if times[name] else Clock.INHERITED if sent_at else Clock.NONE
            author = messages[name]["author"]
            role = _ROLES[author["role"]]
            speaker = string(author.get("name")) if role is Role.USER else ""
            turn = Turn(keys[name], role, texts[name], speaker or None, sent_at, clock)
            turns.append(replace(turn, parent=answered, active=name in active))
    return turns


def _keys(messages: Nodes) -> dict[str, str]:
    """Return the key of each node: its message's id, or its own where that one is ambiguous."""
    ids = {name: string(message.get("id")) for name, message in messages.items()}
    count = Counter(ids.values())
    return {
        name: own if own and count[own] == 1 and own not in messages else name
        for name, own in ids.items()
    }


def _text(message: Mapping[str, Any]) -> str:
    """Return what the message shows as the words of the person or the assistant, "" if nothing."""
    content, metadata = mapping(message.get("content")), mapping(message.get("metadata"))
    if (
        string(mapping(message.get("author")).get("role")) not in _ROLES
        or string(content.get("content_type")) not in _SPOKEN
        or metadata.get("is_visually_hidden_from_conversation") is True
        or message.get("recipient") not in (None, "all")
        or message.get("channel") == "analysis"
    ):
        return ""
    # Besides texts there are pictures, sounds, and transcripts of sounds; these have a text.
    parts = sequence(content.get("parts"))
    texts = (string(part) or string(mapping(part).get("text")) for part in parts)
    text = _CITATION.sub("", "\n".join(text for text in texts if text))
    return text if text.strip() else ""


def _parents(nodes: Nodes, times: Mapping[str, datetime | None]) -> dict[str, str]:
    """Return the parent of each node, "" where there is none."""
    claimed = {
        string(child): name
        for name in sorted(nodes)
        for child in sequence(nodes[name].get("children"))
    }
    parents = {
        name: string(node.get("parent")) or claimed.get(name, "") for name, node in nodes.items()
    }
    if any(parents.values()):
        return parents
    # No links at all: a line, by time. A node without a time follows the one before it in the file.
    places: dict[str, tuple[datetime, str, int]] = {}
    place = (_NO_TIME, "", 0)
    for name in nodes:
        moment = times[name]
        place = (moment, name, 0) if moment else (*place[:2], place[2] + 1)
        places[name] = place
    line = sorted(nodes, key=lambda name: places[name])
    return dict(zip(line, ["", *line], strict=False))


def _lineages(parents: Mapping[str, str], times: Mapping[str, datetime | None]) -> Lineages:
    """Return the place of each node: what lies on the way to the root comes before it."""
    found: Lineages = {}
    for start in sorted(parents):  # sorted: where parents go in circles, the start matters
        way: dict[str, None] = {}
        name = start
        while name in parents and name not in found and name not in way:
            way[name] = None
            name = parents[name]
        newest, depth = found.get(name, (_NO_TIME, 0))
        for name in reversed(way):
            newest, depth = max(newest, times[name] or _NO_TIME), depth + 1
            found[name] = newest, depth
    return found


def _active(
    current: str, parents: Mapping[str, str], lineages: Lineages, texts: Collection[str]
) -> Collection[str]:
    """Return the way from the current node, or else from the newest leaf, up to the root."""
    leaves = set(parents) - set(parents.values()) or set(parents)
    newest = max(leaves, key=lambda name: (lineages[name], name), default="")
    for start in (current, newest):
        way: dict[str, None] = {}
        while start in parents and start not in way:
            way[start] = None
            start = parents[start]
        if any(name in texts for name in way):
            return way
    return texts


FORMAT = Format(name="chatgpt", title="ChatGPT data export", recognises=_recognises, parse=_parse)
