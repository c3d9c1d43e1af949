"""Counts of the effects of an import, and the report of one document."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from memcli.domain import Doubt, SessionId, Skipped


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Numbers of sessions or turns, by the effect of an import on them."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0

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

    def session_counts(self, skipped: int) -> ImportCounts:
        """Return counts of sessions; each counts once, for its greatest change."""
        changed = self.changed - self.new
        unchanged = self.unchanged - self.new - changed
        return ImportCounts(len(self.new), len(changed), len(unchanged), skipped)


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
        warnings = [[type(one).__name__, asdict(one)] for one in self.warnings]
        return {**asdict(self), "warnings": warnings}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ImportReport":
        """Return the report that the store kept."""
        kinds = {"Skipped": Skipped, "Doubt": Doubt}
        warnings = tuple(kinds[kind](**values) for kind, values in record["warnings"])
        sessions, turns = (ImportCounts(**record[key]) for key in ("sessions", "turns"))
        return cls(**{**record, "sessions": sessions, "turns": turns, "warnings": warnings})


def _all_unchanged(counts: ImportCounts) -> ImportCounts:
    total = counts.new + counts.changed + counts.unchanged
    return ImportCounts(unchanged=total, skipped=counts.skipped)
