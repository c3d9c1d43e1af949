"""Session logs of Codex CLI: JSON lines with one event each, in `~/.codex/sessions`.

Four generations of the program wrote them: bare messages, messages in envelopes, envelopes with
events beside them, and events for completed items. The same words may be there in several of these
ways: an event or an item has the text that the person typed or saw, and a message has the text for
the model, with added context. A forked or spawned session begins with a copy of its parent's lines,
with new times, and a session may be a copy of another program's.

Source: the logs of several versions of the program; there is no published schema.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.agents.codex_copies import IMPORTS_FILE, own_part, turn_content
from memcli.formats.building.blocks import (
    Block,
    count_message,
    media_block,
    part_label,
    plain_text,
    text_block,
    title_from,
    tool_call,
    tool_result,
    unknown_blocks,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
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

_ENVELOPES = ("session_meta", "turn_context", "response_item", "event_msg", "compacted")
_ITEMS = ("UserMessage", "AgentMessage", "Reasoning")
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
# Messages of the program in the person's name: a text in one tag, or with a known heading.
_INJECTED = re.compile(
    r"\s*(?:<(?P<tag>[a-z]+_[a-z_]+|INSTRUCTIONS|skill|permissions instructions)>.*</(?P=tag)>\s*$"
    r"|# AGENTS\.md instructions\b)",
    re.DOTALL,
)
# The context that an editor adds before a prompt.
_EDITOR_CONTEXT = re.compile(r"\s*#.*?^## My request for Codex:[ \t]*\n?", re.DOTALL | re.MULTILINE)
# UUIDs of version 7 begin with the time of their creation, so they sort by it.
_NOTICES = ("error", "warning", "stream_error")
_UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

Row = Mapping[str, Any]


class _Lane(Enum):
    """A way in which a log has what was said; of equal texts the first in this order counts."""

    EVENT = True
    ITEM = "item"
    MESSAGE = False
    END = "end"  # the end of an exchange, which repeats its last answer


def _recognises(sample: Sample) -> bool:
    return any(_is_codex(row) for row in sample_objects(sample, 50))


def _is_codex(row: Row) -> bool:
    if row.get("type") in _ENVELOPES and isinstance(row.get("payload"), dict):
        return True
    parts = map(mapping, sequence(row.get("content")))
    return (
        row.get("type") == "message"
        and (string(row.get("role")) in _ROLES or "role" not in row)
        and any(part.get("type") in ("input_text", "output_text") for part in parts)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    session = _Session(PurePath(document.name).stem, document.counter)
    # Prompts are told from context by the whole log, so it is always read from its start.
    for number, value in read_json_lines(replace(document, log_position=None), growing=True):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
        else:
            session.read(mapping(value))
    conversation = session.conversation()
    if conversation.turns:
        title = session.title or _index_title(document, conversation.key)
        yield from own_part(document, replace(conversation, title=title or conversation.title))


def _index_title(document: Document, thread: str) -> str:
    """Return the name of a thread from the index beside the folders of logs, or ""."""
    index = document.find_file("../../../../session_index.jsonl")
    title = ""
    for _, value in read_json_lines(index) if index else ():
        row = mapping(value)
        if row.get("id") == thread:
            title = string(row.get("thread_name")) or title
    return title


class _Session:
    """The turns of one session, as its lines are read."""

    def __init__(self, stem: str, counter: MessageCounter) -> None:
        self._counter = counter
        self.title = ""  # title that the person gave
        self._key, self._id = stem, ""  # the id is the one in the first line
        self._is_spawned = False
        self._exchange = ""  # id of the exchange that the lines belong to
        self._keys = {lane: MessageKeys() for lane in _Lane}
        self._turns: list[tuple[_Lane, Turn]] = []
        self._prompts: list[int] = []  # positions of prompts in the turns

    def read(self, row: Row) -> None:
        """Read one line."""
        kind, payload = string(row.get("type")), mapping(row.get("payload"))
        if kind == "session_meta" or ("type" not in row and "id" in row):
            self._begin(mapping(payload.get("meta")) or payload or row)
        elif kind == "turn_context":
            self._exchange = string(payload.get("turn_id")) or self._exchange
        elif kind == "event_msg" and payload.get("type") == "thread_rolled_back":
            self._roll_back(payload.get("num_turns"))
        elif kind == "event_msg" and payload.get("type") == "thread_name_updated":
            self.title = string(payload.get("thread_name")) or self.title
        elif kind == "event_msg" and payload.get("type") in ("task_complete", "turn_complete"):
            answer = string(payload.get("last_agent_message"))
            self._add(row, text_block(Role.ASSISTANT, answer), _Lane.END)
        elif kind == "event_msg":
            item = mapping(payload.get("item")).get("type")
            lane = _Lane.ITEM if item in _ITEMS else _Lane.EVENT
            self._add(row, _event_blocks(payload), lane)
        elif kind == "response_item":
            self._add(row, _item_blocks(payload), _Lane.MESSAGE)
        elif kind == "compacted":
            summary = string(payload.get("message"))
            self._add(row, text_block(Role.SYSTEM, summary, Kind.CONTEXT), _Lane.MESSAGE)
        elif not payload:
            self._add(row, _item_blocks(row), _Lane.MESSAGE)

    def _begin(self, meta: Row) -> None:
        if not self._id:  # later metadata is written at each resume, or is the parent's
            self._id = string(meta.get("id"))
            self._key = self._id or self._key
            self._is_spawned = meta.get("thread_source") == "subagent" or "subagent" in mapping(
                meta.get("source")
            )

    def _add(self, row: Row, blocks: list[Block], lane: _Lane) -> None:
        if self._is_spawned and self._is_copy():
            self._counter.see(len(blocks))
            self._counter.omit(Omission.REPEATED, len(blocks))
            return
        if blocks:
            count_message(self._counter, blocks)
        payload = mapping(row.get("payload"))
        sent_at = parse_timestamp(row.get("timestamp")) or parse_timestamp(payload.get("timestamp"))
        clock = Clock.EXACT if sent_at else Clock.NONE
        scope = (self._exchange,) if _UUID_7.fullmatch(self._exchange) else (self._id, sent_at)
        for block in blocks:
            key = self._keys[lane].next_key(*scope, lane.value, block.role, block.kind, block.text)
            if block.role is Role.USER and block.kind is Kind.TEXT:
                self._prompts.append(len(self._turns))
            turn = Turn(key, block.role, block.text, None, sent_at, clock, block.kind)
            self._turns.append((lane, turn))

    def _is_copy(self) -> bool:
        """Return whether the current exchange is the parent's, older than this session."""
        ids = (self._exchange, self._id)
        return all(map(_UUID_7.fullmatch, ids)) and self._exchange < self._id

    def _roll_back(self, exchanges: object) -> None:
        prompts = [at for at in self._prompts if self._turns[at][1].active]
        seen = [at for at in prompts if self._turns[at][0] is not _Lane.MESSAGE]
        prompts = seen or prompts
        if isinstance(exchanges, int) and exchanges > 0 and prompts:
            for at in range(prompts[-min(exchanges, len(prompts))], len(self._turns)):
                lane, turn = self._turns[at]
                self._turns[at] = lane, replace(turn, active=False)

    def conversation(self) -> Conversation:
        """Return the conversation; a text that is there in several ways counts once."""
        has_prompts = any(
            lane is not _Lane.MESSAGE and turn.role is Role.USER and turn.kind is Kind.TEXT
            for lane, turn in self._turns
        )
        kept = self._without_repetitions()
        self._counter.omit(Omission.REPEATED, len(self._turns) - len(kept))
        turns = []
        for at, (lane, turn) in enumerate(self._turns):
            if at not in kept:
                continue
            if lane is _Lane.MESSAGE and has_prompts and turn.role is Role.USER:
                turn = replace(turn, role=Role.SYSTEM, kind=Kind.CONTEXT)
            turns.append(turn)
        turns = with_inherited_times(turns)
        return Conversation(FORMAT.name, self._key, title_from(turns), tuple(turns))

    def _without_repetitions(self) -> set[int]:
        """Return the positions of turns that do not repeat one of an earlier lane."""
        kept: set[int] = set()
        positions: defaultdict[_Lane, list[int]] = defaultdict(list)
        for at, (lane, _) in enumerate(self._turns):
            positions[lane].append(at)
        for lane in filter(positions.__contains__, _Lane):
            if not kept and lane is not _Lane.END:  # nothing is there that it could repeat
                kept.update(positions[lane])
                continue
            earlier = Counter(turn_content(self._turns[at][1]) for at in kept)
            for at in positions[lane]:
                turn = self._turns[at][1]
                content = turn_content(turn)
                if turn.kind is not Kind.TOOL and earlier[content] > 0:
                    earlier[content] -= 1
                elif lane is not _Lane.END or not self._is_answered(at, kept):
                    kept.add(at)
        return kept

    def _is_answered(self, end: int, kept: set[int]) -> bool:
        """Return whether the exchange that ends at a position has an answer before its end."""
        for at in range(end - 1, -1, -1):
            turn = self._turns[at][1]
            if turn.kind is Kind.TEXT and turn.role is Role.USER:
                return False
            if turn.kind is Kind.TEXT and turn.role is Role.ASSISTANT and at in kept:
                return True
        return False


