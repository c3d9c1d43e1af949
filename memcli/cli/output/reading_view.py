"""The result of `mem read`, its estimate, and the reasons of a model for one memory."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from memcli.cli.json_output.reading_documents import estimate_document, read_document
from memcli.cli.output.console import console, note, print_json, printable
from memcli.cli.output.numbers import pluralize, rough_duration
from memcli.store import ReadingOutcome, SegmentReading

if TYPE_CHECKING:
    from memcli.extraction.read import ExtractionReport, ReadingEstimate

MAX_FAILURES = 20  # failed segments that are named; `--json` has all of them


def print_report(
    report: "ExtractionReport", model: str, *, as_json: bool, as_jsonl: bool, quiet: bool
) -> None:
    """Print the result of a run, and raise the error that ended it.

    Raises:
        BackendError: the model stopped working.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    if as_json:
        print_json(read_document(report, model))
    elif report.segments and not (as_jsonl or quiet):
        sys.stdout.write(f"{describe_report(report)}\n")
    for one in report.failures[:MAX_FAILURES]:
        note(f"{one.session}:{one.first}-{one.last} failed: {one.reason}")
    if len(report.failures) > MAX_FAILURES:
        note(f"{len(report.failures) - MAX_FAILURES} more failed; `--json` prints all")
    if report.failures:
        note(f"`mem read --again {report.failures[0].session}` tries again")
    if report.stopped_by:
        if isinstance(report.stopped_by, KeyboardInterrupt):
            note("interrupted; the results are kept, and `mem read` continues there")
        raise report.stopped_by
    if report.out_of_time:
        note("the time is up; `mem read` continues there")
    elif not (report.segments or quiet):
        note("nothing new to read")


def describe_report(report: "ExtractionReport") -> str:
    """Return a report in words: `5 segments of 2 sessions: 3 memories, 2 segments ignored`."""
    read = f"{pluralize(report.segments, 'segment')} of {pluralize(report.sessions, 'session')}"
    others = [
        f"{pluralize(count, 'segment')} {outcome}"
        for outcome in (ReadingOutcome.IGNORED, ReadingOutcome.BUFFERED, ReadingOutcome.FAILED)
        if (count := report.outcomes.get(outcome))
    ]
    return f"{read}: {', '.join([pluralize(report.memories, 'memory', 'memories'), *others])}"


def print_estimate(extent: "ReadingEstimate", model: str, *, as_json: bool) -> None:
    """Print how much there is to read, and about how long a model takes."""
    if as_json:
        print_json(estimate_document(extent, model))
        return
    parts = (
        pluralize(extent.sessions, "session"),
        pluralize(extent.segments, "segment"),
        pluralize(extent.tokens, "token"),
    )
    duration = rough_duration(extent.seconds)
    sys.stdout.write(f"{', '.join(parts)}: {model} takes about {duration}\n")


def print_reasons(readings: Iterable[SegmentReading]) -> None:
    """Print how a model came to a memory: its reason, and its thoughts and tool calls."""
    from rich.text import Text

    out = console()
    for reading in readings:
        heading = Text.assemble(
            ("\nwhy  ", "bold"), printable(f"{reading.model}: {reading.reason}")
        )
        out.print(heading, soft_wrap=not out.is_terminal)
        for step in reading.trace or ():
            for line in _step_lines(step):
                out.print(Text(printable(line), "dim"), soft_wrap=not out.is_terminal)


def _step_lines(step: Mapping[str, Any]) -> Iterator[str]:  # Any: values of JSON
    """Yield the thought, the tool call and its result of one step, or its error."""
    if "error" in step:
        yield f"error: {step['error']}"
        return
    if step["thought"]:
        yield step["thought"]
    yield f"{step['tool']} {json.dumps(step['arguments'], ensure_ascii=False)}"
    if "result" in step:
        yield step["result"]
