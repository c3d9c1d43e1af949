"""The result of one check."""

from collections.abc import Callable
from typing import Literal

from memcli.errors import ExitCode
from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check, its finding in words, and the remedy."""

    name: str
    state: Literal["ok", "note", "fault"]
    finding: str
    remedy: str = ""  # a command to type, or a thing to do
    status: ExitCode = ExitCode.OK  # the exit status if this is a fault
    repair: Callable[[], object] | None = None  # loses nothing, whatever the cause
