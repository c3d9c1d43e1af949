"""Exports that could be imported: those found on this machine, and those that have changed.

Every question loads this module, so what only imports need is loaded where it is used.
"""

import sys
from pathlib import Path

from memcli.cli.confirmation import confirm
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.output.console import note, print_json, remark
from memcli.cli.output.numbers import pluralize
from memcli.errors import EarlyExit, ExitCode
from memcli.store import Store

LOOK_SECONDS = 0.05  # the most time that looking for changed paths may add to a search


def choose_discovered(
    database: WritableDatabaseOptions, *, yes: bool, dry_run: bool, as_json: bool
) -> list[Path]:
    """Print the places on this machine that can be imported, and return them if that is wanted.

    Args:
        database: its remembered paths are left out.
        yes: whether to import without asking.
        dry_run: whether to print them only.
        as_json: whether to print JSON, with `dry_run`.

    Raises:
        EarlyExit: there are none, or they are not to be imported.
        UsageError: there is no terminal to ask on.
    """
    from memcli.cli.json_output.import_documents import discover_document
    from memcli.cli.output.import_view import print_discovered
    from memcli.ingest.paths.discover import discover_places

    known: list[Path] = []
    if database.path.exists():
        with database.open_existing() as store:
            known = [Path(path) for path, _ in store.sources.list_paths()]
    found = list(discover_places(Path.home(), known))
    if dry_run and as_json:
        print_json(discover_document(found))
    else:
        print_discovered(found, sys.stdout if dry_run else sys.stderr)
    paths = [place.path for place in found if place.format]
    if not paths:
        note("nothing new was found" if known else "nothing was found; `mem ingest PATH` imports")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
    if dry_run:
        raise EarlyExit
    confirm(f"import {pluralize(len(paths), 'place')}", "nothing was imported", yes=yes)
    return paths


def note_changed_sources(store: Store) -> None:
    """Say on a terminal that remembered paths have changed since they were imported."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        return
    from memcli.ingest.paths.remembered_sources import count_changed_sources

    if count := count_changed_sources(store, LOOK_SECONDS):
        have = "has" if count == 1 else "have"
        remark(f"{pluralize(count, 'source')} {have} changed since: `mem ingest` reads what is new")
