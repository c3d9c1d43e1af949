"""What `mem doctor` looks at in the database and on the disk; each check with its remedy."""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from memcli.cli.models.inventory import told
from memcli.cli.output.console import note
from memcli.errors import ExitCode, MemError, StoreError
from memcli.settings import config_file, database_path
from memcli.store import Store

LONGEST_LOG = 64 << 20  # bytes of what was written and is not taken over into the database yet
LEAST_ROOM = 1 << 30  # bytes of the disk

State = Literal["ok", "note", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and what was found."""

    name: str
    state: State
    told: str
    remedy: str = ""  # what to type, or to do
    status: ExitCode = ExitCode.OK  # what a fault ends in
    fix: Callable[[], object] | None = None  # does no harm, whatever the reason


def disk_checks(path: Path) -> Iterator[Check]:
    """Look at the files around a database, without opening it."""
    yield _permissions(path)
    yield _room(path)


def store_checks(store: Store, rebuild: Callable[[], object]) -> Iterator[Check]:
    """Look into a database.

    Args:
        store: the database.
        rebuild: makes its index again.
    """
    again = "`mem index --rebuild` makes it again"
    copy = "`mem export > FILE` saves what can be read; a backup is better"
    health = store.health
    damage = _asked("integrity", lambda: [*health.damage(), *health.strays()], copy)
    yield damage
    yield _asked("full text", health.words, again, rebuild)
    yield _asked("vectors", health.vectors, again, rebuild)
    if damage.state == "ok":
        yield from _unfinished(store)
        yield _log(store)
        yield _sources(store)


def fixing(checks: Iterable[Check], fixed: list[str] | None) -> Iterator[Check]:
    """Pass checks on; where `fixed` is given, fix what can be, and tell it the names."""
    for check in checks:
        if fixed is not None and check.fix and check.state != "ok":
            try:
                check.fix()
                fixed.append(check.name)
            except (MemError, OSError) as error:
                note(f"the {check.name} could not be put right: {error}")
        yield check


def unopened(error: StoreError) -> Check:
    """Return the verdict on a database that cannot even be opened."""
    remedy = error.hint or "name another file with `--db`"
    if "damaged" in str(error) or "not a database" in str(error):
        remedy = "put a backup in its place, or import the exports into another file with `--db`"
    return Check("database", "fault", str(error), remedy, ExitCode.STORE)


def _asked(
    name: str,
    look: Callable[[], Sequence[str]],
    remedy: str,
    fix: Callable[[], object] | None = None,
) -> Check:
    try:
        found = look()
    except StoreError as error:
        found = [str(error)]
    if not found:
        return Check(name, "ok", "complete and sound" if fix else "sound")
    return Check(name, "fault", "; ".join(found), remedy, ExitCode.STORE, fix)


def _unfinished(store: Store) -> Iterator[Check]:
    if named := store.vectors.unfinished():
        what = f"the vectors of {named} are not complete; those before them serve"
        yield Check("embedding", "note", what, "`mem index` goes on")


def _log(store: Store) -> Check:
    size = store.log_size()
    if size <= LONGEST_LOG:
        return Check("log", "ok", f"{told(size)} to be taken over")
    what = f"{told(size)} were written and not yet taken over into the database"
    return Check("log", "note", what, "`mem doctor --fix`", fix=store.take_over_log)


def _sources(store: Store) -> Check:
    named = [path for path, _ in store.sources.all()]
    gone = [path for path in named if not Path(path).exists()]
    if not gone:
        count = len(named)
        return Check("sources", "ok", f"{count} remembered, all there" if count else "none yet")
    more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
    what = f"no longer there: {', '.join(gone[:3])}{more}; what came from them is kept"
    return Check("sources", "note", what, "`mem ingest PATH`, if they are elsewhere now")


def _permissions(path: Path) -> Check:
    wanted = [(path, 0o600), *((beside, 0o600) for beside in _beside(path))]
    if path == database_path():
        wanted.append((path.parent, 0o700))
    if config_file().exists():
        wanted.append((config_file(), 0o644))
    open_to_others = [(each, mode) for each, mode in wanted if _mode(each) & ~mode & 0o077]

    def close() -> None:
        for each, mode in open_to_others:
            each.chmod(_mode(each) & mode)

    if not open_to_others:
        return Check("permissions", "ok", "nobody else can read it")
    what = ", ".join(f"{each} is open to others ({_mode(each):o})" for each, _ in open_to_others)
    remedy = " && ".join(f"`chmod {mode:o} {each}`" for each, mode in open_to_others)
    return Check("permissions", "fault", what, remedy, ExitCode.STORE, close)


def _beside(path: Path) -> list[Path]:
    names = (f"{path.name}-wal", f"{path.name}-shm")
    return [each for each in map(path.with_name, names) if each.exists()]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _room(path: Path) -> Check:
    free, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if not writable:
        remedy = f"`ls -ld {path.parent} {path}` says whose they are"
        return Check("disk", "fault", f"{path} cannot be written to", remedy, ExitCode.STORE)
    what = f"{told(free)} free, the database takes {told(size)}"
    if free < max(LEAST_ROOM, size):
        return Check("disk", "note", what, f"make room: `df -h {path.parent}`")
    return Check("disk", "ok", what)
