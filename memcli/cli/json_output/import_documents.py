"""Documents of `mem ingest`: counts and warnings of every source."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from memcli.cli.json_output.value_kinds import Count, Moment, Seconds, format_moment
from memcli.domain import Doubt, Skipped
from memcli.formats.guides import load_guides
from memcli.ingest.import_counts import ImportCounts, ImportReport
from memcli.ingest.paths.discover import DiscoveredPlace
from memcli.ingest.paths.remembered_sources import RememberedSource


class TurnCountsJson(TypedDict):
    """Counts of imported turns."""

    new: Count
    changed: Count
    unchanged: Count


class SessionCountsJson(TurnCountsJson):
    """Counts of imported sessions."""

    skipped: Annotated[Count, "Parts that could not be read, or were empty."]


class MessageAccountJson(TypedDict):
    """The messages of a source, and the reasons for which they are not its turns."""

    seen: Annotated[Count, "The turns of all counts and the sum of `reasons`."]
    reasons: Annotated[
        dict[str, int],
        "Messages that are not counted as turns, by reason; `parts` is negative: the turns beyond"
        " the first of their message.",
    ]
    unknown: Annotated[dict[str, int], "Content of unknown kinds that was kept, by kind."]


class WarnedJson(TypedDict):
    """A part that was skipped, or that could be read in another way, too."""

    where: str
    what: str


class ImportedSourceJson(TypedDict):
    """The counts of one source."""

    path: str
    format: Annotated[str | None, "Null where nothing was recognised."]
    conversations: Count
    sessions: SessionCountsJson
    turns: TurnCountsJson
    messages: MessageAccountJson
    memories: Annotated[Count, "New ones, of those that `mem export` wrote."]
    warnings: list[WarnedJson]


class TotalsJson(TypedDict):
    """The counts of all sources together."""

    sessions: SessionCountsJson
    turns: TurnCountsJson


class IngestJson(TypedDict):
    """Counts of an import."""

    schema: Literal["mem.ingest/1"]
    sources: list[ImportedSourceJson]
    not_recognised: Annotated[list[str], "Files beside the sources that no format recognises."]
    totals: TotalsJson
    seconds: Seconds


class FormatJson(TypedDict):
    """A format that `mem ingest` reads."""

    name: Annotated[str, "The name that `--format` and `--source` take."]
    title: Annotated[str, "The program, as people know it."]
    export: Annotated[str, "How to get the export, in Markdown."]


class FormatsJson(TypedDict):
    """The formats that `mem ingest` reads."""

    schema: Literal["mem.formats/1"]
    formats: list[FormatJson]


def formats_document() -> FormatsJson:
    """Return the document of `mem ingest --formats`."""
    return FormatsJson(
        schema="mem.formats/1",
        formats=[
            FormatJson(name=guide.name, title=guide.title, export=guide.export)
            for guide in load_guides().values()
        ],
    )


class DiscoveredPlaceJson(TypedDict):
    """A file or folder that could be imported."""

    path: str
    format: Annotated[str | None, "Null if the place cannot be read."]
    files: Count
    sessions: Count
    complete: Annotated[bool, "False if there was no time to count all sessions."]
    first: Annotated[Moment | None, "Of its turns; without times, of its files."]
    last: Moment | None
    problem: Annotated[str | None, "The reason for which it cannot be read."]


class DiscoverJson(TypedDict):
    """The places on this machine that could be imported: `--discover --dry-run`."""

    schema: Literal["mem.discover/1"]
    places: list[DiscoveredPlaceJson]


def discover_document(found: Sequence[DiscoveredPlace]) -> DiscoverJson:
    """Return the document of `mem ingest --discover --dry-run`."""
    return DiscoverJson(
        schema="mem.discover/1",
        places=[
            DiscoveredPlaceJson(
                path=str(one.path),
                format=one.format or None,
                files=one.files,
                sessions=one.sessions,
                complete=one.complete,
                first=format_moment(one.first),
                last=format_moment(one.last),
                problem=one.problem or None,
            )
            for one in found
        ],
    )


class RememberedSourceJson(TypedDict):
    """A path that was imported."""

    path: str
    formats: list[str]
    sessions: Annotated[Count, "Sessions in its files when they were last read."]
    read_at: Annotated[Moment | None, "Null if it was read by a memcli before 0.2."]
    state: Literal["unchanged", "changed", "gone", "unknown"]


class SourcesJson(TypedDict):
    """The paths that were imported, and whether they have changed since."""

    schema: Literal["mem.sources/1"]
    sources: list[RememberedSourceJson]


def sources_document(found: Sequence[RememberedSource]) -> SourcesJson:
    """Return the document of `mem sources`."""
    return SourcesJson(
        schema="mem.sources/1", sources=[remembered_source_json(one) for one in found]
    )


def remembered_source_json(source: RememberedSource) -> RememberedSourceJson:
    """Return a path that was imported."""
    return RememberedSourceJson(
        path=source.path,
        formats=list(source.formats),
        sessions=source.sessions,
        read_at=format_moment(source.read_at),
        state=source.state.value,
    )


def ingest_document(reports: Sequence[ImportReport], seconds: float) -> IngestJson:
    """Return the document of `mem ingest`.

    Args:
        reports: of every source.
        seconds: that all of it took.
    """
    sessions = sum((report.sessions for report in reports), ImportCounts())
    turns = sum((report.turns for report in reports), ImportCounts())
    return IngestJson(
        schema="mem.ingest/1",
        sources=[source_json(report) for report in reports],
        not_recognised=[name for report in reports for name in report.unrecognized],
        totals=TotalsJson(sessions=_session_counts(sessions), turns=_turn_counts(turns)),
        seconds=round(seconds, 3),
    )


def source_json(report: ImportReport) -> ImportedSourceJson:
    """Return the counts and warnings of one source."""
    return ImportedSourceJson(
        path=report.path,
        format=report.format,
        conversations=report.conversations,
        sessions=_session_counts(report.sessions),
        turns=_turn_counts(report.turns),
        messages=MessageAccountJson(
            seen=report.messages.seen,
            reasons=dict(report.messages.reasons),
            unknown=dict(report.messages.unknown),
        ),
        memories=report.memories,
        warnings=[_warning_json(warning) for warning in report.warnings],
    )


def _warning_json(warning: Skipped | Doubt) -> WarnedJson:
    return WarnedJson(where=warning.where, what=warning.why)


def _session_counts(counts: ImportCounts) -> SessionCountsJson:
    return {**_turn_counts(counts), "skipped": counts.skipped}


def _turn_counts(counts: ImportCounts) -> TurnCountsJson:
    return TurnCountsJson(new=counts.new, changed=counts.changed, unchanged=counts.unchanged)