def _event_blocks(payload: Row) -> list[Block]:
    kind, message = payload.get("type"), string(payload.get("message"))
    if kind == "user_message":
        pictures = [*sequence(payload.get("images")), *sequence(payload.get("local_images"))]
        return _prompt_blocks(message) + [media_block(Role.USER, path) for path in pictures]
    if kind == "agent_message":
        return text_block(Role.ASSISTANT, message)
    if kind == "agent_reasoning":
        return text_block(Role.ASSISTANT, string(payload.get("text")), Kind.THOUGHT)
    if kind == "tool_call":
        return [tool_call(payload.get("name"), payload.get("input"))]
    if kind == "item_completed":
        return _completed_blocks(mapping(payload.get("item")))
    if kind == "exited_review_mode":
        review = mapping(payload.get("review_output"))
        return text_block(Role.ASSISTANT, string(review.get("overall_explanation")))
    if kind in _NOTICES:
        return text_block(Role.SYSTEM, message, Kind.SERVICE)
    return []


def _completed_blocks(item: Row) -> list[Block]:
    """Return the blocks of a completed item; those of tools are there as messages, too."""
    kind, parts = item.get("type"), [mapping(part) for part in sequence(item.get("content"))]
    if kind == "UserMessage":
        blocks: list[Block] = []
        for part in parts:
            blocks += _user_part_blocks(part)
        return blocks
    if kind == "AgentMessage":
        texts = (string(part.get("text")) for part in parts)
        return text_block(Role.ASSISTANT, "".join(texts) or string(item.get("text")))
    if kind == "Reasoning":
        thought = "\n".join(map(string, sequence(item.get("summary_text"))))
        return text_block(Role.ASSISTANT, thought, Kind.THOUGHT)
    if kind == "Plan":
        return text_block(Role.ASSISTANT, string(item.get("text")), Kind.THOUGHT)
    return []


