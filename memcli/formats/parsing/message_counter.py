"""Counts of the messages that a parser saw, so that none is lost without a reason.

The messages of a document and the turns that a parser yields are related by

    messages seen + further parts of messages = turns + messages omitted

An import reports the difference by reason, and a message that a parser forgot as unexplained.
"""

from collections import Counter
from collections.abc import Sized

from memcli.domain import Omission
from memcli.lazy_dataclasses import dataclass, field


@dataclass(slots=True)
class MessageCounter:
    """The counts of one document, which its parser increases as it reads."""

    seen: int = 0  # messages, and rows that could have been messages
    further_parts: int = 0  # turns beyond the first of their message
    omitted: Counter[Omission] = field(default_factory=Counter)  # messages without a turn
    unknown: Counter[str] = field(default_factory=Counter)  # kept content of unknown kinds, by kind

    def see(self, count: int = 1) -> None:
        """Count messages; each of them becomes one turn, or is omitted as well."""
        self.seen += count

    def see_parts(self, turns: Sized, reason: Omission = Omission.EMPTY) -> None:
        """Count a message that becomes these turns; one without a turn is omitted.

        Args:
            turns: the turns, or the values that become turns.
            reason: for which there are none.
        """
        self.seen += 1
        if turns:
            self.further_parts += len(turns) - 1
        else:
            self.omitted[reason] += 1

    def omit(self, reason: Omission, count: int = 1) -> None:
        """Count messages, already seen, that become no turn."""
        self.omitted[reason] += count

    def keep_unknown(self, kind: str) -> None:
        """Count content of an unknown kind that was kept as text or as a label."""
        self.unknown[kind or "unknown"] += 1

    def update(self, other: "MessageCounter") -> None:
        """Add the counts of another process that parsed the same document."""
        self.seen += other.seen
        self.further_parts += other.further_parts
        self.omitted.update(other.omitted)
        self.unknown.update(other.unknown)

    def count_unexplained(self, turns: int) -> int:
        """Return the number of messages that are missing without a reason.

        The number is negative if there are more turns than messages seen.

        Args:
            turns: the number of turns that the parser yielded.
        """
        return self.seen + self.further_parts - self.omitted.total() - turns
