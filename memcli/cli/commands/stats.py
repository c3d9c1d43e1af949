"""`mem stats`."""

from memcli.cli.option_groups import ChartOutputOptions, DatabaseOptions
from memcli.cli.output.charts.timeline_view import count_months, timeline_svg
from memcli.cli.output.markdown_csv import print_listing, print_text
from memcli.cli.output.statistics_view import (
    DatabaseStatistics,
    print_statistics,
    statistics_document,
)


def stats(*, output: ChartOutputOptions, database: DatabaseOptions) -> None:
    """Count sessions by source and month, turns, words and people.

    On a terminal, each source is drawn as a row of bars over the months; in a pipe, there is one
    line for each source and month, as with `--format csv`. `--format svg` draws all sessions.
    """
    with database.open_existing() as store:
        found = DatabaseStatistics(
            path=str(database.path),
            totals=store.statistics.totals(),
            months=store.statistics.sessions_by_month(),
            people=store.statistics.turns_by_speaker(),
            vectors=store.statistics.vectors_by_embedder(),
        )
    chosen = output.chosen_format()
    if chosen == "svg":
        print_text(timeline_svg("", count_months(found.months)))
        return
    print_listing(
        chosen,
        lambda: statistics_document(found),
        lambda: statistics_document(found)["months"],
        lambda: print_statistics(found),
    )
