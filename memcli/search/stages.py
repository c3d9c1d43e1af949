"""The three stages in a row: retrieve, rerank, sift."""

from dataclasses import dataclass, replace
from time import monotonic

from memcli.deadline import OutOfTimeError, deadline, seconds_left
from memcli.errors import BackendError
from memcli.protocols import Embedder, Reranker, Sifter
from memcli.search.budget import HISTORY_TOKENS, Plan, plan, sift_plan
from memcli.search.dialogue import Dialogue, followed
from memcli.search.model_speed import Speeds
from memcli.search.rerank import RELEVANT, Reranking, chance
from memcli.search.results import Answer, Listener, Result, Stage, quotes
from memcli.search.retrieve import Candidate, retrieve
from memcli.search.sift import Sifted, Sifting
from memcli.store import Filters, Store

CANDIDATES = 30  # sessions the second and third stages look at
LEAST = 0.25  # score of the best session, below which nothing is thought relevant


@dataclass(frozen=True, slots=True)
class Models:
    """The models a question is put to; the stages without one are left out."""

    embedder: Embedder
    reranker: Reranker | None = None
    sifter: Sifter | None = None
    sift_wording: str = ""
    thought_tokens: int = 1024


def ask(
    question: str,
    store: Store,
    models: Models,
    filters: Filters,
    *,
    limit: int,
    least: float | None = None,
    dialogue: Dialogue | None = None,
    listener: Listener | None = None,
    speeds: Speeds | None = None,
) -> Answer:
    """Rank the sessions that may answer, by as many stages as there are models and time for.

    Args:
        question: in the person's own words.
        store: where the sessions are.
        models: what ranks them.
        filters: which sessions count.
        limit: most sessions to return.
        least: score of the least session to return; None leaves it to the verdict.
        dialogue: what was asked before, if the question goes on from there.
        listener: told how it goes.
        speeds: of the models on this machine; learns.

    Returns:
        At most `limit` sessions. The verdict is "nothing" where the reranker finds no session
        likelier than not to answer; without one, where the best session scores below LEAST; and
        where `least` is given, where none reaches that.

    The deadline (`memcli.deadline`), a model that fails, and Ctrl-C end it with what there is:
    see `Answer.out_of_time` and `Answer.stopped`.
    """
    course = _Course(question, store, listener or Listener(), limit, speeds or Speeds(), least)
    course.retrieve(models.embedder, filters, dialogue or Dialogue())
    try:
        course.think(models)
    except OutOfTimeError:
        return replace(course.answer, out_of_time=True)
    except (BackendError, KeyboardInterrupt) as stopped:
        if isinstance(stopped, BackendError) and seconds_left() <= 0:  # a request's time-out
            return replace(course.answer, out_of_time=True)
        return replace(course.answer, stopped=stopped)
    return course.answer


