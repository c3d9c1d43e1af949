"""The record of weights on this machine, kept as JSON beside them.

    memsifter-4b-Q4_K_M.gguf
    memsifter-4b-Q4_K_M.json     origin, checksum and verdict

A record that cannot be read counts as missing: the weights are then unverified, and can be
verified.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.domain import fingerprint
from memcli.files import locked_atomic_write
from memcli.lazy_dataclasses import dataclass, replace

VerificationState = Literal["verified", "failed", "changed", "unverified"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification."""

    passed: bool
    at: str  # UTC, ISO 8601
    faults: tuple[str, ...] = ()  # one sentence for each fault
    facts: tuple[str, ...] = ()  # one line for each measurement


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """The origin of weights, their checksum and their verdict.

    `size`, `modified` and `digest` tell cheaply whether the file is still the one that was hashed.
    """

    name: str  # the model's name
    quantization: str
    repository: str = ""
    commit: str = ""
    sha256: str = ""
    size: int = 0  # bytes
    modified: int = 0  # ns since 1970, from the file system
    digest: str = ""  # hash of samples of the contents, see `weights_digest`
    verdict: Verdict | None = None

    def matches(self, path: Path) -> bool:
        """Return whether the file has the size and the time of the one that was hashed."""
        status = path.stat()
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)


def record_path(path: Path) -> Path:
    """Return the path of the record of these weights."""
    return path.with_name(path.name.removesuffix(".gguf") + ".json")


def read_record(path: Path) -> WeightsRecord | None:
    """Return the record at a path, None if there is none that can be read."""
    try:
        return _parse(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_record(record: WeightsRecord, path: Path) -> None:
    """Write a record, whole or not at all.

    Raises:
        BackendError: the disk is full, or the folder cannot be written to.
    """
    from dataclasses import asdict

    path.parent.mkdir(parents=True, exist_ok=True)
    with locked_atomic_write(path) as part:
        part.write_text(json.dumps(asdict(record), indent=2) + "\n", "utf-8")


def describe_file(record: WeightsRecord, path: Path, *, sha256: str, digest: str) -> WeightsRecord:
    """Return the record with the current state of a file, and without a verdict."""
    status = path.stat()
    return replace(
        record,
        sha256=sha256,
        digest=digest,
        size=status.st_size,
        modified=status.st_mtime_ns,
        verdict=None,
    )


def weights_digest(path: Path, *, check: Callable[[Path], CheckedFile] = check_gguf) -> str:
    """Return a hash that changes with the weights, without reading all of them.

    Args:
        path: a GGUF file, or a folder of safetensors, of which names and sizes are hashed.
        check: checks a GGUF file.

    Raises:
        BackendError: the file is not a whole GGUF file.
    """
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.is_file())
        return fingerprint(*((one.name, one.stat().st_size) for one in files))
    return check(path).digest


def verification_state(
    path: Path, record: WeightsRecord | None, digest: Callable[[], str]
) -> VerificationState:
    """Return whether these weights were verified, without reading all of them.

    Args:
        path: a file or a folder.
        record: their record.
        digest: returns their current digest; called only for a folder, or a file whose size and
            time are the recorded ones.
    """
    if record is None or record.verdict is None:
        return "unverified"
    if not (path.is_dir() or record.matches(path)) or record.digest != digest():
        return "changed"
    return "verified" if record.verdict.passed else "failed"


def _parse(found: Mapping[str, Any]) -> WeightsRecord:
    known = {key: found[key] for key in WeightsRecord.__slots__ if key != "verdict"}
    verdict = found["verdict"]
    return WeightsRecord(
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
