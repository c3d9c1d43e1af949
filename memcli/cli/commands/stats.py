"""`mem stats`."""

from memcli.cli.option_groups import DatabaseOptions
from memcli.cli.options import Json
from memcli.cli.output.console import print_json
from memcli.cli.output.statistics_view import (
    DatabaseStatistics,
    print_statistics,
    statistics_document,
)


def stats(*, as_json: Json = False, database: DatabaseOptions) -> None:
    """Count sessions by source and month, turns, words and people.

    On a terminal, each source is drawn as a row of bars over the months; in a pipe, there is one
    line for each source and month.
    """
    with database.open_existing() as store:
        found = DatabaseStatistics(
            path=str(database.path),
            totals=store.statistics.totals(),
            months=store.statistics.sessions_by_month(),
            people=store.statistics.turns_by_speaker(),
            vectors=store.statistics.vectors_by_embedder(),
        )
    if as_json:
        print_json(statistics_document(found))
    else:
        print_statistics(found)
