"""`mem mcp`: the memory as tools for agents, which can read it and change nothing."""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Required, TypedDict, cast

from memcli.cli.json_output.json_schema import JsonSchema, schema_of
from memcli.cli.json_output.memories import memory_shape
from memcli.cli.json_output.schemas import Ask, Memories, Search, Show
from memcli.cli.json_output.sessions import Shape, answer_shape, session_shape
from memcli.cli.models.open import open_embedder, open_models
from memcli.cli.options import Database, GpuLayers, Reranker, Sifter, Think, names
from memcli.cli.output.console import note
from memcli.cli.output.truncate import Cut, cut_list, cut_ranking, cut_session
from memcli.cli.when import end_of, start_of
from memcli.deadline import deadline
from memcli.domain import MemoryType
from memcli.errors import BackendError, UsageError
from memcli.search.memory_search import search_memories
from memcli.search.model_speed import Speeds
from memcli.search.stages import LEAST, Models
from memcli.search.stages import ask as rank_sessions
from memcli.settings import database_path, state_folder
from memcli.store import Filters, MemoryFilters, Store

if TYPE_CHECKING:
    from memcli.mcp import Tool

LIMIT = 5  # sessions
MEMORIES = 20
SECONDS = 30.0  # that an agent is likely to wait
CHARACTERS = 20_000  # of JSON, about 6,000 tokens

INSTRUCTIONS = """The person's own conversations with assistants and with people. `ask` ranks the
sessions that answer a question, with the turns that are evidence; `search` is faster and finds
whatever has the words; `show` reads one session; `memories` are facts found in them. Name sessions
by their ids when you use them."""

Characters = Annotated[
    int,
    f"Most characters of the answer, {CHARACTERS:,} by default; `cut` says what was left out.",
    ("minimum", 1000),
    ("maximum", 200_000),
]


class Bounded(TypedDict, total=False):
    """An answer of no more than so many characters."""

    characters: Characters


class Filtered(Bounded, total=False):
    """Which sessions count."""

    limit: Annotated[int, f"Most sessions, {LIMIT} by default.", ("minimum", 1), ("maximum", 100)]
    since: Annotated[str, "From this day, month or year on: `2024-03-01`, `2024-03`, `2024`."]
    until: Annotated[str, "Up to the end of this day, month or year."]
    source: Annotated[str, "Only sessions of this source: `chatgpt`, `whatsapp`."]
    speaker: Annotated[str, "Only sessions in which this person speaks; `me` is the person."]


class AskArguments(Filtered, total=False):
    """A question."""

    question: Required[Annotated[str, "In the person's own words.", ("minLength", 1)]]
    seconds: Annotated[
        float, f"Answer within so many seconds, {SECONDS:g} by default.", ("minimum", 0)
    ]


class SearchArguments(Filtered, total=False):
    """Words."""

    query: Required[Annotated[str, "Words to look for.", ("minLength", 1)]]


class ShowArguments(Bounded, total=False):
    """A session."""

    id: Required[Annotated[str, "`s_` and ten characters; with `:12` behind it from turn 12 on."]]
    first: Annotated[int, "Position of the first turn to show, from 1.", ("minimum", 1)]


class MemoriesArguments(Bounded, total=False):
    """What to look for among memories; without a query, the newest."""

    query: Annotated[str, "What to look for."]
    type: Annotated[
        Literal["UserMemory", "LongTermMemory"],
        "Only these: `UserMemory` tells who the person is; what is `accepted` they vouch for.",
    ]
    limit: Annotated[int, f"Most memories, {MEMORIES} by default.", ("minimum", 1)]
    since: Annotated[str, "Said on this day, month or year or later."]
    until: Annotated[str, "Said up to the end of this day, month or year."]
    speaker: Annotated[str, "Said by this person; `me` is the person."]


class AskResult(Ask, Cut):
    """Sessions that answer a question, best first, and how that came about."""


class SearchResult(Search, Cut):
    """Sessions that have a question's words, or mean the same, best first."""


class ShowResult(Show, Cut):
    """One session."""


class MemoriesResult(Memories, Cut):
    """Memories."""


def mcp(
    reranker: Reranker = None,
    sifter: Sifter = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
    database: Database = None,
) -> None:
    """Serve the memory to agents, as tools of MCP.

    The Model Context Protocol is spoken over standard input and output: an agent starts `mem mcp`
    itself. Its tools are `ask`, `search`, `show` and `memories`. They read the database and cannot
    change it; models are loaded at the first question. Exits with status 2 where the extra `mcp`
    is not installed.
    """
    if find_spec("mcp") is None:
        raise UsageError(
            "`mem mcp` needs the extra `mcp`",
            hint="`pip install 'memcli[mcp]'`, in a checkout `pip install '.[mcp]'`",
        )
    from memcli.mcp import serve

    if sys.stdin and sys.stdin.isatty():
        note("an agent starts this itself and speaks to it; Ctrl-C ends it")

    def models() -> Models:
        return open_models(reranker, sifter, gpu_layers=gpu_layers, think=think)

    serve(tools(Memory(database or database_path(), models)), " ".join(INSTRUCTIONS.split()))


