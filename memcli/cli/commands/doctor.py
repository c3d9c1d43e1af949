"""`mem doctor`."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memcli.cli.doctor.store_checks import Check, disk_checks, fixing, store_checks, unopened
from memcli.cli.doctor.system_checks import surroundings
from memcli.cli.json_output.store_documents import CheckJson, DoctorJson
from memcli.cli.models.open import open_embedder
from memcli.cli.options import Database, Json, Quiet, Wait
from memcli.cli.output.console import console, print_json, safe
from memcli.cli.output.progress import bars, resumable
from memcli.errors import StoreError
from memcli.ingest.reindex import reindex
from memcli.settings import database_path
from memcli.store import Store

if TYPE_CHECKING:
    from rich.table import Table

Fix = Annotated[
    bool, typer.Option("--fix", help="Put right what can be put right without any loss.")
]
_STYLES = {"ok": "green", "fixed": "green", "note": "magenta", "fault": "bold red"}


def doctor(
    fix: Fix = False,
    as_json: Json = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Look at everything, and say what to do.

    At the database, the index, models, settings, the machine and its disk.

    `--fix` makes the index again, and closes files to others. Exits with status 5 when something
    is wrong with the database, 4 with the settings, 6 or 7 with a model.
    """
    path = database or database_path()
    fixed: list[str] = []
    found = _examined(path, wait, fixed if fix else None, quiet=quiet or as_json)
    if as_json:
        print_json(_document(found, fixed))
    else:
        _print([one for one in found if not quiet or one.state != "ok"], fixed)
    if faults := [one for one in found if one.state == "fault"]:
        raise typer.Exit(faults[0].status)


def _examined(path: Path, wait: float, fixed: list[str] | None, *, quiet: bool) -> list[Check]:
    """Look at everything; where `fixed` is given, fix what can be, and look again.

    Args:
        path: of the database.
        wait: seconds to wait for another writer.
        fixed: told the names of what was fixed; None where nothing is to be.
        quiet: whether to show no progress.
    """
    found = list(_found(path, wait, fixed, quiet=quiet))
    return list(_found(path, wait, None, quiet=quiet)) if fixed else found


def _found(path: Path, wait: float, fixed: list[str] | None, *, quiet: bool) -> Iterator[Check]:
    with ExitStack() as opened:
        store: Store | None = None
        if not path.exists():
            yield Check("database", "note", f"none at {path} yet", "`mem ingest PATH`")
        elif not path.is_file():
            yield unopened(StoreError(f"{path} is no file"))
        else:
            yield from fixing(disk_checks(path), fixed)
            try:
                store = opened.enter_context(Store(path, wait=wait))
                yield Check("database", "ok", str(path))
            except StoreError as error:
                yield unopened(error)
        if store is not None:
            rebuild = partial(_rebuild, store, path, quiet=quiet)
            yield from fixing(store_checks(store, rebuild), fixed)
        yield from surroundings(store)


def _rebuild(store: Store, path: Path, *, quiet: bool) -> None:
    """Make the index again."""
    with resumable("`mem doctor --fix` again"), bars(quiet=quiet) as progress:
        embedder = open_embedder(path)
        named = store.vectors.recorded()
        reindex(store, embedder, named=named, rebuild=True, progress=progress)


def _print(checks: Iterable[Check], fixed: Iterable[str]) -> None:
    rows: list[tuple[str, str, str, str]] = [
        (one.state, one.name, one.told, "" if one.state == "ok" else one.remedy) for one in checks
    ]
    rows += [("fixed", name, "", "") for name in dict.fromkeys(fixed)]
    out = console()
    if out.is_terminal:
        out.print(_table(rows))
        return
    width = max(len(name) for _, name, *_ in rows) if rows else 0
    for state, name, told, remedy in rows:
        last = f"; {remedy}" if remedy else ""
        out.print(safe(f"{state:<5}  {name:<{width}}  {told}{last}".rstrip()), soft_wrap=True)


def _table(rows: Iterable[tuple[str, str, str, str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for state, name, told, remedy in rows:
        words = Text(safe(told))
        if remedy:
            words.append(f"\n{safe(remedy)}", "cyan")
        table.add_row(Text(state, _STYLES[state]), name, words)
    return table


def _document(checks: Sequence[Check], fixed: Iterable[str]) -> DoctorJson:
    return DoctorJson(
        schema="mem.doctor/1",
        well=all(one.state != "fault" for one in checks),
        checks=[
            CheckJson(name=one.name, state=one.state, told=one.told, remedy=one.remedy or None)
            for one in checks
        ],
        fixed=list(dict.fromkeys(fixed)),
    )
