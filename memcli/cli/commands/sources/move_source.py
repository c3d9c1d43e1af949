"""`mem sources move`."""

from pathlib import Path
from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.json_output.import_documents import sources_document
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.console import one_line, write_line
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text
from memcli.errors import InputError
from memcli.ingest.paths.remembered_sources import (
    find_remembered_path,
    list_remembered_sources,
)

OldPath = Annotated[
    str,
    Argument(
        parser=parse_text,
        autocompletion=values.offer_source_paths,
        metavar="OLD",
        help="Path as `mem sources` lists it, or its end.",
    ),
]
NewPath = Annotated[Path, Argument(metavar="NEW", help="The place where it lies now.")]


def move_source(
    old: OldPath, new: NewPath, *, output: ResultOptions, database: WritableDatabaseOptions
) -> None:
    """Record that an imported file or folder lies elsewhere now.

    Nothing is moved on the disk, and nothing is read again that has not changed.
    """
    place = new.expanduser().absolute()
    if not place.exists():
        raise InputError(f"no file or folder at {new}", hint="move it there first")
    with database.open_existing() as store, store.transaction():
        path = find_remembered_path(store, old)
        store.sources.move(path, str(place))
        now = list_remembered_sources(store)
    output.print_result(
        lambda: sources_document(now),
        lambda: write_line(f"{one_line(path)}: now {one_line(str(place))}"),
    )
