"""Documents about sessions: rankings, lists, transcripts."""

from collections.abc import Iterable
from math import isinf
from typing import TYPE_CHECKING, Annotated, Literal, NotRequired, TypedDict

from memcli.cli.json_output.value_kinds import Count, Moment, Seconds, Share, format_moment
from memcli.domain import Clock, Kind, MemoryType, Role, Session, SessionId
from memcli.store import SessionSummary

if TYPE_CHECKING:
    from memcli.search.answer import Answer
    from memcli.search.budget import StagePlan
    from memcli.search.results import (
        AnsweringMemory,
        QuotedTurn,
        RankedSession,
        Ranking,
        StageReport,
    )

RankingVerdict = Annotated[
    Literal["found", "nothing"], "`nothing` when nothing relevant was found."
]


class SessionHeadJson(TypedDict):
    """The facts that every session has."""

    id: Annotated[str, "Id that `mem show` takes: `s_` and ten characters, always the same."]
    title: str
    source: Annotated[str, "The format it came in, or the program that wrote the export."]
    started_at: Annotated[Moment | None, "Time of its first turn; null if it is not known."]
    ended_at: Annotated[Moment | None, "Time of its last turn; null if it is not known."]
    participants: Annotated[list[str], "Names, or roles where nobody has a name."]


class OverviewJson(SessionHeadJson):
    """A session without its turns."""

    turns: Annotated[Count, "Number of turns that somebody said."]


class ScoresJson(TypedDict):
    """The score that each stage gives a session."""

    retrieve: Annotated[Share, "1 is best by every measure, with all words of the question."]
    rerank: Annotated[Share | None, "Probability that it answers; null if not judged."]
    sift_rank: Annotated[int | None, "Place that the sifter gave it, from 1; null if none."]


class QuoteJson(TypedDict):
    """A turn that is evidence."""

    turn: Annotated[str, "Id of the session, a colon, and the position of the turn."]
    speaker: Annotated[str, "A name, or the role where there is none."]
    at: Annotated[Moment | None, "Time it was said."]
    text: str


class RankedSessionJson(SessionHeadJson):
    """A session in a ranking."""

    rank: Annotated[int, ("minimum", 1), "Its place, from 1."]
    scores: ScoresJson
    evidence: Annotated[list[QuoteJson], "The turns that earned its place, best first."]
    why: Annotated[str, "The reasons for its place, in words, on one line."]


class TokensJson(TypedDict):
    """The tokens that a model processed."""

    read: Count
    written: Count


class StageJson(TypedDict):
    """A stage that was run, and its cost; `retrieve` has only the first four keys."""

    name: Annotated[str, "`retrieve`, `rerank`, `sift` or `answer`."]
    model: str
    seconds: Seconds
    candidates: Annotated[Count, "Sessions it looked at."]
    passages: NotRequired[Annotated[Count, "Passages it judged, those remembered included."]]
    remembered: NotRequired[Annotated[Count, "Answers that were read from the score cache."]]
    load_seconds: NotRequired[Annotated[Seconds, "Part of `seconds`: the model loading."]]
    tokens: NotRequired[TokensJson]
    tokens_per_second: NotRequired[Annotated[float, "Once the model was loaded."]]


class PlanJson(TypedDict):
    """The work that the budget had room for."""

    seconds: Annotated[Seconds | None, "Time left after the first stage; null without a budget."]
    passages: Annotated[Count, "Most passages to judge."]
    history_tokens: Annotated[Count, "Most tokens of sessions for the sifter to read."]
    thought_tokens: Annotated[Count, "Most tokens for the sifter to think."]


class AnsweringMemoryJson(TypedDict):
    """A memory that answers the question."""

    id: Annotated[str, "`m_` and ten characters."]
    key: Annotated[str, "Topic of the fact."]
    type: MemoryType
    value: str
    said_at: Moment | None
    by: Annotated[str, "Name of the model that found it, or `you`."]
    superseded_by: Annotated[str | None, "Id of the newer memory that took its place."]
    sources: Annotated[list[QuoteJson], "The turns that it came from."]


class CorrectionJson(TypedDict):
    """A word that no session has, and the one that was searched for in its place."""

    typed: str
    searched: str


