"""`mem sources remove`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.json_output.import_documents import sources_document
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.console import one_line, write_line
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text
from memcli.ingest.paths.remembered_sources import (
    find_remembered_path,
    list_remembered_sources,
)

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
    paths: SourcePaths, *, output: ResultOptions, database: WritableDatabaseOptions
) -> None:
    """Stop reading paths again; their sessions stay.

    `mem forget` deletes sessions.
    """
    with database.open_existing() as store, store.transaction():
        found = [find_remembered_path(store, path) for path in paths]
        for path in found:
            store.sources.remove(path)
        left = list_remembered_sources(store)
    output.print_result(
        lambda: sources_document(left),
        lambda: write_line(
            "\n".join(f"{one_line(path)}: no longer read; its sessions stay" for path in found)
        ),
    )
