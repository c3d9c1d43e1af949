"""Conversations that branch: an answer generated again, a question edited and asked again.

Every node names the node it replies to. The active branch is the path from one node, which the
person saw last, up to the root; the turns of other branches are kept as well.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from memcli.domain import Clock, Kind, Role, Turn
from memcli.formats.building.time_order import NO_TIME
from memcli.lazy_dataclasses import dataclass

Lineages = dict[str, tuple[datetime, int]]  # newest time from the root to a node, and its depth


@dataclass(frozen=True, slots=True)
class Node:
    """A message, with text or without, and its place in the tree."""

    key: str  # key of its turn
    parent: str  # name of the node it replies to; unknown to the tree if it replies to none
    role: Role | None  # None if no person or program wrote the text
    text: str
    sent_at: datetime | None
    speaker: str | None = None
    kind: Kind = Kind.TEXT

    @property
    def is_turn(self) -> bool:
        """True if the node becomes a turn."""
        return bool(self.role and (self.text or self.kind is Kind.MEDIA))


def branching_turns(
    nodes: Mapping[str, Node], current: str, started: datetime | None
) -> list[Turn]:
    """Return the turns of all branches by time, each after the turn it replies to.

    Args:
        nodes: by name; nodes with the same time and depth keep this order.
        current: name of the node seen last; the newest leaf counts if there is no such node.
        started: time of turns that have none and do not follow a turn that has one.
    """
    lineages = _lineages(nodes)
    active = _active_path(current, nodes, lineages)
    turns: list[Turn] = []
    nearest: dict[str, str | None] = {}  # node to the key of its turn or of the nearest turn above
    for name in sorted(nodes, key=lineages.__getitem__):
        node = nodes[name]
        is_turn = node.is_turn
        parent_key = nearest.get(node.parent)
        nearest[name] = node.key if is_turn else parent_key
        if node.role and is_turn:
            newest, _ = lineages[name]
            sent_at = node.sent_at or (newest if newest > NO_TIME else started)
            turns.append(
                Turn(
                    key=node.key,
                    role=node.role,
                    text=node.text,
                    speaker=node.speaker,
                    sent_at=sent_at,
                    clock=(
                        Clock.EXACT if node.sent_at else Clock.INHERITED if sent_at else Clock.NONE
                    ),
                    kind=node.kind,
                    parent=parent_key,
                    active=name in active,
                )
            )
    return turns


def _lineages(nodes: Mapping[str, Node]) -> Lineages:
    """Return the lineage of each node, which sorts after the lineages of its ancestors."""
    lineages: Lineages = {}
    for start in sorted(nodes):  # in sorted order, because the start matters in a circle of parents
        path: dict[str, None] = {}
        name = start
        while name in nodes and name not in lineages and name not in path:
            path[name] = None
            name = nodes[name].parent
        newest, depth = lineages.get(name, (NO_TIME, 0))
        for name in reversed(path):
            newest, depth = max(newest, nodes[name].sent_at or NO_TIME), depth + 1
            lineages[name] = newest, depth
    return lineages


def _active_path(current: str, nodes: Mapping[str, Node], lineages: Lineages) -> Collection[str]:
    """Return the path from the current node, or else from the newest leaf, up to the root."""
    leaves = set(nodes) - {node.parent for node in nodes.values()} or set(nodes)
    newest = max(leaves, key=lambda name: (lineages[name], name), default="")
    for name in (current, newest):
        path: dict[str, None] = {}
        while name in nodes and name not in path:
            path[name] = None
            name = nodes[name].parent
        if any(nodes[name].is_turn for name in path):
            return path
    return set(nodes)
