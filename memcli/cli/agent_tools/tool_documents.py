"""Arguments and results of the tools for agents, as types that become JSON Schemas."""

from typing import Annotated, Literal, Required, TypedDict

from memcli.cli.agent_tools.truncate import Cut
from memcli.cli.json_output.memory_documents import MemoriesJson
from memcli.cli.json_output.session_documents import AskJson, SearchJson, ShowJson

MOST_SESSIONS = 5  # by default
MOST_MEMORIES = 20  # by default
SECONDS = 30.0  # by default: an agent is likely to wait that long
CHARACTERS = 20_000  # of JSON by default, about 6,000 tokens

Characters = Annotated[
    int,
    f"Most characters of the answer, {CHARACTERS:,} by default; `cut` lists the parts left out.",
    ("minimum", 1000),
    ("maximum", 200_000),
]


class BoundedArguments(TypedDict, total=False):
    """A limit of the answer's length."""

    characters: Characters


class FilterArguments(BoundedArguments, total=False):
    """The sessions that are searched."""

    limit: Annotated[
        int, f"Most sessions, {MOST_SESSIONS} by default.", ("minimum", 1), ("maximum", 100)
    ]
    since: Annotated[str, "From this day, month or year on: `2024-03-01`, `2024-03`, `2024`."]
    until: Annotated[str, "Up to the end of this day, month or year."]
    source: Annotated[str, "Only sessions of this source: `chatgpt`, `whatsapp`."]
    speaker: Annotated[str, "Only sessions in which this person speaks; `me` is the person."]


class AskArguments(FilterArguments, total=False):
    """A question."""

    question: Required[Annotated[str, "In the person's own words.", ("minLength", 1)]]
    seconds: Annotated[
        float, f"Answer within so many seconds, {SECONDS:g} by default.", ("minimum", 0)
    ]


class SearchArguments(FilterArguments, total=False):
    """Words."""

    query: Required[Annotated[str, "Words to look for.", ("minLength", 1)]]


class ShowArguments(BoundedArguments, total=False):
    """A session."""

    id: Required[Annotated[str, "`s_` and ten characters; with `:12` behind it from turn 12 on."]]
    first: Annotated[int, "Position of the first turn to show, from 1.", ("minimum", 1)]


class MemoriesArguments(BoundedArguments, total=False):
    """A query for memories; without one, the newest."""

    query: Annotated[str, "Words or a question to look for."]
    type: Annotated[
        Literal["UserMemory", "LongTermMemory"],
        "Only this type: `UserMemory` describes the person; those `accepted` the person confirmed.",
    ]
    limit: Annotated[int, f"Most memories, {MOST_MEMORIES} by default.", ("minimum", 1)]
    since: Annotated[str, "Said on this day, month or year or later."]
    until: Annotated[str, "Said up to the end of this day, month or year."]
    speaker: Annotated[str, "Said by this person; `me` is the person."]


class AskResult(AskJson, Cut):
    """Sessions that answer a question, best first, and the reasons."""


class SearchResult(SearchJson, Cut):
    """Sessions that match a query by words or meaning, best first."""


class ShowResult(ShowJson, Cut):
    """One session."""


class MemoriesResult(MemoriesJson, Cut):
    """Memories."""
