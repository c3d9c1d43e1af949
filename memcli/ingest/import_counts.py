"""Counts of the effects of an import, and the report of one document."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from memcli.domain import Conversation, Doubt, Kind, Omission, SessionId, Skipped
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.lazy_dataclasses import dataclass, field, replace

PARTS = "parts"  # the reason for turns beyond the first of their message


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Numbers of sessions or turns, by the effect of an import on them."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        """All but the skipped ones."""
        return self.new + self.changed + self.unchanged

    def __add__(self, other: "ImportCounts") -> "ImportCounts":
        return ImportCounts(
            new=self.new + other.new,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            skipped=self.skipped + other.skipped,
        )


class ImportTally:
    """The effects of an import so far: on conversations, on sessions, and on turns."""

    def __init__(self) -> None:
        self.conversations: set[int] = set()
        self.new: set[SessionId] = set()
        self.changed: set[SessionId] = set()
        self.unchanged: set[SessionId] = set()
        self.turns = ImportCounts()
        self.parsed: Counter[Kind] = Counter()  # turns of each kind, as the parser yielded them
        self.forgotten = 0  # messages that the person forgot, and that are not imported again

    def count_parsed(self, parsed: Conversation, left: Conversation) -> None:
        """Count the turns of a conversation by kind, and the messages that were forgotten.

        Args:
            parsed: a conversation as it was parsed.
            left: the same without what was forgotten.
        """
        self.parsed.update(turn.kind for turn in parsed.turns)
        if len(left.turns) < len(parsed.turns):
            self.forgotten += _count_messages(parsed) - _count_messages(left)

    def session_counts(self, skipped: int) -> ImportCounts:
        """Return counts of sessions; each counts once, for its greatest change."""
        changed = self.changed - self.new
        unchanged = self.unchanged - self.new - changed
        return ImportCounts(len(self.new), len(changed), len(unchanged), skipped)


@dataclass(frozen=True, slots=True)
class MessageAccount:
    """The messages of a document, and the reasons for which they are not its turns.

    The messages seen are the turns of the report and all of `reasons`. A reason is an Omission,
    the kind of turns that are stored without being counted, or one of

        forgotten    the person forgot it, so that it is not imported again
        parts        turns beyond the first of their message, as a negative number
        unexplained  the parser did not say why; this is a fault of memcli
    """

    seen: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)  # kept content of unknown kinds

    @classmethod
    def close(cls, counter: MessageCounter, tally: ImportTally) -> "MessageAccount":
        """Return the account of a document that was parsed and stored."""
        missing = counter.count_unexplained(tally.parsed.total())
        reasons = Counter[str](counter.omitted)
        reasons.update({kind: n for kind, n in tally.parsed.items() if not kind.is_message})
        messages = sum(n for kind, n in tally.parsed.items() if kind.is_message)
        reasons["forgotten"] = tally.forgotten
        reasons[Omission.REPEATED] += messages - tally.forgotten - tally.turns.total
        reasons["unexplained"] = max(missing, 0)
        reasons[PARTS] = -counter.further_parts
        return cls(
            seen=counter.seen + max(-missing, 0),
            reasons={str(reason): count for reason, count in sorted(reasons.items()) if count},
            unknown=dict(sorted(counter.unknown.items())),
        )


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of importing one document."""

    path: str
    format: str | None  # None: not recognised, or not readable
    conversations: int = 0
    sessions: ImportCounts = field(default_factory=ImportCounts)
    turns: ImportCounts = field(default_factory=ImportCounts)
    warnings: tuple[Skipped | Doubt, ...] = ()
    memories: int = 0  # new ones, of those that another database exported
    messages: MessageAccount = field(default_factory=MessageAccount)
    consulted: tuple[str, ...] = ()  # names of the files that its parser looked up
    unrecognized: tuple[str, ...] = ()  # names of the files of its path that no format recognises

    @property
    def damaged(self) -> bool:
        """True if a part of the document could not be read."""
        return any(isinstance(warning, Skipped) and warning.lost for warning in self.warnings)

    @property
    def idle(self) -> bool:
        """True if the import changed nothing, and there is no warning."""
        counts = (self.sessions, self.turns)
        changed = self.memories or any(each.new or each.changed for each in counts)
        return not (self.warnings or changed)

    def as_unchanged(self) -> "ImportReport":
        """Return the report of the same document when nothing of it is new any more."""
        return replace(
            self,
            sessions=_all_unchanged(self.sessions),
            turns=_all_unchanged(self.turns),
            memories=0,
        )

    def to_record(self) -> dict[str, Any]:  # Any: as JSON has it
        """Return the report as the store keeps it."""
        from dataclasses import asdict

        warnings = [[type(one).__name__, asdict(one)] for one in self.warnings]
        return {**asdict(self), "warnings": warnings}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ImportReport":
        """Return the report that the store kept."""
        kinds = {"Skipped": Skipped, "Doubt": Doubt}
        warnings = tuple(kinds[kind](**values) for kind, values in record["warnings"])
        sessions, turns = (ImportCounts(**record[key]) for key in ("sessions", "turns"))
        messages = MessageAccount(**record.get("messages", {}))
        known = {"sessions": sessions, "turns": turns, "warnings": warnings, "messages": messages}
        names = {key: tuple(record.get(key, ())) for key in ("consulted", "unrecognized")}
        return cls(**{**record, **known, **names})


def _all_unchanged(counts: ImportCounts) -> ImportCounts:
    return ImportCounts(unchanged=counts.total, skipped=counts.skipped)


def _count_messages(conversation: Conversation) -> int:
    return sum(turn.kind.is_message for turn in conversation.turns)
