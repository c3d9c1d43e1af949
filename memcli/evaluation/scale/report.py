"""The report of `mem bench --speed --sessions N`, and its comparison with an earlier one."""

import json
from pathlib import Path
from typing import Annotated, Literal

from memcli.errors import InputError
from memcli.evaluation.scale.processes import CommandCost
from memcli.lazy_dataclasses import dataclass, field
from memcli.store import DiskUse

SCHEMA: Literal["mem.scale/1"] = "mem.scale/1"


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """The cost of a command, beside the least that the machine needs for the same."""

    command: str
    cost: CommandCost
    floor: Annotated[str, "The program that it is compared with; empty without one."] = ""
    floor_cost: CommandCost | None = None
    times_floor: float | None = field(init=False, default=None)  # by processor time

    def __post_init__(self) -> None:
        """Compare the command with its floor."""
        if self.floor_cost:
            times = self.cost.cpu_seconds / max(self.floor_cost.cpu_seconds, 1e-3)
            object.__setattr__(self, "times_floor", times)


@dataclass(frozen=True, slots=True)
class ScaleReport:
    """The costs of all commands on one generated archive."""

    schema: Literal["mem.scale/1"] = field(default=SCHEMA, init=False)
    sessions: Annotated[int, "Stored; long chats are cut when they are imported."]
    turns: int
    export_bytes: int
    import_cpu_seconds_per_megabyte: Annotated[float, "With the index, of a million bytes."]
    import_seconds_per_megabyte: Annotated[float, "By the clock."]
    rows: list[ScaleRow]
    disk: DiskUse
    database_to_text: Annotated[float, "Bytes of the database for a byte of text."]


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """The processor seconds of an earlier report, by command."""

    cpu_seconds: dict[str, float]
    database_to_text: float

    @classmethod
    def read(cls, path: Path) -> "EarlierRun":
        """Read a report that `--json` printed.

        Raises:
            InputError: it is none.
        """
        try:
            report = json.loads(path.read_bytes())
            if report["schema"] != SCHEMA:
                raise InputError(f"{path} is no report of `mem bench --speed --sessions N --json`")
            seconds = {row["command"]: row["cost"]["cpu_seconds"] for row in report["rows"]}
            return cls(seconds, report["database_to_text"])
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is no report of `mem bench --speed --sessions N --json`"
            ) from error
