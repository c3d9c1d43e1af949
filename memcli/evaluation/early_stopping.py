"""The passages that the second stage judges before it stops, beside all that it could judge.

A model would take minutes for it. Its scores are drawn instead, as trained rerankers give them: a
margin of 2 +- 1 to passages that answer, of -3.5 +- 1 to others. The published ones of
MemReranker are 2.97, 1.33 and -3.14.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Annotated

from memcli.backends.yes_no import sigmoid
from memcli.demo.questions import DEMO_QUESTIONS, DemoQuestion
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Embedder
from memcli.search.evidence.candidates import Candidate
from memcli.search.model_speed import ModelSpeeds
from memcli.search.rerank import SETTLED, RerankStage
from memcli.search.retrieve import retrieve
from memcli.search.stages import CANDIDATES
from memcli.store import Filters, Store

DRAWS = 10  # of scores for each question
PLACES = 5  # first places that a person sees


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """The passages judged for a question of the demo, with scores like trained rerankers'."""

    ratio: Annotated[float, "Passages of all candidates to those judged."]
    sure_ratio: Annotated[float, "The same, if it went on until each of five places is settled."]
    same_first: Annotated[float, "Share of rankings whose first session all passages give, too."]


class _DrawnScores:
    """A reranker that knows the answers, and draws its margins at random."""

    name = "drawn scores"

    def __init__(self, question: DemoQuestion, seed: int, *, run: str) -> None:
        self.fingerprint = f"{self.name} {seed} {run}"  # no run reads the scores of another
        self._question, self._seed = question, seed
        self.scores: list[float] = []  # in the order in which passages were judged

    def count(self, text: str) -> int:
        return len(text)

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        for index, passage in enumerate(passages):
            answers = any(answer in passage for answer in self._question.answers)
            margin = Random(f"{self._seed} {question} {passage}").gauss(2 if answers else -3.5, 1)
            self.scores.append(sigmoid(margin))
            yield index, self.scores[-1]


def measure_early_stopping(database: Path, embedder: Embedder) -> EarlyStopping:
    """Return how much the second stage saves on the questions of the demo.

    Args:
        database: has the archive of the demo.
        embedder: made its vectors.
    """
    judged, sure, every, same = [], [], [], []
    with Store(database) as store:
        for question in DEMO_QUESTIONS:
            found = retrieve(question.question, store, embedder, Filters(), limit=CANDIDATES)
            for seed in range(DRAWS if found.candidates else 0):
                model = _DrawnScores(question, seed, run="stopped")
                stopped = _judge(question, found.candidates, model, store, places=PLACES)
                model = _DrawnScores(question, seed, run="whole")
                whole = _judge(question, found.candidates, model, store, places=1 << 20)
                judged.append(stopped.passages)
                every.append(whole.passages)
                sure.append(_passages_until_settled(model.scores))
                same.append(_first(stopped) == _first(whole))
    if not every:
        return EarlyStopping(1.0, 1.0, 1.0)
    return EarlyStopping(fmean(every) / fmean(judged), fmean(every) / fmean(sure), fmean(same))


def _judge(
    question: DemoQuestion,
    candidates: Sequence[Candidate],
    model: _DrawnScores,
    store: Store,
    *,
    places: int,
) -> RerankStage:
    stage = RerankStage(question.question, candidates, model, store, ModelSpeeds())
    stage.run(wanted=places)
    return stage


def _first(stage: RerankStage) -> int:
    return max(stage.judgments, key=lambda number: stage.judgments[number].probability)


def _passages_until_settled(scores: Sequence[float]) -> int:
    """Return how many passages are judged until enough of them surely answer; at most all."""
    settled = [place for place, score in enumerate(scores, start=1) if score >= SETTLED]
    return settled[PLACES - 1] if len(settled) >= PLACES else len(scores)
