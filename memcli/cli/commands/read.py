"""`mem read`."""

import math
import sys
from typing import Annotated

import typer

from memcli.cli.completion import values
from memcli.cli.json_output.reading_documents import (
    estimate_document,
    read_document,
    segment_json,
)
from memcli.cli.models.open import is_served, open_embedder, open_reader
from memcli.cli.options import (
    Database,
    GpuLayers,
    Json,
    Jsonl,
    Quiet,
    Reader,
    Since,
    Source,
    Speaker,
    Until,
    Wait,
    seconds,
    words,
)
from memcli.cli.output.console import note, print_json, print_jsonl
from memcli.cli.output.reading_progress import Watch, duration, watching
from memcli.cli.unknown_names import note_unknown
from memcli.errors import UsageError
from memcli.extraction.read import Extent, How, ReadRun, Report, Settled
from memcli.memories.remember import Memories
from memcli.search.model_speed import Speeds
from memcli.settings import database_path, state_folder
from memcli.store import Filters, Outcome, Store

MOST_FAILURES = 20  # told to a person; `--json` has all

Sessions = Annotated[
    list[str] | None,
    typer.Argument(
        parser=words,
        autocompletion=values.session_ids,
        metavar="[ID...]",
        show_default=False,
        help="Ids of sessions: `s_k3j`. Without one: all.",
    ),
]
Newest = Annotated[bool, typer.Option("--newest", help="Read the newest sessions first.")]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", min=1, metavar="N", show_default=False, help="Most sessions to read."
    ),
]
Time = Annotated[
    float | None,
    typer.Option(
        "--budget",
        parser=seconds,
        show_default=False,
        metavar="TIME",
        help="Begin nothing more after this time: `2h`, `30m`. What is under way is finished.",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        max=64,
        metavar="N",
        help="Sessions read at a time by a served model.",
    ),
]
Think = Annotated[
    int,
    typer.Option("--think", min=0, metavar="N", help="Most tokens the reader thinks at a time."),
]
KeepTraces = Annotated[
    bool, typer.Option("--keep-traces", help="Keep what the reader thought, called and was told.")
]
Again = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Also read what another reader has read, or this one thinking less or more, and what"
        " failed.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show how much there is to read, and how long.")
]


def read(
    sessions: Sessions = None,
    reader: Reader = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
    newest: Newest = False,
    limit: Limit = None,
    budget: Time = None,
    jobs: Jobs = 1,
    again: Again = False,
    keep_traces: KeepTraces = False,
    dry_run: DryRun = False,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Let a model decide what is worth remembering.

    Only what was not read before is read, the oldest first. A run that is interrupted or killed
    keeps what it has done, and the next one goes on there. What a model fails at is named and left
    out: the status is 0 then, and 7 where the model itself fails or nothing succeeds any more.
    """
    if jobs > 1 and not is_served(reader):
        raise UsageError("`--jobs` is for served models: one on this machine reads one at a time")
    how = How(think, again, keep_traces, jobs, math.inf if budget is None else budget)
    speeds = Speeds(state_folder() / "speeds.json")
    with Store.existing(database or database_path(), wait=wait) as store:
        filters = Filters(since, until, source, speaker, _numbers(store, sessions))
        note_unknown(store, filters)
        model, embedder = open_reader(reader, gpu_layers=gpu_layers), open_embedder()
        run = ReadRun(store, model, Memories(store, embedder), embedder, how, speeds)
        chosen = run.unread(filters, newest=newest, limit=limit)
        if dry_run:
            _print_extent(run.extent(chosen), model.name, as_json=as_json or as_jsonl)
            return
        with watching(chosen, quiet=quiet or (as_jsonl and sys.stdout.isatty())) as watch:
            report = run.read(chosen, lambda one: _hear(one, watch, as_jsonl=as_jsonl))
    speeds.save()
    _print(report, model.name, as_json=as_json, as_jsonl=as_jsonl, quiet=quiet)


def _numbers(store: Store, names: list[str] | None) -> tuple[int, ...] | None:
    """Return the numbers of the sessions that are named; None where none is."""
    if not names:
        return None
    ids = [store.sessions.get(name.partition(":")[0]).id for name in names]
    return tuple(number for each in ids if (number := store.sessions.number(each)) is not None)


def _hear(settled: Settled, watch: Watch, *, as_jsonl: bool) -> None:
    if as_jsonl:
        print_jsonl([segment_json(settled)])
    watch(settled)


def _print(report: Report, model: str, *, as_json: bool, as_jsonl: bool, quiet: bool) -> None:
    """Print what was done; an error that ended it goes on its way then."""
    if as_json:
        print_json(read_document(report, model))
    elif report.segments and not (as_jsonl or quiet):
        sys.stdout.write(f"{_told(report)}\n")
    for one in report.failures[:MOST_FAILURES]:
        note(f"{one.session}:{one.first}-{one.last} failed: {one.reason}")
    if len(report.failures) > MOST_FAILURES:
        note(f"{len(report.failures) - MOST_FAILURES} more failed, all with `--json`")
    if report.failures:
        note(f"`mem read --again {report.failures[0].session}` tries again")
    if report.stopped:
        if isinstance(report.stopped, KeyboardInterrupt):
            note("interrupted; what was read is kept, and `mem read` goes on there")
        raise report.stopped
    if report.out_of_time:
        note("the time is up; `mem read` goes on there")
    elif not (report.segments or quiet):
        note("nothing new to read")


def _told(report: Report) -> str:
    """Return a report as words: `5 segments of 2 sessions: 3 memories, 2 segments ignored`."""
    read = f"{_counted(report.segments, 'segment')} of {_counted(report.sessions, 'session')}"
    others = [
        f"{_counted(count, 'segment')} {outcome}"
        for outcome in (Outcome.IGNORED, Outcome.BUFFERED, Outcome.FAILED)
        if (count := report.outcomes.get(outcome))
    ]
    return f"{read}: {', '.join([_counted(report.memories, 'memory', 'memories'), *others])}"


def _print_extent(extent: Extent, model: str, *, as_json: bool) -> None:
    if as_json:
        print_json(estimate_document(extent, model))
        return
    parts = (
        _counted(extent.sessions, "session"),
        _counted(extent.segments, "segment"),
        _counted(extent.tokens, "token"),
    )
    sys.stdout.write(f"{', '.join(parts)}: {model} takes about {duration(extent.seconds)}\n")


def _counted(count: int, noun: str, nouns: str = "") -> str:
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
