"""Prompts that a person typed while Claude Code worked.

    {"type": "queue-operation", "operation": "enqueue", "content": ..., "timestamp": ...}
    {"type": "attachment", "attachment": {"type": "queued_command", "prompt": ...}}

A prompt enters a queue, and leaves it as an attachment, or as a prompt of its own; or the person
takes it back. Newer logs have the place of an attachment in the tree, others only its place in the
file, and some have the queue alone.
"""

import re
from collections import Counter
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from typing import Any

from memcli.domain import Kind, Role
from memcli.formats.building.blocks import Block, plain_text, text_block
from memcli.formats.building.branches import Node
from memcli.formats.parsing.values import mapping, parse_timestamp, string
from memcli.lazy_dataclasses import dataclass, replace

# Texts that the program writes in the person's name.
_INJECTED = re.compile(
    r"\s*(?:<(?:command-(?:name|message|args)|local-command-\w+|task-notification|system-reminder"
    r"|bash-(?:input|stdout|stderr)|user-memory-input)\b|Caveat: The messages below"
    r"|\[Request interrupted by user|This session is being continued from a previous conversation)"
)
_QUEUE = "queue-operation"

Row = Mapping[str, Any]


def is_injected(text: str) -> bool:
    """Return whether the program wrote a text in the person's name."""
    return _INJECTED.match(text) is not None


def is_queue_row(row: Row) -> bool:
    """Return whether a line is about a prompt that was queued, and has no place in the tree."""
    if row.get("type") == _QUEUE:
        return True
    return "attachment" in row and is_attached_prompt(row) and not string(row.get("uuid"))


def is_attached_prompt(row: Row) -> bool:
    """Return whether a line attaches a prompt that was queued."""
    return mapping(row.get("attachment")).get("type") == "queued_command"


def row_time(row: Row) -> datetime | None:
    """Return the time of a line, which some logs have inside of its content."""
    if moment := parse_timestamp(row.get("timestamp")):
        return moment
    inner = (mapping(row.get(name)) for name in ("message", "payload", "attachment", "snapshot"))
    times = (parse_timestamp(fields.get("timestamp")) for fields in inner)
    return next(filter(None, times), None)


def queued_blocks(row: Row) -> list[Block]:
    """Return the prompt that a line attaches or queues; none if the program wrote it."""
    attachment = mapping(row.get("attachment"))
    text = plain_text(attachment.get("prompt", row.get("content"))).strip()
    mode = string(attachment.get("commandMode")) or "prompt"
    return [] if is_injected(text) or mode != "prompt" else text_block(Role.USER, text)


@dataclass(frozen=True, slots=True)
class _Queued:
    """A prompt, and the node that was the last one when it was typed."""

    line: int  # its number in the file
    text: str
    sent_at: datetime | None
    after: str
    position: int  # number of nodes before it in the file

    @property
    def name(self) -> str:
        """The name of its node."""
        return f"line {self.line}"


class PromptQueue:
    """The queued prompts of one session that have no place in its tree."""

    def __init__(self) -> None:
        self._after, self._position = "", 0
        self._attached: list[_Queued] = []
        self._waiting: list[_Queued] = []
        self._taken: list[_Queued] = []  # prompts that left the queue to be worked on

    def move_to(self, name: str, position: int) -> None:
        """Follow the log: the name of its last node, and the number of nodes so far."""
        self._after, self._position = name, position

    def read(self, number: int, row: Row) -> None:
        """Read a line about the queue."""
        operation = string(row.get("operation"))
        if operation == "popAll":  # the person edits the prompts again
            self._waiting.clear()
        elif operation == "remove" and self._waiting:
            text = string(row.get("content")).strip()
            same = [at for at, queued in enumerate(self._waiting) if queued.text == text]
            del self._waiting[same[0] if same else 0]
        elif operation == "dequeue" and self._waiting:
            self._taken.append(self._waiting.pop(0))
        for block in queued_blocks(row) if operation in ("", "enqueue") else ():
            queued = _Queued(number, block.text, row_time(row), self._after, self._position)
            (self._waiting if operation else self._attached).append(queued)

    def insert_into(self, nodes: MutableMapping[str, Node], current: str) -> str:
        """Give each prompt its place in the tree, unless it is there already.

        Args:
            nodes: the tree, in the order of the log.
            current: name of the last node.

        Returns:
            The name of the last node.
        """
        known = Counter(
            node.text.strip()
            for node in nodes.values()
            if node.role is Role.USER and node.kind is Kind.TEXT
        )
        known.update(queued.text for queued in self._attached)
        missing = list(self._attached)
        for queued in (*self._taken, *self._waiting):
            if known[queued.text] > 0:
                known[queued.text] -= 1
            else:
                missing.append(queued)
        names = list(nodes)
        for queued in sorted(missing, key=lambda queued: queued.line, reverse=True):
            for name in (*names[queued.position :], *(other.name for other in missing)):
                if name in nodes and nodes[name].parent == queued.after:
                    nodes[name] = replace(nodes[name], parent=queued.name)
            nodes[queued.name] = Node(
                queued.name, queued.after, Role.USER, queued.text, queued.sent_at
            )
            current = queued.name if current == queued.after else current
        return current