class SearchJson(TypedDict):
    """Sessions that match a query by words or meaning, best first."""

    schema: Literal["mem.search/1"]
    question: str
    verdict: RankingVerdict
    corrections: list[CorrectionJson]
    memories: Annotated[list[AnsweringMemoryJson], "Those that answer; superseded ones last."]
    sessions: Annotated[list[RankedSessionJson], "Best first."]
    stages: list[StageJson]


class ReferenceJson(TypedDict):
    """A turn that an answer names."""

    turn: str
    known: Annotated[bool, "True if the model was shown it."]


class ReplyJson(TypedDict):
    """The answer that a model wrote from the sessions that were found."""

    text: str
    model: str
    references: list[ReferenceJson]
    complete: Annotated[bool, "False if it was cut short."]


class AskJson(TypedDict):
    """Sessions that answer a question, best first, and the reasons."""

    schema: Literal["mem.ask/1"]
    question: str
    verdict: RankingVerdict
    corrections: list[CorrectionJson]
    memories: Annotated[list[AnsweringMemoryJson], "Those that answer; superseded ones last."]
    sessions: Annotated[list[RankedSessionJson], "Best first; the nearest when nothing was found."]
    trace: Annotated[str, "The sifter's thought; without a sifter, the scores in words."]
    stages: list[StageJson]
    plan: Annotated[PlanJson | None, "Null when no session was found."]
    left_out: Annotated[list[str], "Work that the budget had no room for, in words."]
    out_of_time: Annotated[bool, "True if the budget stopped a stage."]
    answer: NotRequired[Annotated[ReplyJson, "With `--answer`."]]


class SessionsJson(TypedDict):
    """Sessions, latest first."""

    schema: Literal["mem.sessions/1"]
    sessions: list[OverviewJson]


class TurnJson(TypedDict):
    """One message of a session."""

    id: Annotated[str, "Id of the session, a colon, and the position."]
    position: Annotated[int, ("minimum", 1), "Its place in the session, from 1."]
    role: Role
    speaker: Annotated[str | None, "A name; null where there is only the role."]
    at: Annotated[Moment | None, "Time it was said."]
    clock: Annotated[Clock, "Precision of the time."]
    kind: Annotated[Kind, "Kind of the turn; people's own messages have `text`."]
    active: Annotated[bool, "True if it is on the branch that was kept."]
    text: str


class TranscriptJson(SessionHeadJson):
    """A session, turn by turn."""

    turns: list[TurnJson]


class ShowJson(TypedDict):
    """One session."""

    schema: Literal["mem.show/1"]
    session: TranscriptJson


def ask_document(ranking: "Ranking", reply: "Answer | None" = None) -> AskJson:
    """Return the document of `mem ask`.

    Args:
        ranking: the ranked sessions.
        reply: the chat model's answer, with `--answer`.
    """
    stages = (*ranking.stages, reply.stage) if reply else ranking.stages
    document = AskJson(
        schema="mem.ask/1",
        question=ranking.question,
        verdict=ranking.verdict,
        corrections=_corrections(ranking),
        memories=[_answering_memory(one) for one in ranking.memories],
        sessions=_ranked_sessions(ranking),
        trace=ranking.trace,
        stages=[_stage_json(stage) for stage in stages],
        plan=_plan_json(ranking.plan) if ranking.plan else None,
        left_out=list(ranking.left_out),
        out_of_time=ranking.out_of_time,
    )
    if reply:
        document["answer"] = _reply_json(reply)
    return document


def search_document(ranking: "Ranking") -> SearchJson:
    """Return the document of `mem search`: that of `mem ask` without trace and budget."""
    return SearchJson(
        schema="mem.search/1",
        question=ranking.question,
        verdict=ranking.verdict,
        corrections=_corrections(ranking),
        memories=[_answering_memory(one) for one in ranking.memories],
        sessions=_ranked_sessions(ranking),
        stages=[_stage_json(stage) for stage in ranking.stages],
    )


