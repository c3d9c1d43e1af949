"""Logs of simonw/llm, the command-line tool: its database `logs.db`.

Until 2026 a call was a row of `responses`; since then it is a row of `turns`, which points into a
tree of messages that threads share. New logs go to the new tables and old logs stay in the old
ones, so both are read; a call has the same id in either. Ids begin with the time of their creation.

Source: simonw/llm, llm/migrations.py and llm/logs.py of version 0.36.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import parse_or_broken
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.sqlite import Rows, open_database
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_OLD_COLUMNS = {"id", "prompt", "response", "conversation_id", "datetime_utc"}
_NEW_COLUMNS = {"id", "thread_id", "tip_message_hash", "datetime_utc"}


def _recognises(sample: Sample) -> bool:
    tables = sample.tables
    return tables.get("responses", set()) >= _OLD_COLUMNS or (
        tables.get("turns", set()) >= _NEW_COLUMNS and "parts" in tables
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with open_database(document) as rows:
        log = _Log(rows, document.counter)
        for key, name in log.conversations():
            turns = log.turns(key)
            if turns:
                title = name or title_from(turns)
                yield Conversation(FORMAT.name, key, title, tuple(turns))
            else:
                yield Skipped(f"conversation {key}", "has nothing to import", lost=False)


class _Log:
    """The conversations in a database, from the tables that it has."""

    def __init__(self, rows: Rows, counter: MessageCounter) -> None:
        self._rows, self._counter = rows, counter
        names = [name for (name,) in rows("select name from sqlite_master where type = 'table'")]
        self._columns = {
            name: {column for (column,) in rows("select name from pragma_table_info(?)", name)}
            for name in names
        }
        self._has_responses = self._columns.get("responses", set()) >= _OLD_COLUMNS
        self._has_turns = self._columns.get("turns", set()) >= _NEW_COLUMNS

    def conversations(self) -> list[tuple[str, str]]:
        """Return the id and the name of each conversation, the oldest first."""
        names: dict[str, str] = {}
        if self._has_responses:
            ids = "select distinct coalesce(conversation_id, id) from responses"
            names |= {string(key): "" for (key,) in self._rows(ids)}
        for table in ("conversations", "threads"):
            if {"id", "name"} <= self._columns.get(table, set()):
                rows = self._rows(f"select id, name from {table}")
                names |= {string(key): string(name) for key, name in rows}
        return sorted(names.items())

    def turns(self, conversation: str) -> list[Turn]:
        """Return the turns of a conversation."""
        calls: dict[str, list[Turn]] = {}
        if self._has_responses:
            calls |= self._responses(conversation)
        if self._has_turns:
            calls |= self._calls(conversation)
        return [turn for call in sorted(calls) for turn in calls[call]]

    def _responses(self, conversation: str) -> dict[str, list[Turn]]:
        columns = [name for name in ("system", "reasoning") if name in self._columns["responses"]]
        selected = ", ".join(("id", "prompt", "response", "datetime_utc", *columns))
        turns = {}
        for row in self._rows(
            f"select {selected} from responses where coalesce(conversation_id, id) = ?",
            conversation,
        ):
            key, prompt, response, sent_at, *values = map(string, row)
            optional = dict(zip(columns, values, strict=True))
            fragments = self._fragments(key)
            blocks = text_block(Role.SYSTEM, optional.get("system", ""), Kind.CONTEXT)
            blocks += text_block(Role.USER, "\n".join(filter(None, (*fragments, prompt))))
            blocks += [media_block(Role.USER, name) for name in self._attachments(key)]
            blocks += text_block(Role.ASSISTANT, optional.get("reasoning", ""), Kind.THOUGHT)
            blocks += [*self._tools(key), *text_block(Role.ASSISTANT, response)]
            count_message(self._counter, blocks)
            turns[key] = linear_turns(key, blocks, parse_timestamp(sent_at))
        return turns

    def _fragments(self, response: str) -> list[str]:
        """Return the texts that were attached to a prompt."""
        if not {"prompt_fragments", "fragments"} <= self._columns.keys():
            return []
        texts = self._rows(
            "select fragments.content from prompt_fragments join fragments"
            " on fragments.id = fragment_id where response_id = ? order by `order`",
            response,
        )
        return [string(text) for (text,) in texts]

    def _attachments(self, response: str) -> list[str]:
        """Return the paths of the files that were attached to a prompt."""
        columns = self._columns.get("attachments", set())
        if not {"id", "path", "url"} <= columns or "prompt_attachments" not in self._columns:
            return []
        rows = self._rows(
            "select coalesce(attachments.path, attachments.url) from prompt_attachments"
            " join attachments on attachments.id = attachment_id where response_id = ?",
            response,
        )
        return [string(path) for (path,) in rows]

    def _tools(self, response: str) -> Iterator[Block]:
        if {"response_id", "name", "arguments"} <= self._columns.get("tool_calls", set()):
            sql = "select name, arguments from tool_calls where response_id = ? order by id"
            for name, arguments in self._rows(sql, response):
                yield tool_call(name, string(arguments))
        if {"response_id", "output"} <= self._columns.get("tool_results", set()):
            sql = "select output from tool_results where response_id = ? order by id"
            for (output,) in self._rows(sql, response):
                yield from tool_result(output)

    def _calls(self, thread: str) -> dict[str, list[Turn]]:
        seen = self._parent_messages(thread)
        turns: dict[str, list[Turn]] = {}
        sql = "select id, tip_message_hash, datetime_utc from turns where thread_id = ? order by id"
        for key, tip, sent_at in self._rows(sql, thread):
            blocks: list[Block] = []
            for message in reversed(list(self._message_path(tip, seen))):
                seen.add(message)
                blocks += self._blocks(message)
            count_message(self._counter, blocks)
            turns[string(key)] = linear_turns(string(key), blocks, parse_timestamp(sent_at))
        return turns

    def _parent_messages(self, thread: str) -> set[object]:
        """Return the messages of the thread that this one was forked from, to leave them out."""
        if "forked_from" not in self._columns.get("threads", set()):
            return set()
        sql = (
            "select tip_message_hash from turns where thread_id ="
            " (select forked_from from threads where id = ?)"
        )
        seen: set[object] = set()
        for (tip,) in self._rows(sql, thread):
            seen.update(list(self._message_path(tip, seen)))
        return seen

    def _message_path(self, tip: object, known: set[object]) -> Iterator[object]:
        """Yield the messages from the last one back to a known one."""
        path: set[object] = set()
        while tip is not None and tip not in known and tip not in path:
            path.add(tip)
            yield tip
            parents = list(self._rows("select parent_hash from messages where hash = ?", tip))
            tip = parents[0][0] if parents else None

    def _blocks(self, message: object) -> list[Block]:
        roles = list(self._rows("select role from messages where hash = ?", message))
        name = string(roles[0][0]) if roles else ""
        blocks: list[Block] = []
        sql = "select type, text, payload from parts where message_hash = ? order by position"
        for kind, text, payload in self._rows(sql, message):
            blocks += self._part_blocks(name, string(kind), string(text), _parse_payload(payload))
        return blocks

    def _part_blocks(
        self, name: str, kind: str, text: str, payload: Mapping[str, Any]
    ) -> list[Block]:
        role = _ROLES.get(name, Role.SYSTEM)
        if kind == "tool_call":
            return [tool_call(payload.get("name"), payload.get("arguments"))]
        if kind == "tool_result":
            return tool_result(payload.get("output"))
        if kind == "attachment":
            attachment = mapping(payload.get("attachment"))
            return [media_block(role, attachment.get("path") or attachment.get("url"))]
        text = text or "".join(map(self._piece_text, sequence(payload.get("text_ref"))))
        if kind == "reasoning":
            return text_block(role, text, Kind.THOUGHT)
        return text_block(role, text, Kind.TEXT if name in _ROLES else Kind.CONTEXT)

    def _piece_text(self, piece: object) -> str:
        """Return a piece of a text: a literal, or the fragment that it refers to."""
        if "fragment" not in mapping(piece):
            return string(mapping(piece).get("literal"))
        number = mapping(piece)["fragment"]
        if not isinstance(number, int) or "fragments" not in self._columns:
            return ""
        texts = self._rows("select content from fragments where id = ?", number)
        return "".join(string(text) for (text,) in texts)


def _parse_payload(payload: object) -> Mapping[str, Any]:
    """Return the object in a column, or an empty one if it holds no JSON object."""
    return mapping(parse_or_broken(payload)) if isinstance(payload, str | bytes) else {}


FORMAT = Format(name="llm_logs", recognises=_recognises, parse=_parse)