class _Course:
    """A question on its way through the stages."""

    def __init__(
        self,
        question: str,
        store: Store,
        listener: Listener,
        limit: int,
        speeds: Speeds,
        least: float | None,
    ) -> None:
        self._question, self._store, self._listener = question, store, listener
        self._limit, self._speeds, self._least = limit, speeds, least
        self._current = question  # with what was asked before it
        self._candidates: list[Candidate] = []
        self._results: dict[int, Result] = {}  # by number of the session
        self._stages: list[Stage] = []
        self._left_out: list[str] = []
        self._plan: Plan | None = None
        self._thought: str | None = None
        self._found = False

    @property
    def answer(self) -> Answer:
        """The ranking so far."""
        shown = self._candidates[: self._limit]
        results = tuple(self._results[candidate.number] for candidate in shown)
        if self._least is not None:
            results = tuple(result for result in results if result.score >= self._least)
        return Answer(
            self._question,
            "found" if self._found and results else "nothing",
            results,
            tuple(self._stages),
            self._thought,
            self._plan,
            tuple(self._left_out),
        )

    def retrieve(self, embedder: Embedder, filters: Filters, dialogue: Dialogue) -> None:
        began = monotonic()
        limit = max(self._limit, CANDIDATES)
        found = retrieve(self._question, self._store, embedder, filters, limit=limit)
        if dialogue.exchanges:
            self._current = dialogue.current(self._question)
            asked = dialogue.questions
            earlier = retrieve(asked, self._store, embedder, filters, limit=limit)
            found = followed(found, earlier)[:limit]
        self._candidates = found
        for one in self._candidates:
            self._results[one.number] = Result(
                one.session, one.score, None, None, one.parts, one.terms, quotes(one)
            )
        least = LEAST if self._least is None else self._least
        self._found = bool(self._candidates) and self._candidates[0].score >= least
        self._end(Stage("retrieve", embedder.name, monotonic() - began, len(self._candidates)))

    def think(self, models: Models) -> None:
        """Go through the stages that need a language model."""
        if not self._candidates:
            return
        self._plan = plan(
            seconds_left(),
            self._speeds.of(models.reranker) if models.reranker else None,
            self._speeds.of(models.sifter) if models.sifter else None,
            thought_tokens=models.thought_tokens,
        )
        if models.reranker:
            self._rerank(models.reranker, self._plan)
        if models.sifter and self._found:
            self._sift(models.sifter, models.sift_wording, models.thought_tokens)

    def _rerank(self, reranker: Reranker, planned: Plan) -> None:
        began = monotonic()
        work = Reranking(
            self._current,
            self._candidates,
            reranker,
            self._store,
            self._speeds,
            working=self._listener.working,
        )
        complete = False
        try:
            with deadline(planned.rerank_seconds):  # what is remembered takes no time
                work.run(wanted=self._limit)
            complete = True
        except OutOfTimeError:
            done = f"{work.passages or 'none'} of {work.of} passages judged"
            self._left_out.append(f"rerank: {done}, {_had(planned.rerank_seconds)}")
            if seconds_left() <= 0:
                raise
        finally:
            if work.passages:
                self._place(work, complete=complete)
                stage = Stage(
                    "rerank",
                    reranker.name,
                    monotonic() - began,
                    len(work.judged),
                    passages=work.passages,
                    remembered=work.remembered,
                    load=work.load,
                    read=work.tokens,
                )
                self._end(stage)

    def _place(self, work: Reranking, *, complete: bool) -> None:
        """Order the candidates by what was judged, and by chance where nothing was."""
        chances = {one.number: chance(rank) for rank, one in enumerate(self._candidates)}
        for one in self._candidates:
            if verdict := work.judged.get(one.number):
                chances[one.number] = verdict.probability
                self._results[one.number] = replace(
                    self._results[one.number],
                    rerank=verdict.probability,
                    evidence=quotes(one, verdict.passage),
                )
        self._candidates.sort(key=lambda one: -chances[one.number])
        least = RELEVANT if self._least is None else self._least
        answering = any(verdict.probability >= least for verdict in work.judged.values())
        self._found = answering or (self._found and not complete)

    def _sift(self, sifter: Sifter, wording: str, most_thought: int) -> None:
        began = monotonic()
        work = Sifting(
            self._current,
            self._candidates,
            sifter,
            wording,
            self._store,
            self._speeds,
            self._listener,
        )
        try:
            sifted = work.remembered(HISTORY_TOKENS, most_thought) or self._planned(
                work, sifter, most_thought
            )
        except OutOfTimeError:
            self._left_out.append("sift: stopped before it had a ranking")
            raise
        if sifted:
            self._reorder(sifted)
            self._end(
                Stage(
                    "sift",
                    sifter.name,
                    monotonic() - began,
                    sifted.shown,
                    remembered=int(sifted.remembered),
                    load=work.load,
                    read=sifted.read,
                    written=sifted.written,
                )
            )

    def _planned(self, work: Sifting, sifter: Sifter, most_thought: int) -> Sifted | None:
        """Sift as much as there is time for; None where that is nothing."""
        left = seconds_left()
        history, thought = sift_plan(left, self._speeds.of(sifter), most_thought)
        if history and (kept := work.remembered(history, thought)):
            return kept
        if history:
            work.open()
            left = seconds_left()  # less than planned, if loading took longer than ever before
            history, thought = sift_plan(left, self._speeds.of(sifter), most_thought)
        if self._plan:
            self._plan = replace(self._plan, history_tokens=history, thought_tokens=thought)
        if not history:
            self._left_out.append(f"sift: left out, {_had(left)}")
            return None
        if history < HISTORY_TOKENS or thought < most_thought:
            self._left_out.append(
                f"sift: at most {history:,} of {HISTORY_TOKENS:,} tokens read and {thought:,} of"
                f" {most_thought:,} thought, {_had(left)}"
            )
        return work.run(history, thought)

    def _reorder(self, sifted: Sifted) -> None:
        places = {number: rank for rank, number in enumerate(sifted.order, start=1)}
        last = len(self._candidates)
        self._candidates.sort(key=lambda one: places.get(one.number, last))
        for number, rank in places.items():
            self._results[number] = replace(self._results[number], sift_rank=rank)
        self._thought = sifted.thought

    def _end(self, stage: Stage) -> None:
        self._stages.append(stage)
        self._listener.ranked(self.answer)


def _had(seconds: float) -> str:
    return f"there were {max(seconds, 0):.1f} s for it"
