"""Grok data exports: `prod-grok-backend.json`.

A conversation and its responses are beside each other. In some exports a response is wrapped in
one more object, its ids and times have several names and forms, and the sender's case varies. New
exports name the response that each one replies to; otherwise they follow each other by time.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Kind, Omission, Role, Turn
from memcli.formats.building.blocks import Block, count_message, media_block, node_chain, text_block
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.building.markup import answer_blocks
from memcli.formats.building.time_order import SortKey, sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_ROLES = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT}
_CARD = re.compile(r"<grok:render\b[^>]*>.*?</grok:render>", re.DOTALL)  # a citation, a picture

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        _role(response) is not None and "message" in response
        for element in sample.elements
        if isinstance(element.get("conversation"), dict)
        for response in _responses(element)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return parse_conversations(
        document,
        FORMAT.name,
        title_key="title",
        id_keys=("conversation_id", "id", "_id"),
        turns=_turns,
        metadata=lambda element: mapping(element.get("conversation")),
    )


def _responses(element: Row) -> list[Row]:
    rows = map(mapping, sequence(element.get("responses")))
    return [mapping(row.get("response")) or row for row in rows]


def _role(response: Row) -> Role | None:
    return _ROLES.get(string(response.get("sender")).casefold())


def _turns(element: Row, counter: MessageCounter) -> list[Turn]:
    """Return the turns of all branches; a response that names no parent follows by time."""
    metadata = mapping(element.get("conversation"))
    keys, nodes, previous = MessageKeys(), dict[str, Node](), ""
    for response in sort_by_time(_responses(element), _sort_key):
        sent_at, text = _time(response), string(response.get("message"))
        key = _key(response) or keys.next_key(sent_at, _role(response), text)
        parent = string(response.get("parent_response_id")) or previous
        if key in nodes:
            count_message(counter, [], Omission.REPEATED)
        else:
            blocks = _blocks(response)
            count_message(counter, blocks)
            nodes |= node_chain(key, key, parent, blocks, sent_at)
        previous = key
    current = string(metadata.get("leaf_response_id"))
    return branching_turns(nodes, current, parse_timestamp(metadata.get("create_time")))


def _sort_key(response: Row) -> SortKey | None:
    sent_at, key = _time(response), _key(response) or string(response.get("message"))
    return (sent_at, _role(response) is Role.ASSISTANT, key) if sent_at else None


def _key(response: Row) -> str:
    return string(response.get("response_id")) or string(response.get("_id"))


def _time(response: Row) -> datetime | None:
    value = response.get("create_time")
    date = mapping(value).get("$date", value)
    return parse_timestamp(mapping(date).get("$numberLong", date))


def _blocks(response: Row) -> list[Block]:
    role, text = _role(response), text_without_cards(response.get("message"))
    if role is None:
        return text_block(Role.SYSTEM, text, Kind.CONTEXT)
    blocks = text_block(role, string(response.get("thinking_trace")), Kind.THOUGHT)
    blocks += answer_blocks(text) if role is Role.ASSISTANT else text_block(role, text)
    for file in sequence(response.get("file_attachments")):
        blocks.append(media_block(role, mapping(file).get("file_name") or string(file)))
    return blocks


def text_without_cards(message: object) -> str:
    """Return the text of an answer of Grok without citations and pictures, which have no words."""
    return _CARD.sub("", string(message))


FORMAT = Format(name="grok", recognises=_recognises, parse=_parse)