def ranked_session_json(rank: int, result: "RankedSession") -> RankedSessionJson:
    """Return one ranked session."""
    return {
        "rank": rank,
        **_session_head(result.session),
        "scores": ScoresJson(
            retrieve=round(result.retrieve, 4),
            rerank=None if result.rerank is None else round(result.rerank, 4),
            sift_rank=result.sift_rank,
        ),
        "evidence": [_quote_json(result.session.id, quote) for quote in result.evidence],
        "why": result.why,
    }


def sessions_document(overviews: Iterable[SessionSummary]) -> SessionsJson:
    """Return the document of `mem sessions`."""
    return SessionsJson(schema="mem.sessions/1", sessions=[overview_json(one) for one in overviews])


def overview_json(overview: SessionSummary) -> OverviewJson:
    """Return one session of `mem sessions`."""
    return {**_session_head(overview), "turns": overview.turns}


def show_document(session: Session, positions: Iterable[int]) -> ShowJson:
    """Return the document of `mem show`, with the turns at these positions."""
    turns = [turn_json(session, position) for position in positions]
    transcript: TranscriptJson = {**_session_head(session), "turns": turns}
    return ShowJson(schema="mem.show/1", session=transcript)


def turn_json(session: Session, position: int) -> TurnJson:
    """Return the turn at a position of a session; positions count from 1."""
    turn = session.turns[position - 1]
    return TurnJson(
        id=f"{session.id}:{position}",
        position=position,
        role=turn.role,
        speaker=turn.speaker,
        at=format_moment(turn.sent_at),
        clock=turn.clock,
        kind=turn.kind,
        active=turn.active,
        text=turn.text,
    )


def _ranked_sessions(ranking: "Ranking") -> list[RankedSessionJson]:
    return [ranked_session_json(rank, one) for rank, one in enumerate(ranking.results, start=1)]


def _corrections(ranking: "Ranking") -> list[CorrectionJson]:
    return [CorrectionJson(typed=one, searched=other) for one, other in ranking.corrections.items()]


def _answering_memory(one: "AnsweringMemory") -> AnsweringMemoryJson:
    memory = one.memory
    return AnsweringMemoryJson(
        id=memory.id,
        key=memory.fact.key,
        type=memory.fact.type,
        value=memory.fact.value,
        said_at=format_moment(memory.said_at),
        by=memory.by,
        superseded_by=memory.superseded_by,
        sources=[
            _quote_json(source.session, quote)
            for source, quote in zip(memory.sources, one.sources, strict=True)
        ],
    )


def _session_head(session: Session | SessionSummary) -> SessionHeadJson:
    return SessionHeadJson(
        id=session.id,
        title=session.title,
        source=session.source,
        started_at=format_moment(session.started_at),
        ended_at=format_moment(session.ended_at),
        participants=list(session.participants),
    )


def _quote_json(session: SessionId, quote: "QuotedTurn") -> QuoteJson:
    return QuoteJson(
        turn=f"{session}:{quote.position}",
        speaker=quote.turn.speaker or quote.turn.role.value,
        at=format_moment(quote.turn.sent_at),
        text=quote.turn.text,
    )


def _stage_json(stage: "StageReport") -> StageJson:
    document = StageJson(
        name=stage.name,
        model=stage.model,
        seconds=round(stage.seconds, 3),
        candidates=stage.candidates,
    )
    if stage.name != "retrieve":
        document["passages"] = stage.passages
        document["remembered"] = stage.cached
        document["load_seconds"] = round(stage.load_seconds, 3)
        document["tokens"] = TokensJson(read=stage.tokens_read, written=stage.tokens_written)
        document["tokens_per_second"] = round(stage.tokens_per_second, 1)
    return document


def _plan_json(plan: "StagePlan") -> PlanJson:
    return PlanJson(
        seconds=None if isinf(plan.seconds) else round(plan.seconds, 3),
        passages=plan.passages,
        history_tokens=plan.history_tokens,
        thought_tokens=plan.thought_tokens,
    )


def _reply_json(reply: "Answer") -> ReplyJson:
    return ReplyJson(
        text=reply.text,
        model=reply.stage.model,
        references=[ReferenceJson(turn=one.turn, known=one.known) for one in reply.references],
        complete=not (reply.out_of_time or reply.stopped_by),
    )
