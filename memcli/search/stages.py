"""The stages in a row: retrieve, rerank, sift.

`ask` runs them. Each stage improves one draft of the ranking, so that the deadline, an error or
Ctrl-C leaves the ranking as far as it came.
"""

from time import monotonic
from typing import TYPE_CHECKING

from memcli.deadline import DeadlineExceededError, deadline, seconds_left
from memcli.domain import Memory
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass, field, replace
from memcli.protocols import DEFAULT_THOUGHT_TOKENS, Embedder, Reranker, Sifter
from memcli.search.budget import HISTORY_TOKENS, StagePlan, is_overdue, plan_sift, plan_stages
from memcli.search.dialogue import Dialogue
from memcli.search.evidence.candidates import Candidate
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import (
    AnsweringMemory,
    QuotedTurn,
    RankedSession,
    Ranking,
    RankingListener,
    StageReport,
    quotes,
)
from memcli.search.retrieve import Retrieval, retrieve
from memcli.store import Filters, Store

if TYPE_CHECKING:  # most searches have no model, and need neither stage
    from memcli.search.rerank import RerankStage
    from memcli.search.sift import SiftResult, SiftStage

CANDIDATES = 30  # sessions that the second and third stage look at
LEAST_SCORE = 0.5  # score of the best session; below it nothing is considered relevant


@dataclass(frozen=True, slots=True)
class RankingModels:
    """The models that rank sessions; a stage without one is left out."""

    embedder: Embedder
    reranker: Reranker | None = None
    sifter: Sifter | None = None
    sift_wording: str = ""
    thought_tokens: int = DEFAULT_THOUGHT_TOKENS  # most that the sifter thinks
    answer_thought_tokens: int = DEFAULT_THOUGHT_TOKENS  # most that a chat model thinks
    names: tuple[tuple[str, ...], ...] = ()  # of each person who has several


def rank_sessions(  # noqa: PLR0913  # one entry for every command that ranks
    question: str,
    store: Store,
    models: RankingModels,
    filters: Filters,
    *,
    limit: int,
    least_score: float | None = None,
    dialogue: Dialogue | None = None,
    listener: RankingListener | None = None,
    speeds: ModelSpeeds | None = None,
) -> Ranking:
    """Rank the sessions that may answer, by as many stages as there are models and time for.

    The deadline (`memcli.deadline`), a model that fails, and Ctrl-C end it with the ranking so far,
    which says so: see `Ranking.out_of_time` and `Ranking.stopped_by`.

    Args:
        question: in the person's own words.
        store: the database with the sessions.
        models: the models that rank them.
        filters: the sessions that count.
        limit: most sessions to return.
        least_score: score of the least session to return; None leaves it to the verdict.
        dialogue: the exchanges before, if the question goes on from there.
        listener: callbacks for the progress.
        speeds: of the models on this machine; new measurements are added.

    Returns:
        At most `limit` sessions. With a reranker the verdict is "nothing" if it finds no session
        likelier than not to answer; without one, if the best session scores below LEAST. If
        `least` is given, the verdict is "nothing" if no session reaches it.
    """
    request = _Request(
        question=question,
        store=store,
        models=models,
        filters=filters,
        limit=limit,
        least=least_score,
        dialogue=dialogue or Dialogue(),
        listener=listener or RankingListener(),
        speeds=speeds or ModelSpeeds(),
    )
    draft = _retrieve(request)
    try:
        if draft.candidates:
            draft.plan = _plan(request)
            if models.reranker:
                _rerank(request, draft, models.reranker, draft.plan)
            if models.sifter and draft.found:
                _sift(request, draft, models.sifter)
    except (DeadlineExceededError, BackendError, KeyboardInterrupt) as error:
        if isinstance(error, DeadlineExceededError) or is_overdue(error):
            _name_missing_stages(request, draft, "there was no time for it")
            return replace(_ranking(request, draft), out_of_time=True)
        if isinstance(error, KeyboardInterrupt):  # any other error names its stage itself
            _name_missing_stages(request, draft, "stopped")
        return replace(_ranking(request, draft), stopped_by=error)
    return _ranking(request, draft)


