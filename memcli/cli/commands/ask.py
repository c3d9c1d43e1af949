"""`mem ask`."""

from functools import partial
from time import monotonic
from typing import Annotated

from memcli.cli.ask_session import AskSession, open_stage_models
from memcli.cli.discovery import note_changed_sources
from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.input_text import STDIN, join_question
from memcli.cli.last_list import keep_list, print_footer
from memcli.cli.models.open import open_chat
from memcli.cli.option_groups import (
    AnswerOutputOptions,
    FilterOptions,
    StageOptions,
    WritableDatabaseOptions,
)
from memcli.cli.options import Limit, MinScore, Null
from memcli.cli.output.answer_printer import AnswerPrinter
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_values import parse_text
from memcli.search.model_speed import ModelSpeeds
from memcli.settings import state_folder

Question = Annotated[
    list[str],
    Argument(
        parser=parse_text,
        metavar="QUESTION...",
        help="The question, in your own words, with or without quotes; `-` reads questions from"
        " standard input.",
    ),
]
WithAnswer = Annotated[
    bool, Option("--answer", help="Let a chat model answer from the sessions found.")
]
Continued = Annotated[
    bool,
    Option("--continue", help="Continue from the last question: `and where did we stay?`"),
]


def ask(
    words: Question,
    *,
    with_answer: WithAnswer = False,
    continued: Continued = False,
    null: Null = False,
    limit: Limit = 5,
    min_score: MinScore = None,
    filters: FilterOptions,
    stages: StageOptions,
    output: AnswerOutputOptions,
    database: WritableDatabaseOptions,
) -> None:
    """Rank the sessions that answer a question, and show why.

    Each session is printed with the turns that are the evidence and, behind `why`, the reasons
    for its place. Words and meaning find candidates. With a reranker, each candidate gets the
    probability that it answers the question. With a sifter, a model reads the best candidates,
    thinks, and ranks them. With `--answer`, a chat model answers from the sessions found and
    refers to their turns; `mem show` opens such a reference. When the budget is spent, or at
    Ctrl-C, the results so far are printed.

    If the question is `-`, each line of standard input is a question, and models are loaded only
    once; `--jsonl` then prints one object per question. Exits with status 3 when nothing relevant
    is found for any question; the nearest sessions are then printed on standard error.
    """
    started = monotonic()
    question = join_question(words)
    chosen = output.chosen_format(
        several=question == STDIN, with_answer=with_answer, profile=output.profile
    )
    models = open_stage_models(stages, database.path)
    chat = open_chat(stages.chat, gpu_layers=stages.gpu_layers) if with_answer else None
    printer = AnswerPrinter(
        "ask",
        chosen,
        whole_trace=output.whole_trace,
        quiet=output.quiet,
        verbose=output.verbose,
        on_list=partial(keep_list, database.path),
    )
    with database.open_existing() as store:
        session = AskSession(
            store,
            models,
            filters.filters(),
            limit,
            chat=chat,
            min_score=min_score,
            budget=stages.budget,
            context_tokens=output.context_tokens,
            masks_secrets=output.masks_secrets(chosen),
            with_profile=output.profile,
            speeds=ModelSpeeds(state_folder() / "speeds.json"),
            started=started,
        )
        warn_about_filters(store, session.filters)
        note_changed_sources(store)
        session.ask(question, printer, null=null, continued=continued)
    if chosen == "text" and not output.quiet and not with_answer:
        print_footer(printer.listed)
