"""Conversations that branch: an answer made again, a question edited and asked again.

Every node names the one it answers. What the person saw last is the way from one node up to the
root; what was said on other branches is kept as well.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from memcli.domain import Clock, Kind, Role, Turn

NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # before every time that `instant` lets through

Lineages = dict[str, tuple[datetime, int]]  # newest time from the root to a node, and its depth


@dataclass(frozen=True, slots=True)
class Node:
    """A message, with words or without, and its place in the tree."""

    key: str  # of the turn it becomes
    parent: str  # name of the node it answers; no node's name where it answers none
    role: Role | None  # None where its text is nobody's words
    text: str
    sent_at: datetime | None
    speaker: str | None = None
    kind: Kind = Kind.TEXT

    @property
    def spoken(self) -> bool:
        """Whether it becomes a turn."""
        return bool(self.role and (self.text or self.kind is Kind.MEDIA))


def branching_turns(
    nodes: Mapping[str, Node], current: str, started: datetime | None
) -> list[Turn]:
    """Return what was said on all branches, by time, and every turn after the one it answers.

    Args:
        nodes: by name; those of one place stay in this order.
        current: name of the node seen last; where there is none, the newest leaf counts.
        started: time of turns that neither have one nor follow one that has.
    """
    lineages = _lineages(nodes)
    active = _active(current, nodes, lineages)
    turns: list[Turn] = []
    nearest: dict[str, str | None] = {}  # key of the turn at a node or, where none is, above it
    for name in sorted(nodes, key=lambda name: lineages[name]):
        node = nodes[name]
        answered = nearest.get(node.parent)
        nearest[name] = node.key if node.spoken else answered
        if node.role and node.spoken:
            newest, _ = lineages[name]
            sent_at = node.sent_at or (newest if newest > NO_TIME else started)
            clock = Clock.EXACT if node.sent_at else Clock.INHERITED if sent_at else Clock.NONE
            turns.append(
                Turn(
                    *(node.key, node.role, node.text, node.speaker, sent_at, clock, node.kind),
                    parent=answered,
                    active=name in active,
                )
            )
    return turns


def _lineages(nodes: Mapping[str, Node]) -> Lineages:
    """Return the place of each node: what lies on the way to the root comes before it."""
    found: Lineages = {}
    for start in sorted(nodes):  # sorted: where parents go in circles, the start matters
        way: dict[str, None] = {}
        name = start
        while name in nodes and name not in found and name not in way:
            way[name] = None
            name = nodes[name].parent
        newest, depth = found.get(name, (NO_TIME, 0))
        for name in reversed(way):
            newest, depth = max(newest, nodes[name].sent_at or NO_TIME), depth + 1
            found[name] = newest, depth
    return found


def _active(current: str, nodes: Mapping[str, Node], lineages: Lineages) -> Collection[str]:
    """Return the way from the current node, or else from the newest leaf, up to the root."""
    leaves = set(nodes) - {node.parent for node in nodes.values()} or set(nodes)
    newest = max(leaves, key=lambda name: (lineages[name], name), default="")
    for name in (current, newest):
        way: dict[str, None] = {}
        while name in nodes and name not in way:
            way[name] = None
            name = nodes[name].parent
        if any(nodes[name].spoken for name in way):
            return way
    return set(nodes)
