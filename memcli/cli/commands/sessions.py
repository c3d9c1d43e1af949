"""`mem sessions`."""

from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.json_output.session_documents import overview_json, sessions_document
from memcli.cli.last_list import keep_list, print_footer
from memcli.cli.option_groups import DatabaseOptions, FilterOptions, SessionOutputOptions
from memcli.cli.options import OptionalLimit
from memcli.cli.output.console import note, print_json, print_jsonl
from memcli.cli.output.markdown_csv import overviews_markdown, print_csv, print_text
from memcli.cli.output.session_text import show_in_pager
from memcli.cli.output.session_view import print_overviews, print_tabbed
from memcli.errors import EarlyExit, ExitCode


def sessions(
    *,
    limit: OptionalLimit = None,
    filters: FilterOptions,
    output: SessionOutputOptions,
    database: DatabaseOptions,
) -> None:
    """List sessions, the latest first.

    Exits with status 3 when there are none.
    """
    chosen = output.chosen_format()
    with database.open_existing() as store:
        warn_about_filters(store, filters.filters())
        found = list(store.sessions.summaries(filters.filters(), limit))
    match chosen:
        case "json":
            print_json(sessions_document(found))
        case "jsonl":
            print_jsonl(map(overview_json, found))
        case "csv":
            print_csv(map(overview_json, found))
        case "tsv":
            print_tabbed(found)
        case "markdown":
            print_text(overviews_markdown(found))
        case _:
            print_overviews(found, show_page=show_in_pager)
            keep_list(database.path, [one.id for one in found])
            print_footer(len(found), more=len(found) == limit)
    if not found:
        note("no sessions found")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
