"""Documents of `mem people` and `mem timeline`."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from memcli.cli.json_output.value_kinds import Count, Moment, format_moment
from memcli.cli.output.charts.people_view import Person
from memcli.cli.output.charts.timeline_view import Timeline


class SpeakingPersonJson(TypedDict):
    """A person who speaks, and when and where."""

    name: str
    names: Annotated[list[str], "As they stand in the archive."]
    turns: Count
    sessions: Count
    first: Moment | None
    last: Moment | None
    sources: list[str]


class PeopleJson(TypedDict):
    """The people who speak, those with most turns first."""

    schema: Literal["mem.people/1"]
    people: list[SpeakingPersonJson]


class TimelineMonthJson(TypedDict):
    """The sessions that began in a month."""

    month: Annotated[str, "As `2024-03`."]
    sessions: Count


class TimelineJson(TypedDict):
    """The sessions by month."""

    schema: Literal["mem.timeline/1"]
    query: Annotated[str | None, "Words that all sessions have; null for all sessions."]
    months: Annotated[list[TimelineMonthJson], "From the first to the last, without gaps."]
    undated: Count


def people_document(found: Sequence[Person]) -> PeopleJson:
    """Return the document of `mem people`."""
    return PeopleJson(schema="mem.people/1", people=[person_json(one) for one in found])


def person_json(person: Person) -> SpeakingPersonJson:
    """Return a person who speaks."""
    return SpeakingPersonJson(
        name=person.name,
        names=list(person.names),
        turns=person.turns,
        sessions=person.sessions,
        first=format_moment(person.first),
        last=format_moment(person.last),
        sources=list(person.sources),
    )


def timeline_document(query: str, timeline: Timeline) -> TimelineJson:
    """Return the document of `mem timeline`."""
    months = [TimelineMonthJson(month=month, sessions=count) for month, count in timeline.months]
    return TimelineJson(
        schema="mem.timeline/1", query=query or None, months=months, undated=timeline.undated
    )
