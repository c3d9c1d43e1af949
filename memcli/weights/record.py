"""What is known of weights on this machine, kept as JSON beside them.

    memsifter-4b-Q4_K_M.gguf
    memsifter-4b-Q4_K_M.json     where it comes from, what it hashes to, whether it passed

A record that cannot be read is no record: the weights are then unverified, and can be verified.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from memcli.files import whole_file

State = Literal["verified", "failed", "changed", "unverified"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the weights did when they were verified."""

    passed: bool
    at: str  # UTC, ISO 8601
    faults: tuple[str, ...] = ()  # what is wrong, one sentence each
    facts: tuple[str, ...] = ()  # what was measured


@dataclass(frozen=True, slots=True)
class Record:
    """Where weights come from, what they look like, and how they did.

    `size`, `modified` and `digest` tell cheaply whether the file is still the one that was hashed.
    """

    name: str  # of the model
    quantization: str
    repository: str = ""
    commit: str = ""
    sha256: str = ""
    size: int = 0  # bytes
    modified: int = 0  # ns since 1970, as the file system says
    digest: str = ""  # samples of the contents, see `backends.gguf_check`
    verdict: Verdict | None = None

    def is_of(self, path: Path) -> bool:
        """Return whether the file looks, from outside, like the one that was hashed."""
        status = path.stat()
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)


def beside(path: Path) -> Path:
    """Return where the record of these weights is, or would be."""
    return path.with_name(path.name.removesuffix(".gguf") + ".json")


def read_record(place: Path) -> Record | None:
    """Return the record at a place, None where there is none that can be read."""
    try:
        found = json.loads(place.read_text("utf-8"))
        return _record(found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_record(record: Record, place: Path) -> None:
    """Write a record, whole or not at all.

    Raises:
        BackendError: the disk is full, or the folder cannot be written to.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(place) as part:
        part.write_text(json.dumps(asdict(record), indent=2) + "\n", "utf-8")


def of_file(record: Record, path: Path, *, sha256: str, digest: str) -> Record:
    """Return the record of what a file is now, without a verdict."""
    status = path.stat()
    return replace(
        record,
        sha256=sha256,
        digest=digest,
        size=status.st_size,
        modified=status.st_mtime_ns,
        verdict=None,
    )


def state_of(path: Path, record: Record | None, digest: Callable[[], str]) -> State:
    """Return whether these weights can be trusted, without reading all of them.

    Args:
        path: a file or a folder.
        record: what is known of it.
        digest: of the weights as they are now, from samples; asked for only of a file whose size
            and time of change are the recorded ones, and of a folder.
    """
    if record is None or record.verdict is None:
        return "unverified"
    if not (path.is_dir() or record.is_of(path)) or record.digest != digest():
        return "changed"
    return "verified" if record.verdict.passed else "failed"


def _record(found: Mapping[str, Any]) -> Record:
    known = {key: found[key] for key in Record.__slots__ if key != "verdict"}
    verdict = found["verdict"]
    return Record(
        **known,
        verdict=None
        if verdict is None
        else Verdict(
            verdict["passed"] is True,
            str(verdict["at"]),
            tuple(map(str, verdict["faults"])),
            tuple(map(str, verdict["facts"])),
        ),
    )
