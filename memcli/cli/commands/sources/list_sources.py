"""`mem sources list`."""

from memcli.cli.json_output.import_documents import remembered_source_json, sources_document
from memcli.cli.option_groups import DatabaseOptions, ListOutputOptions
from memcli.cli.output.console import note
from memcli.cli.output.import_view import print_remembered_sources
from memcli.cli.output.markdown_csv import print_listing
from memcli.errors import EarlyExit, ExitCode
from memcli.ingest.paths.remembered_sources import list_remembered_sources


def list_sources(*, output: ListOutputOptions, database: DatabaseOptions) -> None:
    """List every path that was imported: when it was last read, and whether it has changed.

    Each has its format and the number of sessions that its files held when they were read. Exits
    with status 3 when there are none.
    """
    with database.open_existing() as store:
        found = list_remembered_sources(store)
    print_listing(
        output.chosen_format(),
        lambda: sources_document(found),
        lambda: map(remembered_source_json, found),
        lambda: print_remembered_sources(found),
    )
    if not found:
        note("no path is remembered")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
