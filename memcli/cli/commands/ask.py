"""`mem ask` and `mem search`."""

from collections.abc import Collection
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from memcli.cli.ask_session import Asker, Printer
from memcli.cli.models.open import open_chat, open_embedder, open_models
from memcli.cli.options import (
    AnswerFormat,
    Budget,
    Chat,
    ContextTokens,
    Database,
    GpuLayers,
    Json,
    Jsonl,
    Limit,
    MinScore,
    Null,
    Profile,
    Quiet,
    Reranker,
    Sifter,
    Since,
    Source,
    Speaker,
    Stages,
    Think,
    Until,
    Verbose,
    Wait,
)
from memcli.cli.output.formats import answer_form
from memcli.cli.stdin_questions import STDIN, check_question
from memcli.cli.unknown_names import note_unknown
from memcli.errors import ModelNotFoundError
from memcli.search.model_speed import Speeds
from memcli.search.stages import Models
from memcli.settings import NO_MODEL, database_path, state_folder
from memcli.store import Filters, Store

Question = Annotated[
    str,
    typer.Argument(
        metavar="QUESTION",
        help="What you want to know, in your own words; `-` reads questions from standard input.",
    ),
]
Words = Annotated[
    str,
    typer.Argument(
        metavar="QUERY", help="Words to look for; `-` reads queries from standard input."
    ),
]
InWords = Annotated[
    bool, typer.Option("--answer", help="Let a model answer from the sessions that were found.")
]
Continued = Annotated[
    bool,
    typer.Option("--continue", help="Go on from the last question: `and where did we stay?`"),
]
WholeTrace = Annotated[
    bool, typer.Option("--trace", help="Print all of the reasoning, not only what it comes to.")
]


def ask(
    question: Question,
    in_words: InWords = False,
    continued: Continued = False,
    stages: Stages = None,
    budget: Budget = None,
    reranker: Reranker = None,
    sifter: Sifter = None,
    chat: Chat = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
    limit: Limit = 5,
    min_score: MinScore = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    form: AnswerFormat = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    context_tokens: ContextTokens = None,
    profiled: Profile = False,
    null: Null = False,
    whole_trace: WholeTrace = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Rank the sessions that answer a question, and say why.

    With each come the turns that are the evidence. Words and meaning find candidates; with a
    reranker each gets the probability that it answers; with a sifter a model reads the best,
    thinks, and ranks them. With `--answer` a chat model answers from them, and refers to the turns
    it rests on: `mem show` opens such a reference. With a budget, or when it is interrupted, what
    there is by then is printed.

    With `-` for a question each line of standard input is one, and models are loaded once;
    `--jsonl` then prints one object a question. Exits with status 3 when nothing relevant is
    found, to any of them.
    """
    began = monotonic()
    check_question(question)
    chosen = answer_form(
        form, as_json=as_json, as_jsonl=as_jsonl, tokens=context_tokens,
        several=question == STDIN, in_words=in_words, profiled=profiled,
    )  # fmt: skip
    models = _opened(
        stages, reranker, sifter, database or database_path(), gpu_layers=gpu_layers, think=think
    )
    asker = Asker(
        models,
        open_chat(chat, gpu_layers=gpu_layers) if in_words else None,
        Filters(since, until, source, speaker),
        limit=limit,
        least=min_score,
        budget=budget,
        began=began,
        speeds=Speeds(state_folder() / "speeds.json"),
    )
    printer = Printer(
        "ask", chosen, tokens=context_tokens, profiled=profiled, whole_trace=whole_trace,
        quiet=quiet, verbose=verbose,
    )  # fmt: skip
    with Store.existing(database or database_path(), wait=wait) as store:
        note_unknown(store, asker.filters)
        asker.ask(question, store, printer, null=null, continued=continued)


def search(
    query: Words,
    limit: Limit = 10,
    min_score: MinScore = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    form: AnswerFormat = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    context_tokens: ContextTokens = None,
    null: Null = False,
    verbose: Verbose = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Find sessions by words and meaning, in milliseconds.

    This is the first stage of `mem ask` alone. Exits with status 3 when nothing is found.
    """
    check_question(query)
    chosen = answer_form(
        form, as_json=as_json, as_jsonl=as_jsonl, tokens=context_tokens, several=query == STDIN
    )
    filters = Filters(since, until, source, speaker)
    models = Models(open_embedder(database or database_path()))
    asker = Asker(models, None, filters, limit=limit, least=min_score or 0.0)
    printer = Printer("search", chosen, tokens=context_tokens, quiet=True, verbose=verbose)
    with Store.existing(database or database_path(), wait=wait) as store:
        note_unknown(store, asker.filters)
        asker.ask(query, store, printer, null=null)


def _opened(
    stages: Collection[str] | None,
    reranker: str | None,
    sifter: str | None,
    database: Path,
    *,
    gpu_layers: int | None,
    think: int,
) -> Models:
    """Open the models of the stages asked for.

    Raises:
        ModelNotFoundError: one asked for is not on this machine.
        BackendError: a file is damaged.
    """
    wanted = {"rerank", "sift"} if stages is None else stages
    models = open_models(
        reranker if "rerank" in wanted else NO_MODEL,
        sifter if "sift" in wanted else NO_MODEL,
        gpu_layers=gpu_layers,
        think=think,
        database=database,
    )
    there = {"retrieve"} | {
        name for name, model in (("rerank", models.reranker), ("sift", models.sifter)) if model
    }
    for stage in sorted(set(stages or ()) - there):
        raise ModelNotFoundError(
            f"no model on this machine can {stage}", hint="`mem models pull` fetches one"
        )
    return models
