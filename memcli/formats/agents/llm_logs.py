"""Logs of simonw/llm, the command-line tool: its database `logs.db`.

Until 2026 a call was a row of `responses`; since then it is a row of `turns`, which points into a
tree of messages that threads share. New logs go to the new tables and old ones stay where they
are, so both are read; a call has the same id in either. Ids begin with the time they were made.

Source: simonw/llm, llm/migrations.py and llm/logs.py of version 0.36.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import Block, answered, called, line, media, said, title_from
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.sqlite import Rows, opened
from memcli.formats.parsing.values import instant, mapping, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_OLD = {"id", "prompt", "response", "conversation_id", "datetime_utc"}
_NEW = {"id", "thread_id", "tip_message_hash", "datetime_utc"}


def _recognises(sample: Sample) -> bool:
    found = sample.tables
    return found.get("responses", set()) >= _OLD or (
        found.get("turns", set()) >= _NEW and "parts" in found
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    with opened(document) as rows:
        log = _Log(rows)
        for key, name in log.conversations():
            turns = log.turns(key)
            if turns:
                title = name or title_from(turns)
                yield Conversation(FORMAT.name, key, title, tuple(turns))
            else:
                yield Skipped(f"conversation {key}", "has nothing to import", lost=False)


class _Log:
    """What the tables of a database say, whichever of them it has."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        names = [name for (name,) in rows("select name from sqlite_master where type = 'table'")]
        self._columns = {
            name: {column for (column,) in rows("select name from pragma_table_info(?)", name)}
            for name in names
        }
        self._old = self._columns.get("responses", set()) >= _OLD
        self._new = self._columns.get("turns", set()) >= _NEW

    def conversations(self) -> list[tuple[str, str]]:
        """Return id and name of each conversation, in the order they began."""
        found: dict[str, str] = {}
        if self._old:
            ids = "select distinct coalesce(conversation_id, id) from responses"
            found |= {string(key): "" for (key,) in self._rows(ids)}
        for table in ("conversations", "threads"):
            if {"id", "name"} <= self._columns.get(table, set()):
                named = self._rows(f"select id, name from {table}")
                found |= {string(key): string(name) for key, name in named}
        return sorted(found.items())

    def turns(self, conversation: str) -> list[Turn]:
        """Return what was said in a conversation."""
        calls: dict[str, list[Turn]] = {}
        if self._old:
            calls |= self._responses(conversation)
        if self._new:
            calls |= self._calls(conversation)
        return [turn for call in sorted(calls) for turn in calls[call]]

    def _responses(self, conversation: str) -> dict[str, list[Turn]]:
        columns = [name for name in ("system", "reasoning") if name in self._columns["responses"]]
        chosen = ", ".join(("id", "prompt", "response", "datetime_utc", *columns))
        found = {}
        for row in self._rows(
            f"select {chosen} from responses where coalesce(conversation_id, id) = ?",
            conversation,
        ):
            key, prompt, response, told_at, *others = map(string, row)
            more = dict(zip(columns, others, strict=True))
            attached = self._attached(key)
            blocks = said(Role.SYSTEM, more.get("system", ""), Kind.CONTEXT)
            blocks += said(Role.USER, "\n".join(filter(None, (*attached, prompt))))
            blocks += said(Role.ASSISTANT, more.get("reasoning", ""), Kind.THOUGHT)
            blocks += [*self._tools(key), *said(Role.ASSISTANT, response)]
            found[key] = line(key, blocks, instant(told_at))
        return found

    def _attached(self, response: str) -> list[str]:
        """Return the texts that a prompt was given with."""
        if not {"prompt_fragments", "fragments"} <= self._columns.keys():
            return []
        texts = self._rows(
            "select fragments.content from prompt_fragments join fragments"
            " on fragments.id = fragment_id where response_id = ? order by `order`",
            response,
        )
        return [string(text) for (text,) in texts]

    def _tools(self, response: str) -> Iterator[Block]:
        if {"response_id", "name", "arguments"} <= self._columns.get("tool_calls", set()):
            sql = "select name, arguments from tool_calls where response_id = ? order by id"
            for name, arguments in self._rows(sql, response):
                yield called(name, string(arguments))
        if {"response_id", "output"} <= self._columns.get("tool_results", set()):
            sql = "select output from tool_results where response_id = ? order by id"
            for (output,) in self._rows(sql, response):
                yield from answered(output)

    def _calls(self, thread: str) -> dict[str, list[Turn]]:
        seen = self._before(thread)
        found: dict[str, list[Turn]] = {}
        sql = "select id, tip_message_hash, datetime_utc from turns where thread_id = ? order by id"
        for key, tip, told_at in self._rows(sql, thread):
            blocks: list[Block] = []
            for message in reversed(list(self._chain(tip, seen))):
                seen.add(message)
                blocks += self._blocks(message)
            found[string(key)] = line(string(key), blocks, instant(told_at))
        return found

    def _before(self, thread: str) -> set[object]:
        """Return the messages of the thread that this one was forked from: they are told there."""
        if "forked_from" not in self._columns.get("threads", set()):
            return set()
        sql = (
            "select tip_message_hash from turns where thread_id ="
            " (select forked_from from threads where id = ?)"
        )
        seen: set[object] = set()
        for (tip,) in self._rows(sql, thread):
            seen.update(list(self._chain(tip, seen)))
        return seen

    def _chain(self, tip: object, known: set[object]) -> Iterator[object]:
        """Yield the messages from the last one back to one that is known."""
        way: set[object] = set()
        while tip is not None and tip not in known and tip not in way:
            way.add(tip)
            yield tip
            parents = list(self._rows("select parent_hash from messages where hash = ?", tip))
            tip = parents[0][0] if parents else None

    def _blocks(self, message: object) -> list[Block]:
        roles = list(self._rows("select role from messages where hash = ?", message))
        name = string(roles[0][0]) if roles else ""
        found: list[Block] = []
        sql = "select type, text, payload from parts where message_hash = ? order by position"
        for kind, text, payload in self._rows(sql, message):
            found += self._part(name, string(kind), string(text), _loads(payload))
        return found

    def _part(self, name: str, kind: str, text: str, payload: Mapping[str, Any]) -> list[Block]:
        role = _ROLES.get(name, Role.SYSTEM)
        if kind == "tool_call":
            return [called(payload.get("name"), payload.get("arguments"))]
        if kind == "tool_result":
            return answered(payload.get("output"))
        if kind == "attachment":
            attachment = mapping(payload.get("attachment"))
            return [media(role, attachment.get("path") or attachment.get("url"))]
        text = text or "".join(map(self._piece, sequence(payload.get("text_ref"))))
        if kind == "reasoning":
            return said(role, text, Kind.THOUGHT)
        return said(role, text, Kind.TEXT if name in _ROLES else Kind.CONTEXT)

    def _piece(self, piece: object) -> str:
        """Return a part of a text: its own words, or a text that was attached."""
        if "fragment" not in mapping(piece):
            return string(mapping(piece).get("literal"))
        number = mapping(piece)["fragment"]
        if not isinstance(number, int) or "fragments" not in self._columns:
            return ""
        texts = self._rows("select content from fragments where id = ?", number)
        return "".join(string(text) for (text,) in texts)


def _loads(payload: object) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(payload)) if isinstance(payload, str | bytes) else {}
    except (ValueError, RecursionError):
        return {}


FORMAT = Format(name="llm_logs", title="llm's logs.db", recognises=_recognises, parse=_parse)
