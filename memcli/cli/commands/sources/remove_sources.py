"""`mem sources remove`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Quiet, parse_text
from memcli.cli.output.console import one_line, write_line
from memcli.cli.parsing.parameters import Argument
from memcli.ingest.paths.remembered_sources import find_remembered_path

SourcePaths = Annotated[
    list[str],
    Argument(
        parser=parse_text,
        autocompletion=values.offer_source_paths,
        metavar="PATH...",
        help="Paths as `mem sources` lists them, or their ends.",
    ),
]


def remove_sources(
    paths: SourcePaths, *, quiet: Quiet = False, database: WritableDatabaseOptions
) -> None:
    """Stop reading paths again; their sessions stay.

    `mem forget` deletes sessions.
    """
    with database.open_existing() as store, store.transaction():
        found = [find_remembered_path(store, path) for path in paths]
        for path in found:
            store.sources.remove(path)
    if not quiet:
        for path in found:
            write_line(f"{one_line(path)}: no longer read; its sessions stay")