def tools(memory: "Memory") -> "list[Tool]":
    """Return all that agents are offered: one line a tool."""
    from memcli.mcp import Tool

    def tool(arguments: type, result: type, call: Callable[[Any], Shape], does: str) -> Tool:
        called = cast("Callable[[Mapping[str, Any]], Shape]", call)
        return Tool(call.__name__, does, _closed(schema_of(arguments)), schema_of(result), called)

    return [
        tool(AskArguments, AskResult, memory.ask, "Rank the sessions that answer a question."),
        tool(SearchArguments, SearchResult, memory.search, "Find sessions by words and meaning."),
        tool(ShowArguments, ShowResult, memory.show, "Read one session, turn by turn."),
        tool(MemoriesArguments, MemoriesResult, memory.memories, "Find facts worth remembering."),
    ]


class Memory:
    """What the tools do: a database that is only read, and models that are opened once."""

    def __init__(self, path: Path, models: Callable[[], Models]) -> None:
        self._path, self._open_models = path, models

    @cached_property
    def _models(self) -> Models:
        return self._open_models()

    @cached_property
    def _words_and_meaning(self) -> Models:
        return Models(open_embedder())

    def ask(self, asked: AskArguments) -> Shape:
        """Rank the sessions that answer a question."""
        with deadline(asked.get("seconds", SECONDS)):
            return self._ranked(asked, asked["question"], "ask", self._models)

    def search(self, asked: SearchArguments) -> Shape:
        """Find sessions by words and meaning."""
        return self._ranked(asked, asked["query"], "search", self._words_and_meaning)

    def show(self, asked: ShowArguments) -> Shape:
        """Read one session."""
        named, _, position = asked["id"].partition(":")
        first = asked.get("first", int(position) if position.isdecimal() else 1)
        with self._store() as store:
            session = store.sessions.get(named)
        return cut_session(
            session_shape(session, range(1, len(session.turns) + 1)),
            first,
            asked.get("characters", CHARACTERS),
        )

    def memories(self, asked: MemoriesArguments) -> Shape:
        """Find what was worth remembering."""
        since, until, speaker = _said(asked)
        kind = MemoryType(asked["type"]) if "type" in asked else None
        filters = MemoryFilters(since, until, speaker, kind)
        with self._store() as store:
            if query := asked.get("query", "").strip():
                embedder = self._words_and_meaning.embedder
                found = [hit.memory for hit in search_memories(query, store, embedder, filters)]
            else:
                found = list(store.memories.find(filters))
            shown = [one for one in found if one.trusted and one.current]
            shapes = [
                memory_shape(one, store.memories.quotes(one))
                for one in shown[: asked.get("limit", MEMORIES)]
            ]
        shape: Shape = {"schema": "mem.memories/1", "memories": shapes}
        return cut_list(shape, "memories", asked.get("characters", CHARACTERS))

    def _ranked(self, asked: Filtered, question: str, command: str, models: Models) -> Shape:
        if not question.strip():
            raise UsageError("the question is empty")
        speeds = Speeds(state_folder() / "speeds.json")
        with self._store() as store:
            answer = rank_sessions(
                *(question, store, models, _filters(asked)),
                limit=asked.get("limit", LIMIT),
                least=0.0 if command == "search" else LEAST,
                speeds=speeds,
            )
        speeds.save()
        shape = cut_ranking(answer_shape(answer, command), asked.get("characters", CHARACTERS))
        if isinstance(answer.stopped, BackendError):
            cut = cast("list[str]", shape["cut"])
            cut.append(f"a model failed, and this is the ranking before: {answer.stopped}")
        return shape

    def _store(self) -> Store:
        return Store.existing(self._path, read_only=True)


def _filters(asked: Filtered) -> Filters:
    since, until, speaker = _said(asked)
    return Filters(since, until, asked.get("source"), speaker)


def _said(
    asked: Filtered | MemoriesArguments,
) -> tuple[datetime | None, datetime | None, frozenset[str] | None]:
    """Return from when, until when, and by whom."""
    since, until, speaker = asked.get("since"), asked.get("until"), asked.get("speaker")
    return (
        start_of(since) if since else None,
        end_of(until) if until else None,
        names(speaker) if speaker else None,
    )


def _closed(schema: JsonSchema) -> JsonSchema:
    """Return a schema that takes no argument but those it names: a typing error is told."""
    return {**schema, "additionalProperties": False}
