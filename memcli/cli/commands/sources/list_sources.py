"""`mem sources list`."""

from memcli.cli.json_output.import_documents import remembered_source_json, sources_document
from memcli.cli.option_groups import DatabaseOptions
from memcli.cli.options import Json, Jsonl
from memcli.cli.output.console import note, print_json, print_jsonl
from memcli.cli.output.import_view import print_remembered_sources
from memcli.errors import EarlyExit, ExitCode
from memcli.ingest.paths.remembered_sources import list_remembered_sources


def list_sources(
    *, as_json: Json = False, as_jsonl: Jsonl = False, database: DatabaseOptions
) -> None:
    """List every path that was imported: when it was last read, and whether it has changed.

    Each has its format and the number of sessions that its files held when they were read. Exits
    with status 3 when there are none.
    """
    with database.open_existing() as store:
        found = list_remembered_sources(store)
    if as_json:
        print_json(sources_document(found))
    elif as_jsonl:
        print_jsonl(map(remembered_source_json, found))
    else:
        print_remembered_sources(found)
    if not found:
        note("no path is remembered")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