@dataclass(frozen=True, slots=True)
class _Request:
    """A question, and everything that ranking its sessions needs."""

    question: str
    store: Store
    models: RankingModels
    filters: Filters
    limit: int
    least: float | None
    dialogue: Dialogue
    listener: RankingListener
    speeds: ModelSpeeds

    @property
    def question_in_context(self) -> str:
        """The question after the exchanges before it: models judge by that."""
        return self.dialogue.question_in_context(self.question)


@dataclass(slots=True)
class _Draft:
    """A ranking in the making."""

    candidates: list[Candidate]  # best first
    results: dict[int, RankedSession]  # by number of the session
    found: bool  # True if any session is considered relevant
    retrieval: Retrieval
    memories: tuple[AnsweringMemory, ...]
    plan: StagePlan | None = None
    thought: str | None = None
    stages: list[StageReport] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def _ranking(request: _Request, draft: _Draft) -> Ranking:
    """Return a draft as it is now as a ranking."""
    shown = draft.candidates[: request.limit]
    results = tuple(draft.results[candidate.number] for candidate in shown)
    if request.least is not None:
        results = tuple(result for result in results if result.score >= request.least)
    return Ranking(
        question=request.question,
        verdict="found" if (draft.found and results) or draft.memories else "nothing",
        results=results,
        stages=tuple(draft.stages),
        thought=draft.thought,
        plan=draft.plan,
        left_out=tuple(draft.left_out),
        memories=draft.memories,
        corrections=draft.retrieval.corrections,
        missing_phrases=draft.retrieval.missing_phrases,
    )


def _name_missing_stages(request: _Request, draft: _Draft, why: str) -> None:
    """Add the stages that were not begun, or not ended, to what was left out."""
    known: set[str] = {stage.name for stage in draft.stages}
    known |= {line.partition(":")[0] for line in draft.left_out}
    models = (("rerank", request.models.reranker), ("sift", request.models.sifter))
    draft.left_out += [
        f"{name}: left out, {why}" for name, model in models if model and name not in known
    ]


def _end_stage(request: _Request, draft: _Draft, stage: StageReport) -> None:
    draft.stages.append(stage)
    request.listener.on_ranking(_ranking(request, draft))


def _plan(request: _Request) -> StagePlan:
    models, speeds = request.models, request.speeds
    return plan_stages(
        seconds_left(),
        speeds.of(models.reranker) if models.reranker else None,
        speeds.of(models.sifter) if models.sifter else None,
        thought_tokens=models.thought_tokens,
    )


def _retrieve(request: _Request) -> _Draft:
    """Begin a draft with the candidates of the first stage."""
    began = monotonic()
    store, embedder, filters = request.store, request.models.embedder, request.filters
    limit = max(request.limit, CANDIDATES)
    retrieval = retrieve(
        request.question,
        store,
        embedder,
        filters,
        limit=limit,
        earlier=request.dialogue.questions,
        names=request.models.names,
    )
    candidates = retrieval.candidates
    results = {
        one.number: RankedSession(
            session=one.session,
            retrieve=one.score,
            rerank=None,
            sift_rank=None,
            parts=one.parts,
            terms=one.terms,
            evidence=quotes(one),
            reasons=one.reasons,
        )
        for one in candidates
    }
    least = LEAST_SCORE if request.least is None else request.least
    found = bool(candidates) and candidates[0].score >= least
    draft = _Draft(
        candidates,
        results,
        found,
        retrieval,
        tuple(_quote_sources(memory, store) for memory in retrieval.memories),
    )
    _end_stage(
        request, draft, StageReport("retrieve", embedder.name, monotonic() - began, len(candidates))
    )
    return draft


def _quote_sources(memory: Memory, store: Store) -> AnsweringMemory:
    turns = store.memories.source_turns(memory)
    positions = (source.position for source in memory.sources)
    return AnsweringMemory(memory, tuple(map(QuotedTurn, positions, turns)))


