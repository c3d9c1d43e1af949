"""Documents of `mem read`: segments that were read, and an estimate of what is unread."""

from typing import TYPE_CHECKING, Annotated, Literal, Required, TypedDict

from memcli.cli.json_output.value_kinds import Count, Seconds
from memcli.store import ReadingOutcome

if TYPE_CHECKING:
    from memcli.extraction.read import ExtractionReport, ReadingEstimate, SegmentResult

# Actions of a segment by their outcomes; a failed segment has none.
_ACTIONS = {
    ReadingOutcome.ADDED: "add",
    ReadingOutcome.IGNORED: "ignore",
    ReadingOutcome.BUFFERED: "buffer",
}


class SegmentJson(TypedDict):
    """A part of a session that was read in one go."""

    session: str
    first: Annotated[int, "Position of its first turn."]
    last: Annotated[int, "Position of its last turn."]
    action: Annotated[str | None, "`add`, `ignore` or `buffer`; null if it failed."]
    reason: str
    memories: Annotated[list[str], "Ids."]
    searches: Count


class ActionsJson(TypedDict):
    """Counts of the model's actions."""

    add: Count
    ignore: Count
    buffer: Count
    search: Count


class ToReadJson(TypedDict):
    """An estimate of what there is to read."""

    sessions: Count
    segments: Count
    tokens: Count
    seconds: Annotated[Seconds, "Time that it will take, about."]


class ReadJson(TypedDict, total=False):
    """A run of `mem read`, or with `--dry-run` an estimate of one."""

    schema: Required[Literal["mem.read/1"]]
    model: Required[str]
    sessions: Count
    segments: Count
    actions: ActionsJson
    memories: Annotated[Count, "Memories that were added."]
    failures: list[SegmentJson]
    out_of_time: bool
    seconds: Seconds
    to_read: Annotated[ToReadJson, "Only with `--dry-run`, and then instead of the others."]


def read_document(report: "ExtractionReport", model: str) -> ReadJson:
    """Return the document of `mem read`."""
    outcomes = report.outcomes
    return ReadJson(
        schema="mem.read/1",
        model=model,
        sessions=report.sessions,
        segments=report.segments,
        actions=ActionsJson(
            add=outcomes.get(ReadingOutcome.ADDED, 0),
            ignore=outcomes.get(ReadingOutcome.IGNORED, 0),
            buffer=outcomes.get(ReadingOutcome.BUFFERED, 0),
            search=report.searches,
        ),
        memories=report.memories,
        failures=[segment_json(one) for one in report.failures],
        out_of_time=report.out_of_time,
        seconds=round(report.seconds, 3),
    )


def estimate_document(extent: "ReadingEstimate", model: str) -> ReadJson:
    """Return the document of `mem read --dry-run`."""
    return ReadJson(
        schema="mem.read/1",
        model=model,
        to_read=ToReadJson(
            sessions=extent.sessions,
            segments=extent.segments,
            tokens=extent.tokens,
            seconds=round(extent.seconds),
        ),
    )


def segment_json(settled: "SegmentResult") -> SegmentJson:
    """Return one segment that was read."""
    return SegmentJson(
        session=settled.session,
        first=settled.first,
        last=settled.last,
        action=_ACTIONS.get(settled.outcome),
        reason=settled.reason,
        memories=list(settled.memories),
        searches=settled.searches,
    )
