"""The stages that `mem bench` compares, as `evaluation.runner` wants them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter

from memcli.callbacks import ignore
from memcli.domain import Fact, MemoryType, PortableMemory, PortableSource
from memcli.errors import InputError
from memcli.evaluation.answer_quality import STEPS as OUTCOME_STEPS
from memcli.evaluation.answer_quality import AnswerFunction, task_outcome
from memcli.evaluation.datasets import DatasetQuestion, Layout, Observation
from memcli.evaluation.metrics import rank_by_score
from memcli.evaluation.runner import DEPTH, RankedGrain, StageRanking
from memcli.formats import ParseOptions, load_format
from memcli.ingest.import_exports import import_exports
from memcli.ingest.import_progress import ProgressCallback
from memcli.ingest.restore import ArchiveRestorer
from memcli.lazy_dataclasses import dataclass, replace
from memcli.prompts import format_history
from memcli.protocols import Embedder
from memcli.search.query import SignalWeights, weights_for_size
from memcli.search.results import Ranking as Ranking
from memcli.search.results import RankingListener
from memcli.search.retrieve import retrieve
from memcli.search.stages import LEAST_SCORE, RankingModels, rank_sessions
from memcli.search.turn_search import retrieve_turns
from memcli.store import Filters, IndexMatch, Store, query_terms

# Each stage is compared with the one before; `memories` is `retrieve` with memories as a signal.
STAGES = ("vectors", "bm25", "retrieve", "memories", "rerank", "sift")
WITHOUT_LANGUAGE_MODEL = STAGES[:3]
SESSION_STAGES = STAGES[3:]  # stages that rank no turns
MODEL_STAGES = STAGES[4:]
SESSION_LIMIT = 10  # sessions that the stages with a language model return, as `mem ask -n 10`
_PASSAGES = 400  # passages by meaning: several are of one session

PlaceScores = dict[tuple[int, int], float]  # by session and position; 0 is the whole session
RankQuestion = Callable[[DatasetQuestion], StageRanking]


def fill_archive(
    store: Store,
    export: Path,
    layout: Layout,
    observations: Iterable[Observation],
    *,
    embedder: Embedder,
    with_memories: bool = False,
    progress: ProgressCallback = ignore,
) -> None:
    """Import the export of an archive into its database, and its observations as memories.

    Raises:
        InputError: a part of it cannot be read.
    """
    [report] = import_exports(
        [export], store, embedder, ParseOptions(), forced=load_format(layout), progress=progress
    )
    if report.damaged:
        raise InputError(f"the {layout} data is damaged: {report.warnings[0]}")
    if with_memories:
        memories = [_memory(one, layout) for one in observations]
        # A memory that no turn here supports is skipped.
        ArchiveRestorer(store, embedder).restore(memories)


def _memory(observation: Observation, layout: Layout) -> PortableMemory:
    fact = Fact(observation.text, MemoryType.LONG_TERM, observation.text, (observation.person,))
    return PortableMemory(
        fact,
        tuple(
            PortableSource(layout, observation.session, turn, "the data set")
            for turn in sorted(observation.turns)
        ),
    )


@dataclass(frozen=True, slots=True)
class StageArchive:
    """A database that ranks by several stages.

    A stage with a language model ranks the sessions that `mem ask` would print, and leaves the
    others in the order of the first stage.
    """

    store: Store
    models: RankingModels
    stages: Collection[str]
    grain: RankedGrain
    answer: AnswerFunction | None = None  # a chat model; it answers from the last stage's ranking

    def rank(self, question: DatasetQuestion) -> dict[str, StageRanking]:
        """Return each stage's ranking for a question, in the order of STAGES."""
        weights = replace(weights_for_size(self.store.index.count_sessions()), memories=0)
        ways: Mapping[str, RankQuestion] = {
            "vectors": self._rank_by_vectors,
            "bm25": self._rank_by_words,
            "retrieve": partial(self._retrieve, weights=weights)
            if self.grain == "session"
            else self._retrieve_turns,
            "memories": self._retrieve,
        }
        found = {name: ways[name](question) for name in ways if name in self.stages}
        thinking = [name for name in MODEL_STAGES if name in self.stages]
        if thinking:
            first = found.get("memories") or found.get("retrieve") or self._retrieve(question)
            found |= self._rank_by_models(question.text, first, thinking)
        return found

    def score_answers(
        self, question: DatasetQuestion, stages: Mapping[str, StageRanking]
    ) -> dict[str, float]:
        """Return scores of a chat model's answers from the last stage's ranking."""
        if not (self.answer and question.answer) or question.abstention:
            return {}
        last = list(stages.values())[-1]
        sessions = [self.store.sessions.get(one) for one in last.places[: OUTCOME_STEPS[-1]]]
        texts = [format_history([(one, range(1, len(one.turns) + 1))]) for one in sessions]
        return task_outcome(question.text, question.answer, texts, self.answer)

    def _rank_by_words(self, question: DatasetQuestion) -> StageRanking:
        began = perf_counter()
        found = self.store.index.match_terms(
            self.grain, query_terms(question.text), Filters(), DEPTH
        )
        seconds = perf_counter() - began
        return StageRanking(self._best_ids(self._place_scores(found)), seconds)

    def _rank_by_vectors(self, question: DatasetQuestion) -> StageRanking:
        began = perf_counter()
        # `question_vector` would cache the vector for the stage that is measured next.
        [vector] = self.models.embedder.embed([question.text], questions=True)
        raw = vector.astype("<f4").tobytes()
        found = self.store.index.nearest_passages(raw, self.models.embedder, Filters(), _PASSAGES)
        seconds = perf_counter() - began
        return StageRanking(self._best_ids(self._place_scores(found)), seconds)

    def _place_scores(self, found: Iterable[IndexMatch]) -> PlaceScores:
        return _session_scores(found) if self.grain == "session" else _turn_scores(found)

    def _retrieve(
        self, question: DatasetQuestion, weights: SignalWeights | None = None
    ) -> StageRanking:
        began = perf_counter()
        found = retrieve(
            question.text,
            self.store,
            self.models.embedder,
            Filters(),
            limit=DEPTH,
            now=question.asked_at,
            weights=weights,
        )
        seconds = perf_counter() - began
        candidates = found.candidates
        relevant = bool(candidates) and candidates[0].score >= LEAST_SCORE
        return StageRanking(tuple(one.session.id for one in candidates), seconds, relevant)

    def _retrieve_turns(self, question: DatasetQuestion) -> StageRanking:
        began = perf_counter()
        found = retrieve_turns(
            question.text,
            self.store,
            self.models.embedder,
            Filters(),
            limit=DEPTH,
            now=question.asked_at,
        )
        seconds = perf_counter() - began
        return StageRanking(tuple(f"{one.session}:{one.position}" for one in found), seconds)

    def _rank_by_models(
        self, question: str, first: StageRanking, names: Collection[str]
    ) -> dict[str, StageRanking]:
        by_stage: dict[str, Ranking] = {}

        def keep_ranking(answer: Ranking) -> None:
            by_stage[answer.stages[-1].name] = answer

        models = replace(
            self.models,
            reranker=self.models.reranker if "rerank" in names else None,
            sifter=self.models.sifter if "sift" in names else None,
        )
        answer = rank_sessions(
            question,
            self.store,
            models,
            Filters(),
            limit=SESSION_LIMIT,
            listener=RankingListener(on_ranking=keep_ranking),
        )
        if answer.stopped_by:
            raise answer.stopped_by
        found: dict[str, StageRanking] = {}
        last = first  # a stage that had nothing to do leaves the ranking as it was
        for name in names:
            if name in by_stage:
                stage = _stage_ranking(by_stage[name])
                rest = [place for place in first.places if place not in stage.places]
                seconds = last.seconds + by_stage[name].stages[-1].seconds
                last = StageRanking((*stage.places, *rest), seconds, stage.found)
            found[name] = last
        return found

    def _best_ids(self, scores: Mapping[tuple[int, int], float]) -> tuple[str, ...]:
        """Return the ids of the best places."""
        ids: dict[int, str] = {}
        best = []
        for number, position in rank_by_score(scores)[:DEPTH]:
            if number not in ids:
                ids[number] = self.store.sessions.by_number(number).id
            best.append(f"{ids[number]}:{position}" if position else ids[number])
        return tuple(best)


def _session_scores(found: Iterable[IndexMatch]) -> PlaceScores:
    """Return the best score of each session's passages."""
    best: PlaceScores = {}
    for one in found:
        key = (one.session, 0)
        best[key] = max(one.score, best.get(key, one.score))
    return best


def _turn_scores(found: Iterable[IndexMatch]) -> PlaceScores:
    """Return the score of each turn's passage, the best where passages overlap."""
    best: PlaceScores = {}
    for one in found:
        for position in range(one.passage.first, one.passage.last + 1) if one.passage else ():
            key = (one.session, position)
            best[key] = max(one.score, best.get(key, one.score))
    return best


def _stage_ranking(answer: Ranking) -> StageRanking:
    return StageRanking(
        tuple(result.session.id for result in answer.results),
        sum(stage.seconds for stage in answer.stages),
        answer.verdict == "found",
    )
