"""`mem people list`."""

from typing import Annotated

from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.json_output.people_documents import people_document, person_json
from memcli.cli.option_groups import DatabaseOptions, FilterOptions, ListOutputOptions
from memcli.cli.options import limit_option
from memcli.cli.output.charts.people_view import merge_known_names, print_people
from memcli.cli.output.console import note
from memcli.cli.output.markdown_csv import print_listing
from memcli.errors import EarlyExit, ExitCode
from memcli.settings import load_settings

MaxPeople = Annotated[int | None, limit_option("Show at most this many people")]


def list_people(
    *,
    limit: MaxPeople = None,
    filters: FilterOptions,
    output: ListOutputOptions,
    database: DatabaseOptions,
) -> None:
    """List the people who speak, those with most turns first.

    Each has the number of their turns and sessions, the days of the first and the last turn, and
    the sources. The names that the settings give one person count together. Exits with status 3
    when there are none.
    """
    with database.open_existing() as store:
        warn_about_filters(store, filters.filters())
        counts = store.statistics.activity_by_speaker(filters.filters())
    found = merge_known_names(counts, load_settings())[:limit]
    print_listing(
        output.chosen_format(),
        lambda: people_document(found),
        lambda: map(person_json, found),
        lambda: print_people(found),
    )
    if not found:
        note("no people found")
        raise EarlyExit(ExitCode.NOTHING_FOUND)
