"""`mem search`."""

from functools import partial
from typing import Annotated

from memcli.cli.ask_session import AskSession
from memcli.cli.discovery import note_changed_sources
from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.input_text import STDIN, join_question
from memcli.cli.last_list import keep_list, print_footer
from memcli.cli.models.open import open_first_stage
from memcli.cli.option_groups import (
    FilterOptions,
    RankingOutputOptions,
    WritableDatabaseOptions,
)
from memcli.cli.options import Limit, MinScore, Null
from memcli.cli.output.answer_printer import AnswerPrinter
from memcli.cli.output.session_text import show_in_pager
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text

Query = Annotated[
    list[str],
    Argument(
        parser=parse_text,
        metavar="QUERY...",
        help="Words to search for, with or without quotes; `-` reads queries from standard input.",
    ),
]


def search(
    words: Query,
    *,
    null: Null = False,
    limit: Limit = 10,
    min_score: MinScore = None,
    filters: FilterOptions,
    output: RankingOutputOptions,
    database: WritableDatabaseOptions,
) -> None:
    """Find sessions by words and meaning, in milliseconds.

    This is the first stage of `mem ask` alone. Exits with status 3 when nothing is found.
    """
    query = join_question(words)
    chosen = output.chosen_format(several=query == STDIN)
    printer = AnswerPrinter(
        "search",
        chosen,
        quiet=True,
        verbose=output.verbose,
        on_list=partial(keep_list, database.path),
        show_page=show_in_pager,
    )
    with database.open_existing() as store:
        session = AskSession(
            store,
            open_first_stage(store),
            filters.filters(),
            limit,
            min_score=min_score or 0.0,
            context_tokens=output.context_tokens,
            masks_secrets=output.masks_secrets(chosen),
        )
        warn_about_filters(store, session.filters)
        note_changed_sources(store)
        session.ask(query, printer, null=null)
    if chosen == "text":
        print_footer(printer.listed, more=printer.listed == limit)
