"""The command `mem timeline`."""

from typing import Annotated

from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.json_output.people_documents import timeline_document
from memcli.cli.option_groups import ChartOutputOptions, DatabaseOptions, FilterOptions
from memcli.cli.output.charts.timeline_view import count_months, print_timeline, timeline_svg
from memcli.cli.output.console import note
from memcli.cli.output.markdown_csv import print_listing, print_text
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text
from memcli.errors import EarlyExit, ExitCode
from memcli.store import query_terms

TimelineQuery = Annotated[
    list[str] | None,
    Argument(
        metavar="[QUERY...]",
        parser=parse_text,
        show_default=False,
        help="Only sessions with all of these words.",
    ),
]


def timeline(
    words: TimelineQuery = None,
    *,
    filters: FilterOptions,
    output: ChartOutputOptions,
    database: DatabaseOptions,
) -> None:
    """Show how many sessions began in each month, of all or of those with the words.

    On a terminal, each month is a bar. Exits with status 3 when there are no sessions.
    """
    chosen = output.chosen_format()
    query = " ".join(words or ())
    with database.open_existing() as store:
        wanted = filters.filters()
        warn_about_filters(store, wanted)
        if query.strip():
            terms = query_terms(query)
            wanted = filters.filters(store.index.sessions_with_all(terms, wanted))
        found = count_months(store.statistics.sessions_by_month(wanted))
    if chosen == "svg":
        print_text(timeline_svg(query, found))
    else:
        print_listing(
            chosen,
            lambda: timeline_document(query, found),
            lambda: timeline_document(query, found)["months"],
            lambda: print_timeline(found),
        )
    if not found.sessions:
        note("no sessions found")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
