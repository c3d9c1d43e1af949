"""Runs all checks of `mem doctor`; with `--fix` repairs, and runs them again."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from memcli.cli.doctor.database_checks import check_files, check_store, unopenable
from memcli.cli.doctor.environment_checks import check_environment
from memcli.cli.doctor.health_check import HealthCheck
from memcli.cli.json_output.store_documents import CheckJson, DoctorJson
from memcli.cli.models.open import open_embedder
from memcli.cli.output.console import note
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.errors import InputError, KeyMissingError, MemError, StoreError, WrongKeyError
from memcli.lazy_dataclasses import dataclass, replace
from memcli.store import Store
from memcli.store.maintenance.rescue import rescue

_UNOPENABLE = (StoreError, KeyMissingError, WrongKeyError, InputError)  # the last: of the settings


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All checks, and the names of those that were repaired."""

    checks: list[HealthCheck]
    fixed: list[str]
    secrets: Mapping[str, int] | None = None  # number of secrets by kind; None if not counted

    def with_secrets(self, path: Path) -> "DoctorReport":
        """Return this report with the number of secrets in a database by kind.

        Raises:
            StoreError: there is no database, or it cannot be read.
        """
        from memcli.text.redaction import count_secrets  # compiles some fifty patterns
        from memcli.text.secret_patterns import SECRET_KINDS

        with Store.existing(path, read_only=True) as store:
            found = count_secrets(store.statistics.texts())
        return replace(self, secrets={kind: found[kind] for kind in SECRET_KINDS})

    @property
    def faults(self) -> list[HealthCheck]:
        """The checks that found a fault."""
        return [check for check in self.checks if check.state == "fault"]

    def document(self) -> DoctorJson:
        """Return the document that `--json` prints."""
        return DoctorJson(
            schema="mem.doctor/1",
            well=not self.faults,
            checks=[
                CheckJson(
                    name=one.name, state=one.state, told=one.finding, remedy=one.remedy or None
                )
                for one in self.checks
            ],
            fixed=self.fixed,
            secrets=None if self.secrets is None else dict(self.secrets),
        )


def run_checks(path: Path, wait: float, *, fix: bool, quiet: bool) -> DoctorReport:
    """Check everything; with `fix` repair what can be repaired, and check again.

    Args:
        path: of the database.
        wait: seconds to wait for another writer.
        fix: whether to repair.
        quiet: whether to show no progress.
    """
    fixed: list[str] = []
    checks = list(_checks(path, wait, fixed if fix else None, quiet=quiet))
    if fixed:
        checks = list(_checks(path, wait, None, quiet=quiet))
    return DoctorReport(checks, list(dict.fromkeys(fixed)))


def rescue_database(path: Path, target: Path, *, quiet: bool) -> str:
    """Save every readable row of a damaged database into a new one, index it, and say what it has.

    Args:
        path: of the damaged database.
        target: of the new one.
        quiet: whether to show no progress.
    """
    saved = rescue(path, target)
    with Store(target) as store:
        _rebuild_index(store, quiet=quiet)
    dropped = f"; {saved.dropped:,} rows belong to nothing that is left" if saved.dropped else ""
    return f"saved {saved.sessions:,} sessions with {saved.turns:,} turns in {target}{dropped}"


def _checks(
    path: Path, wait: float, fixed: list[str] | None, *, quiet: bool
) -> Iterator[HealthCheck]:
    """Yield every check; where `fixed` is a list, repair and add the names of the checks."""
    with ExitStack() as stack:
        store: Store | None = None
        if not path.exists():
            yield HealthCheck("database", "note", f"none at {path} yet", "`mem ingest PATH`")
        elif not path.is_file():
            yield unopenable(StoreError(f"{path} is not a file"))
        else:
            yield from _repair(check_files(path), fixed)
            try:
                store = stack.enter_context(Store(path, wait=wait))
                yield HealthCheck("database", "ok", str(path))
            except _UNOPENABLE as error:
                yield unopenable(error)
        if store is not None:
            rebuild = partial(_rebuild_index, store, quiet=quiet)
            try:
                yield from _repair(check_store(store, rebuild), fixed)
            except StoreError as error:  # damage that stands in the way of a check itself
                yield unopenable(error)
        yield from check_environment(store)


def _repair(checks: Iterable[HealthCheck], fixed: list[str] | None) -> Iterator[HealthCheck]:
    """Yield checks; where `fixed` is a list, repair first and add the names of the checks."""
    for check in checks:
        if fixed is not None and check.repair and check.state != "ok":
            try:
                check.repair()
                fixed.append(check.name)
            except (MemError, OSError) as error:
                note(f"the {check.name} could not be repaired: {error}")
        yield check


def _rebuild_index(store: Store, *, quiet: bool) -> None:
    from memcli.ingest.reindex import reindex  # imports what most checks never need

    with resume_hint("`mem doctor --fix` again"), progress_bars(quiet=quiet) as progress:
        embedder = open_embedder(store)
        name = store.vector_sets.active_embedder_name()
        reindex(store, embedder, embedder_name=name, rebuild=True, progress=progress)
