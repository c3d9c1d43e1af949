"""`mem ask` and `mem search`."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from memcli.cli.json_shapes import answer_shape, result_shape
from memcli.cli.live import watching
from memcli.cli.opening import NO_MODEL, open_embedder, open_models
from memcli.cli.options import (
    Budget,
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
    Stages,
    Think,
    Until,
    Verbose,
    Wait,
)
from memcli.cli.output import note, print_json, print_jsonl
from memcli.cli.render import heading, print_answer, stage_line
from memcli.deadline import deadline
from memcli.errors import ExitCode, ModelNotFoundError, UsageError
from memcli.pipeline.ask import Models
from memcli.pipeline.ask import ask as rank_sessions
from memcli.pipeline.results import Answer
from memcli.pipeline.speed import Speeds
from memcli.settings import database_path, state_folder
from memcli.store import Filters, Store

PRINTING = 0.3  # seconds of a budget that starting and printing take

Question = Annotated[
    str, typer.Argument(metavar="QUESTION", help="What you want to know, in your own words.")
]
Words = Annotated[str, typer.Argument(metavar="QUERY", help="Words to look for.")]


def ask(
    question: Question,
    stages: Stages = None,
    budget: Budget = None,
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
    with a sifter a model reads the best, thinks, and ranks them. With a budget, or when it is
    interrupted, the ranking that there is by then is printed. Exits with status 3 when nothing
    relevant is found.
    """
    _check(question)
    with deadline(math.inf if budget is None else budget - PRINTING):
        models = _opened(
            *(stages, reranker, sifter, database or database_path()),
            gpu_layers=gpu_layers,
            think=think,
        )
        speeds = Speeds(state_folder() / "speeds.json")
        with (
            Store.existing(database or database_path(), wait=wait) as store,
            watching(quiet=quiet or as_json or as_jsonl) as listener,
        ):
            answer = rank_sessions(
                question,
                store,
                models,
                Filters(since, until, source, speaker),
                limit=limit,
                listener=listener,
                speeds=speeds,
            )
    speeds.save()
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
    models = Models(open_embedder(database or database_path()))
    filters = Filters(since, until, source, speaker)
    with Store.existing(database or database_path(), wait=wait) as store:
        answer = rank_sessions(query, store, models, filters, limit=limit, least=0.0)
    _print(answer, "search", as_json=as_json, as_jsonl=as_jsonl, verbose=verbose)


def _check(question: str) -> None:
    if not question.strip():
        raise UsageError("the question is empty", hint='mem ask "What did I decide about the car?"')


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


def _print(answer: Answer, command: str, *, as_json: bool, as_jsonl: bool, verbose: bool) -> None:
    if verbose:
        for stage in answer.stages:
            note(stage_line(stage))
    if verbose or answer.out_of_time:
        for what in answer.left_out:
            note(what)
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
