"""Checks of the database file, its index and its sources, and of the disk."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from memcli.cli.doctor.health_check import HealthCheck
from memcli.cli.models.inventory import human_size
from memcli.errors import ExitCode, InputError, MemError, StoreError
from memcli.settings import KeySettings, config_file, default_database, load_settings
from memcli.store import Store

_SAVE = "`mem doctor --rescue FILE` saves what can be read; a backup is better"

LARGEST_LOG = 64 << 20  # bytes of the write-ahead log
LEAST_FREE = 1 << 30  # bytes of the disk


def check_files(path: Path) -> Iterator[HealthCheck]:
    """Check the files of a database and the disk, without opening the database."""
    yield _check_permissions(path)
    yield _check_disk(path)


def check_store(store: Store, rebuild: Callable[[], object]) -> Iterator[HealthCheck]:
    """Check an open database.

    Args:
        store: the database.
        rebuild: makes its index again; the repair of the index.
    """
    yield _check_encryption(store)
    again = "`mem index --rebuild` makes it again"
    health = store.health
    damage = _check_problems(
        "integrity", lambda: [*health.check_file(), *health.check_references()], _SAVE
    )
    yield damage
    yield _check_problems("checksums", health.check_checksums, _SAVE)
    if unchecked := health.count_unchecked():
        finding = f"{unchecked:,} sessions of an older memcli have no checksum yet"
        yield HealthCheck(
            "checksums", "note", finding, "`mem doctor --fix`", repair=health.add_checksums
        )
    yield _check_problems("full text", health.check_full_text, again, rebuild)
    yield _check_problems("vectors", health.check_vectors, again, rebuild)
    if damage.state == "ok":
        yield from _check_embedding(store)
        yield _check_log(store)
        yield _check_sources(store)


def unopenable(error: MemError) -> HealthCheck:
    """Return the fault of a database that cannot be opened."""
    remedy = error.hint or "name another file with `--db`"
    if "damaged" in str(error) or "not a database" in str(error):
        remedy = f"{_SAVE}; the exports can be imported into another file with `--db`"
    return HealthCheck("database", "fault", str(error), remedy, error.exit_code)


def _check_problems(
    name: str,
    find_problems: Callable[[], Sequence[str]],
    remedy: str,
    repair: Callable[[], object] | None = None,
) -> HealthCheck:
    try:
        problems = find_problems()
    except StoreError as error:
        problems = [str(error)]
    if not problems:
        return HealthCheck(name, "ok", "complete and sound" if repair else "sound")
    return HealthCheck(name, "fault", "; ".join(problems), remedy, ExitCode.STORE, repair)


def _check_embedding(store: Store) -> Iterator[HealthCheck]:
    if name := store.vector_sets.incomplete_embedder_name():
        finding = f"the vectors of {name} are not complete; the previous ones are in use"
        yield HealthCheck("embedding", "note", finding, "`mem index` goes on")


def _check_log(store: Store) -> HealthCheck:
    size = store.log_size()
    if size <= LARGEST_LOG:
        return HealthCheck("log", "ok", f"write-ahead log: {human_size(size)} not yet merged")
    finding = f"write-ahead log: {human_size(size)} not yet merged into the database"
    remedy = "`mem doctor --fix`"
    return HealthCheck("log", "note", finding, remedy, repair=store.merge_log)


def _check_encryption(store: Store) -> HealthCheck:
    if store.key:
        return HealthCheck("encryption", "ok", f"encrypted; {store.key.origin} opens it")
    if _key_settings().has_source:
        finding = "the settings name a key, and the database is not encrypted"
        return HealthCheck("encryption", "note", finding, "`mem encrypt`")
    return HealthCheck("encryption", "ok", "none; `mem encrypt` adds it")


def _key_settings() -> KeySettings:
    try:
        return load_settings().database
    except InputError:  # it is reported with the settings
        return KeySettings()


def _check_sources(store: Store) -> HealthCheck:
    paths = [path for path, _ in store.sources.list_paths()]
    gone = [path for path in paths if not Path(path).exists()]
    if not gone:
        count = len(paths)
        return HealthCheck(
            "sources", "ok", f"{count} remembered, all there" if count else "none yet"
        )
    more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
    finding = f"no longer there: {', '.join(gone[:3])}{more}; what came from them is kept"
    remedy = "`mem sources move OLD NEW`, or `mem sources remove PATH`"
    return HealthCheck("sources", "note", finding, remedy)


def _check_permissions(path: Path) -> HealthCheck:
    allowed = [(path, 0o600), *((beside, 0o600) for beside in _log_files(path))]
    if path == default_database():
        allowed.append((path.parent, 0o700))
    if key_file := _key_settings().key_file:
        allowed.append((Path(key_file).expanduser(), 0o600))
    if config_file().exists():
        allowed.append((config_file(), 0o644))
    open_to_others = [
        (each, mode) for each, mode in allowed if each.exists() and _mode(each) & ~mode & 0o077
    ]

    def close() -> None:
        for each, mode in open_to_others:
            each.chmod(_mode(each) & mode)

    if not open_to_others:
        return HealthCheck("permissions", "ok", "only you can read it")
    finding = ", ".join(f"{each} is open to others ({_mode(each):o})" for each, _ in open_to_others)
    remedy = " && ".join(f"`chmod {mode:o} {each}`" for each, mode in open_to_others)
    return HealthCheck("permissions", "fault", finding, remedy, ExitCode.STORE, close)


def _log_files(path: Path) -> list[Path]:
    names = (f"{path.name}-wal", f"{path.name}-shm")
    return [each for each in map(path.with_name, names) if each.exists()]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _check_disk(path: Path) -> HealthCheck:
    free, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if not writable:
        remedy = f"`ls -ld {path.parent} {path}` shows their owner"
        return HealthCheck("disk", "fault", f"{path} cannot be written to", remedy, ExitCode.STORE)
    finding = f"{human_size(free)} free, the database takes {human_size(size)}"
    if free < max(LEAST_FREE, size):
        return HealthCheck("disk", "note", finding, f"make room: `df -h {path.parent}`")
    return HealthCheck("disk", "ok", finding)
