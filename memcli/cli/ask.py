"""`mem ask` and `mem search`."""

from typing import Annotated

import typer

from memcli.cli.json_shapes import answer_shape, result_shape
from memcli.cli.live import watching
from memcli.cli.models import open_embedder, open_models
from memcli.cli.options import (
    Database,
    GpuLayers,
    Json,
    Jsonl,
    Limit,
    Quiet,
    Reranker,
    Sifter,
    Since,
    Source,
    Speaker,
    Think,
    Until,
    Verbose,
    Wait,
)
from memcli.cli.output import note, print_json, print_jsonl
from memcli.cli.render import heading, print_answer
from memcli.errors import ExitCode, UsageError
from memcli.pipeline.ask import Answer, Models
from memcli.pipeline.ask import ask as rank_sessions
from memcli.settings import database_path
from memcli.store import Filters, Store

Question = Annotated[
    str, typer.Argument(metavar="QUESTION", help="What you want to know, in your own words.")
]
Words = Annotated[str, typer.Argument(metavar="QUERY", help="Words to look for.")]


def ask(
    question: Question,
    reranker: Reranker = None,
    sifter: Sifter = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
    limit: Limit = 5,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Rank the sessions that answer a question, with the reasoning and the turns that are evidence.

    Words and meaning find candidates; with a reranker each gets the probability that it answers;
    with a sifter a model reads the best, thinks, and ranks them. Exits with status 3 when nothing
    relevant is found.
    """
    _check(question)
    models = open_models(reranker, sifter, gpu_layers=gpu_layers, think=think)
    filters = Filters(since, until, source, speaker)
    with (
        Store.existing(database or database_path(), wait=wait) as store,
        watching(quiet=quiet or as_json or as_jsonl) as listener,
    ):
        answer = rank_sessions(question, store, models, filters, limit=limit, listener=listener)
    _print(answer, "ask", as_json=as_json, as_jsonl=as_jsonl, verbose=verbose)


def search(
    query: Words,
    limit: Limit = 10,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    verbose: Verbose = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Find sessions by words and meaning: the first stage of `mem ask` alone, in milliseconds.

    Exits with status 3 when nothing is found.
    """
    _check(query)
    models = Models(open_embedder())
    filters = Filters(since, until, source, speaker)
    with Store.existing(database or database_path(), wait=wait) as store:
        answer = rank_sessions(query, store, models, filters, limit=limit, least=0.0)
    _print(answer, "search", as_json=as_json, as_jsonl=as_jsonl, verbose=verbose)


def _check(question: str) -> None:
    if not question.strip():
        raise UsageError("the question is empty", hint='mem ask "What did I decide about the car?"')


def _print(answer: Answer, command: str, *, as_json: bool, as_jsonl: bool, verbose: bool) -> None:
    if verbose:
        for stage in answer.stages:
            note(f"{stage.name}: {stage.candidates} sessions, {stage.seconds:.2f} s, {stage.model}")
    if as_json:
        print_json(answer_shape(answer, command))
    elif answer.verdict == "found" and as_jsonl:
        print_jsonl(result_shape(rank, one) for rank, one in enumerate(answer.results, start=1))
    elif answer.verdict == "found":
        print_answer(answer)
    if answer.stopped:
        raise answer.stopped
    if answer.verdict == "nothing":
        if answer.results:
            best = answer.results[0]
            note(f"nothing relevant found; nearest is {best.session.id}, {heading(best.session)}")
        else:
            note("nothing found")
        raise typer.Exit(ExitCode.NOTHING_FOUND)