def _user_part_blocks(part: Row) -> list[Block]:
    kind = string(part.get("type"))
    if kind.casefold() in ("text", "input_text"):
        return _prompt_blocks(string(part.get("text")))
    if "image" in kind.casefold():
        return [media_block(Role.USER, part.get("path") or part.get("image_url") or "data:")]
    return unknown_blocks(Role.USER, part)


def _item_blocks(item: Row) -> list[Block]:
    kind = string(item.get("type")) or ("message" if "role" in item else "")
    if kind == "message":
        return _message_blocks(item)
    if kind == "reasoning":
        return text_block(Role.ASSISTANT, plain_text(sequence(item.get("summary"))), Kind.THOUGHT)
    if kind.endswith("_output"):
        return tool_result(item.get("output"))
    if kind in ("function_call", "custom_tool_call"):
        return [tool_call(item.get("name"), item.get("arguments", item.get("input")))]
    if kind == "image_generation_call":
        label = part_label("image", string(item.get("revised_prompt")))
        return [Block(Role.ASSISTANT, label, Kind.MEDIA)]
    if kind.endswith("_call"):
        return [tool_call(kind.removesuffix("_call"), item.get("action", item.get("arguments")))]
    return []


def _message_blocks(item: Row) -> list[Block]:
    name, content = string(item.get("role")), item.get("content")
    if call := mapping(item.get("function_call")):
        return [tool_call(call.get("name"), call.get("arguments"))]
    if name in ("function", "tool"):
        return tool_result(content)
    role = _ROLES.get(name) if "role" in item else _role_of_parts(content)
    blocks: list[Block] = []
    for part in content if isinstance(content, list) else [content]:
        if role and mapping(part).get("type") == "input_image":
            blocks.append(media_block(role, "data:"))
        elif role is Role.USER:
            blocks += _prompt_blocks(string(mapping(part).get("text")) or string(part))
        elif role:
            blocks += text_block(role, string(mapping(part).get("text")) or string(part))
        else:
            blocks += text_block(Role.SYSTEM, plain_text(part), Kind.CONTEXT)
    return blocks


def _role_of_parts(content: object) -> Role | None:
    """Return the role of a message that names none, by the types of its parts."""
    kinds = {mapping(part).get("type") for part in sequence(content)}
    if "output_text" in kinds:
        return Role.ASSISTANT
    return Role.USER if "input_text" in kinds else None


def _prompt_blocks(text: str) -> list[Block]:
    """Return a prompt, and the context that the program or an editor added to it."""
    if _INJECTED.match(text):
        return text_block(Role.SYSTEM, text, Kind.CONTEXT)
    if heading := _EDITOR_CONTEXT.match(text):
        context = text_block(Role.SYSTEM, heading[0], Kind.CONTEXT)
        return context + text_block(Role.USER, text[heading.end() :])
    return text_block(Role.USER, text)


FORMAT = Format(
    name="codex",
    recognises=_recognises,
    parse=_parse,
    grows=True,
    unique_keys=True,
    lookups=("session_index.jsonl", "history.jsonl", IMPORTS_FILE),
)
