"""`mem read`."""

import math
import sys
from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.filter_warnings import warn_about_filters
from memcli.cli.json_output.reading_documents import segment_json
from memcli.cli.models.open import is_reader_served, open_embedder, open_reader
from memcli.cli.option_groups import FilterOptions, WritableDatabaseOptions
from memcli.cli.options import (
    MODELS,
    Gpu,
    GpuLayers,
    Json,
    Jsonl,
    Quiet,
    ReaderName,
    limit_option,
)
from memcli.cli.output.console import print_jsonl
from memcli.cli.output.progress import reading_progress
from memcli.cli.output.reading_view import print_estimate, print_report
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.session_names import session_numbers
from memcli.cli.typed_values import parse_seconds, parse_text
from memcli.errors import UsageError
from memcli.extraction.read import ExtractionOptions, ExtractionRun, SegmentResult
from memcli.extraction.workers import THOUGHT_TOKENS
from memcli.memories.remember import MemoryWriter
from memcli.search.model_speed import ModelSpeeds
from memcli.settings import state_folder

SessionIds = Annotated[
    list[str] | None,
    Argument(
        parser=parse_text,
        autocompletion=values.offer_session_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions: `s_k3j`. Without any: all sessions.",
    ),
]
Newest = Annotated[bool, Option("--newest", help="Read the newest sessions first.")]
MaxSessions = Annotated[int | None, limit_option("Read at most this many sessions")]
TimeLimit = Annotated[
    float | None,
    Option(
        "--budget",
        parser=parse_seconds,
        show_default=False,
        metavar="TIME",
        help="Begin nothing new after this time, such as `2h` or `30m`; what has begun is"
        " finished.",
    ),
]
Jobs = Annotated[
    int,
    Option(
        "--jobs",
        "-j",
        min=1,
        max=64,
        metavar="N",
        rich_help_panel=MODELS,
        help="Let a served model read this many sessions at the same time.",
    ),
]
ReaderThink = Annotated[
    int,
    Option(
        "--think",
        min=0,
        metavar="N",
        rich_help_panel=MODELS,
        help="Let the model think for at most this many tokens before each decision.",
    ),
]
KeepTraces = Annotated[
    bool,
    Option(
        "--keep-traces",
        help="Keep the model's thoughts, its tool calls and their results in the database.",
    ),
]
Again = Annotated[
    bool,
    Option(
        "--again",
        help="Read again what another model has read, or this one with another `--think`, and what"
        " failed.",
    ),
]
DryRun = Annotated[
    bool,
    Option("--dry-run", help="Only show how much there is to read and how long it takes."),
]


def read(
    sessions: SessionIds = None,
    *,
    newest: Newest = False,
    limit: MaxSessions = None,
    budget: TimeLimit = None,
    again: Again = False,
    keep_traces: KeepTraces = False,
    dry_run: DryRun = False,
    filters: FilterOptions,
    reader: ReaderName = None,
    think: ReaderThink = THOUGHT_TOKENS,
    gpu_layers: GpuLayers = None,
    gpu: Gpu = None,  # noqa: ARG001  # its parser has chosen it
    jobs: Jobs = 1,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Let a model read sessions and decide what is worth remembering.

    Only new turns are read, the oldest first. A run that is interrupted or killed keeps its
    results, and the next run continues there. A segment at which the model fails is reported and
    left out, and the exit status stays 0; it is 7 when the model itself stops working or five
    segments in a row fail.
    """
    if jobs > 1 and not is_reader_served(reader):
        raise UsageError(
            "`--jobs` needs a served model: a model on this machine reads one session at a time",
            hint="leave out `--jobs`, or name a server with `--reader`",
        )
    how = ExtractionOptions(think, again, keep_traces, jobs, math.inf if budget is None else budget)
    speeds = ModelSpeeds(state_folder() / "speeds.json")
    with database.open_existing() as store:
        chosen = filters.filters(session_numbers(store, sessions) if sessions else None)
        warn_about_filters(store, chosen)
        model, embedder = open_reader(reader, gpu_layers=gpu_layers), open_embedder(store)
        run = ExtractionRun(store, model, MemoryWriter(store, embedder), embedder, how, speeds)
        unread = run.unread_sessions(chosen, newest=newest, limit=limit)
        if dry_run:
            print_estimate(run.estimate(unread), model.name, as_json=as_json or as_jsonl)
            return
        silent = quiet or (as_jsonl and sys.stdout.isatty())
        with reading_progress(unread, quiet=silent) as show_progress:

            def on_segment(settled: SegmentResult) -> None:
                if as_jsonl:
                    print_jsonl([segment_json(settled)])
                show_progress(settled)

            report = run.run(unread, on_segment)
    speeds.save()
    print_report(report, model.name, as_json=as_json, as_jsonl=as_jsonl, quiet=quiet)