def _rerank(request: _Request, draft: _Draft, reranker: Reranker, plan: StagePlan) -> None:
    """Order the candidates by the reranker's judgments; those made before an error count."""
    from memcli.search.rerank import RerankStage

    began = monotonic()
    work = RerankStage(
        request.question_in_context,
        draft.candidates,
        reranker,
        request.store,
        request.speeds,
        on_activity=request.listener.on_activity,
    )
    complete = False
    try:
        with deadline(plan.rerank_seconds):  # cached judgments take no time
            work.run(wanted=request.limit)
        complete = True
    except DeadlineExceededError:
        judged = f"{work.passages or 'none'} of {work.most_passages} passages judged"
        draft.left_out.append(f"rerank: {judged}, {_time_there_was(plan.rerank_seconds)}")
        if seconds_left() <= 0:
            raise
    finally:
        if work.passages:
            _apply_judgments(request, draft, work, complete=complete)
            stage = StageReport(
                "rerank",
                reranker.name,
                monotonic() - began,
                len(work.judgments),
                passages=work.passages,
                cached=work.cached,
                load_seconds=work.load_seconds,
                tokens_read=work.tokens,
            )
            _end_stage(request, draft, stage)


def _apply_judgments(
    request: _Request, draft: _Draft, work: "RerankStage", *, complete: bool
) -> None:
    """Order the candidates by probability: as judged, or else by their rank so far."""
    from memcli.search.rerank import RELEVANT, probability_at_rank

    probabilities = {
        one.number: probability_at_rank(rank) for rank, one in enumerate(draft.candidates)
    }
    for one in draft.candidates:
        if judgment := work.judgments.get(one.number):
            probabilities[one.number] = judgment.probability
            draft.results[one.number] = replace(
                draft.results[one.number],
                rerank=judgment.probability,
                evidence=quotes(one, judgment.passage),
            )
    draft.candidates.sort(key=lambda one: -probabilities[one.number])
    least = RELEVANT if request.least is None else request.least
    answering = any(judgment.probability >= least for judgment in work.judgments.values())
    draft.found = answering or (draft.found and not complete)


def _sift(request: _Request, draft: _Draft, sifter: Sifter) -> None:
    """Put the sessions that the sifter ranks first, in its order."""
    from memcli.search.sift import SiftStage

    began = monotonic()
    work = SiftStage(
        request.question_in_context,
        draft.candidates,
        sifter,
        request.models.sift_wording,
        request.store,
        request.speeds,
        request.listener,
    )
    try:
        result = work.cached_result(HISTORY_TOKENS, request.models.thought_tokens) or _sift_in_time(
            request, draft, sifter, work
        )
    except DeadlineExceededError:
        draft.left_out.append("sift: stopped before it had a ranking")
        raise
    if result:
        _apply_order(draft, result)
        stage = StageReport(
            "sift",
            sifter.name,
            monotonic() - began,
            result.shown,
            cached=int(result.cached),
            load_seconds=work.load_seconds,
            tokens_read=result.read,
            tokens_written=result.written,
        )
        _end_stage(request, draft, stage)


def _sift_in_time(
    request: _Request, draft: _Draft, sifter: Sifter, work: "SiftStage"
) -> "SiftResult | None":
    """Let the sifter read and think as much as there is time for; None if that is nothing."""
    most_thought = request.models.thought_tokens
    left = seconds_left()
    history, thought = plan_sift(left, request.speeds.of(sifter), most_thought)
    if history and (cached := work.cached_result(history, thought)):
        return cached
    if history:
        work.load()
        left = seconds_left()  # less than planned, if loading took longer than ever before
        history, thought = plan_sift(left, request.speeds.of(sifter), most_thought)
    if draft.plan:
        draft.plan = replace(draft.plan, history_tokens=history, thought_tokens=thought)
    if not history:
        draft.left_out.append(f"sift: left out, {_time_there_was(left)}")
        return None
    if history < HISTORY_TOKENS or thought < most_thought:
        draft.left_out.append(
            f"sift: at most {history:,} of {HISTORY_TOKENS:,} tokens read and {thought:,} of"
            f" {most_thought:,} thought, {_time_there_was(left)}"
        )
    return work.run(history, thought)


def _apply_order(draft: _Draft, result: "SiftResult") -> None:
    ranks = {number: rank for rank, number in enumerate(result.order, start=1)}
    last = len(draft.candidates)
    draft.candidates.sort(key=lambda one: ranks.get(one.number, last))
    for number, rank in ranks.items():
        draft.results[number] = replace(draft.results[number], sift_rank=rank)
    draft.thought = result.thought


def _time_there_was(seconds: float) -> str:
    return f"there were {max(seconds, 0):.1f} s for it"
