"""The paths that were imported: their contents, and whether they have changed since."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic

from memcli.errors import NotFoundError
from memcli.ingest.import_counts import ImportReport
from memcli.lazy_dataclasses import dataclass
from memcli.store import Store


class SourceState(StrEnum):
    """The state of a remembered path since it was last read."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"  # a file was written, or has come, since then
    GONE = "gone"
    UNKNOWN = "unknown"  # it was last read by a memcli that did not record when


@dataclass(frozen=True, slots=True)
class RememberedSource:
    """A path that was imported."""

    path: str
    formats: tuple[str, ...]  # in the order of its files
    sessions: int  # number of sessions that were seen when its files were last read
    read_at: datetime | None
    state: SourceState


def list_remembered_sources(store: Store) -> list[RememberedSource]:
    """Return every remembered path, ordered by path."""
    return [
        _describe(store, path, kept.get("read_at")) for path, kept in store.sources.list_paths()
    ]


def count_changed_sources(store: Store, seconds: float) -> int:
    """Return how many remembered paths have changed since they were read.

    Args:
        store: the database.
        seconds: the time after which no further path is looked at.
    """
    deadline = monotonic() + seconds
    count = 0
    for path, kept in store.sources.list_paths():
        state = _find_state(Path(path), kept.get("read_at"), deadline)
        count += state is SourceState.CHANGED
        if monotonic() > deadline:
            break
    return count


def find_remembered_path(store: Store, name: str) -> str:
    """Return the remembered path that is named: in full, relative to here, or by its end.

    Raises:
        NotFoundError: there is none, or there are several.
    """
    paths = [path for path, _ in store.sources.list_paths()]
    absolute = os.path.normpath(Path(name).expanduser().absolute())
    if absolute in paths:
        return absolute
    found = [path for path in paths if path.endswith(f"/{name.strip('/')}")]
    if len(found) == 1:
        return found[0]
    problem = "several remembered paths end with" if found else "no remembered path is"
    raise NotFoundError(f"{problem} `{name}`", hint="`mem sources` lists them")


def _describe(store: Store, path: str, read_at: float | None) -> RememberedSource:
    reports = list(map(ImportReport.from_record, store.sources.file_reports(path)))
    counts = [one.sessions for one in reports if one.format]
    return RememberedSource(
        path=path,
        formats=tuple(dict.fromkeys(one.format for one in reports if one.format)),
        sessions=sum(one.new + one.changed + one.unchanged for one in counts),
        read_at=None if read_at is None else datetime.fromtimestamp(read_at, UTC).astimezone(),
        state=_find_state(Path(path), read_at),
    )


def _find_state(path: Path, read_at: float | None, deadline: float | None = None) -> SourceState:
    if not path.exists():
        return SourceState.GONE
    if read_at is None:
        return SourceState.UNKNOWN
    for changed_at in _change_times(path):
        if changed_at > read_at:
            return SourceState.CHANGED
        if deadline is not None and monotonic() > deadline:
            break
    return SourceState.UNCHANGED


def _change_times(path: Path) -> Iterator[float]:
    """Yield when each file at a path was written or moved there, in seconds since 1970."""
    if not path.is_dir():
        yield path.stat().st_ctime
        return
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                yield Path(folder, name).lstat().st_ctime
            except FileNotFoundError:  # it went in the meantime
                continue
