"""The tools that agents are offered: a database that is only read, models that are opened once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from memcli.cli.agent_tools.mcp_server import AgentTool
from memcli.cli.agent_tools.tool_documents import (
    CHARACTERS,
    MOST_MEMORIES,
    MOST_SESSIONS,
    SECONDS,
    AskArguments,
    AskResult,
    FilterArguments,
    MemoriesArguments,
    MemoriesResult,
    SearchArguments,
    SearchResult,
    ShowArguments,
    ShowResult,
)
from memcli.cli.agent_tools.truncate import (
    JsonDocument,
    truncate_list,
    truncate_ranking,
    truncate_session,
)
from memcli.cli.json_output.json_schema import JsonSchema, document_schema
from memcli.cli.json_output.memory_documents import memories_document
from memcli.cli.json_output.session_documents import (
    ask_document,
    search_document,
    show_document,
)
from memcli.cli.models.open import open_first_stage
from memcli.cli.typed_dates import parse_end, parse_start
from memcli.cli.typed_values import parse_names
from memcli.deadline import deadline
from memcli.domain import MemoryType
from memcli.errors import BackendError, UsageError
from memcli.search.memory_search import search_memories
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import Ranking
from memcli.search.stages import LEAST_SCORE, RankingModels
from memcli.search.stages import rank_sessions as rank_sessions
from memcli.settings import state_folder
from memcli.store import Filters, MemoryFilters, Store
from memcli.text.redaction import redact_json


def make_tools(memory: "MemoryTools") -> list[AgentTool]:
    """Return all tools that agents are offered, one line each."""

    def tool(
        arguments: type, result: type, call: Callable[[Any], JsonDocument], description: str
    ) -> AgentTool:
        return AgentTool(
            name=call.__name__,
            description=description,
            arguments=_closed_schema(document_schema(arguments)),
            result=document_schema(result),
            call=cast("Callable[[Mapping[str, Any]], JsonDocument]", call),
        )

    return [
        tool(AskArguments, AskResult, memory.ask, "Rank the sessions that answer a question."),
        tool(SearchArguments, SearchResult, memory.search, "Find sessions by words and meaning."),
        tool(ShowArguments, ShowResult, memory.show, "Read one session, turn by turn."),
        tool(MemoriesArguments, MemoriesResult, memory.memories, "Find facts worth remembering."),
    ]


class MemoryTools:
    """The work of the tools.

    Args:
        path: of the database, which is only read.
        open_models: opens the models of a database at the first question.
        redact: whether secrets are masked in the results.
    """

    def __init__(
        self, path: Path, open_models: Callable[[Store], RankingModels], *, redact: bool = True
    ) -> None:
        self._path, self._open_models, self._redact = path, open_models, redact

    @cached_property
    def _models(self) -> RankingModels:
        with self._store() as store:
            return self._open_models(store)

    @cached_property
    def _embedder_alone(self) -> RankingModels:
        with self._store() as store:
            return open_first_stage(store)

    def ask(self, arguments: AskArguments) -> JsonDocument:
        """Rank the sessions that answer a question."""
        with deadline(arguments.get("seconds", SECONDS)):
            ranking = self._rank(arguments, arguments["question"], LEAST_SCORE, self._models)
        return _bounded_ranking(self._mask(ask_document(ranking)), ranking, arguments)

    def search(self, arguments: SearchArguments) -> JsonDocument:
        """Find sessions by words and meaning."""
        ranking = self._rank(arguments, arguments["query"], 0.0, self._embedder_alone)
        return _bounded_ranking(self._mask(search_document(ranking)), ranking, arguments)

    def show(self, arguments: ShowArguments) -> JsonDocument:
        """Read one session."""
        name, _, position = arguments["id"].partition(":")
        first = arguments.get("first", int(position) if position.isdecimal() else 1)
        with self._store() as store:
            session = store.sessions.get(name)
        document = show_document(session, range(1, len(session.turns) + 1))
        characters = arguments.get("characters", CHARACTERS)
        return truncate_session(self._mask(document), first, characters)

    def memories(self, arguments: MemoriesArguments) -> JsonDocument:
        """Find memories."""
        since, until, speaker = _dates_and_speaker(arguments)
        kind = MemoryType(arguments["type"]) if "type" in arguments else None
        filters = MemoryFilters(since, until, speaker, kind)
        with self._store() as store:
            if query := arguments.get("query", "").strip():
                embedder = self._embedder_alone.embedder
                found = [hit.memory for hit in search_memories(query, store, embedder, filters)]
            else:
                found = list(store.memories.find(filters))
            trusted = [one for one in found if one.trusted and one.current]
            document = memories_document(store, trusted[: arguments.get("limit", MOST_MEMORIES)])
        characters = arguments.get("characters", CHARACTERS)
        return truncate_list(self._mask(document), "memories", characters)

    def _mask(self, document: Mapping[str, Any]) -> JsonDocument:
        """Return a document with its secrets masked, before anything of it is cut."""
        masked: JsonDocument = redact_json(document) if self._redact else dict(document)
        return masked

    def _rank(
        self, arguments: FilterArguments, question: str, least: float, models: RankingModels
    ) -> Ranking:
        if not question.strip():
            raise UsageError("the question is empty")
        speeds = ModelSpeeds(state_folder() / "speeds.json")
        since, until, speaker = _dates_and_speaker(arguments)
        filters = Filters(since, until, arguments.get("source"), speaker)
        with self._store() as store:
            ranking = rank_sessions(
                question,
                store,
                models,
                filters,
                limit=arguments.get("limit", MOST_SESSIONS),
                least_score=least,
                speeds=speeds,
            )
        speeds.save()
        return ranking

    def _store(self) -> Store:
        return Store.existing(self._path, read_only=True)


def _bounded_ranking(
    document: JsonDocument, ranking: Ranking, arguments: FilterArguments
) -> JsonDocument:
    """Return a ranking of bounded length; say in `cut` where a model failed."""
    result = truncate_ranking(document, arguments.get("characters", CHARACTERS))
    if isinstance(ranking.stopped_by, BackendError):
        cut = cast("list[str]", result["cut"])
        cut.append(f"a model failed, and this is the ranking before: {ranking.stopped_by}")
    return result


def _dates_and_speaker(
    arguments: FilterArguments | MemoriesArguments,
) -> tuple[datetime | None, datetime | None, frozenset[str] | None]:
    """Return the first and the last moment, and the names of the speaker."""
    since, until = arguments.get("since"), arguments.get("until")
    speaker = arguments.get("speaker")
    return (
        parse_start(since) if since else None,
        parse_end(until) if until else None,
        parse_names(speaker) if speaker else None,
    )


def _closed_schema(schema: JsonSchema) -> JsonSchema:
    """Return a schema that allows only the arguments it names, so that a typing error is seen."""
    return {**schema, "additionalProperties": False}
