"""The command `mem timeline`."""

from typing import Annotated, Literal

from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.json_output.people_documents import timeline_document
from memcli.cli.option_groups import DatabaseOptions, FilterOptions
from memcli.cli.options import OUTPUT, Json, parse_text
from memcli.cli.output.charts.timeline_view import count_months, print_timeline, timeline_svg
from memcli.cli.output.console import note, print_json
from memcli.cli.output.markdown_csv import print_text
from memcli.cli.parsing.parameters import Argument, Option
from memcli.errors import EarlyExit, ExitCode, UsageError
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
TimelineFormat = Annotated[
    Literal["text", "json", "svg"] | None,
    Option(
        "--format",
        show_default=False,
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="Output format: `text` (the default), `json` or `svg`, a drawing for a file.",
    ),
]


def timeline(
    words: TimelineQuery = None,
    *,
    filters: FilterOptions,
    chosen: TimelineFormat = None,
    as_json: Json = False,
    database: DatabaseOptions,
) -> None:
    """Show how many sessions began in each month, of all or of those with the words.

    On a terminal, each month is a bar. Exits with status 3 when there are no sessions.
    """
    if as_json and chosen not in (None, "json"):
        raise UsageError(f"choose one format, not json and {chosen}", hint="`--format json`")
    query = " ".join(words or ())
    with database.open_existing() as store:
        wanted = filters.filters()
        warn_about_filters(store, wanted)
        if query.strip():
            terms = query_terms(query)
            wanted = filters.filters(store.index.sessions_with_all(terms, wanted))
        found = count_months(store.statistics.sessions_by_month(wanted))
    match "json" if as_json else chosen:
        case "json":
            print_json(timeline_document(query, found))
        case "svg":
            print_text(timeline_svg(query, found))
        case _:
            print_timeline(found)
    if not found.sessions:
        note("no sessions found")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
