"""The time budget: how many passages to judge, how many tokens to read and to think.

Without a deadline there is time for everything up to the limits below, which take about as long as
a person would wait. With a deadline, the seconds are divided by the speeds of the models on this
machine.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

from memcli.deadline import seconds_left
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.search.model_speed import Speed

TokenCounter: TypeAlias = Callable[[str], int]  # returns how many tokens a text takes

PASSAGES = 32  # most passages that are judged for one question
PASSAGE_TOKENS = 260  # of a full passage, its heading and the markup around it
HEAD_TOKENS = 100  # of a reranker's prompt before the passage; it is read once
FEWEST_PASSAGES = 3  # for fewer, a reranker is not worth loading

HISTORY_TOKENS = 8_000  # most that a sifter reads; on a CPU reading takes most of the time
LEAST_HISTORY = 600  # tokens; for fewer, a sifter is not worth loading
FRAME_TOKENS = 400  # of a sifter's message around the history
LEAST_THOUGHT = 32  # tokens
RANKING_TOKENS = 64  # reserved for the ranking and its tags

PLANNED_SHARE = 0.8  # of the time; the rest is for what takes longer than last time
RERANK_SHARE = 0.4  # of the time, if there is a sifter too
HISTORY_STEP, THOUGHT_STEP = 256, 16  # tokens, so that a small change of speed changes no plan


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The amount of work that each stage has time for; 0 leaves a stage out."""

    seconds: float  # until the deadline; infinite without one
    passages: int = 0
    rerank_seconds: float = math.inf  # the reranker's share
    history_tokens: int = 0
    thought_tokens: int = 0


def plan_stages(
    seconds: float, reranker: Speed | None, sifter: Speed | None, *, thought_tokens: int
) -> StagePlan:
    """Divide the time until the deadline among the stages.

    A reranker says more per second than a sifter, so it comes first if there is no time for both.
    The sifter gets what the reranker leaves: `plan_sift` plans it again when the reranker is done.

    Args:
        seconds: until the deadline; infinite without one.
        reranker: its speed; None without one.
        sifter: its speed; None without one.
        thought_tokens: most that the sifter thinks.
    """
    passages, share = 0, 0.0
    if reranker:
        share = seconds
        if sifter and seconds - _least_sift_seconds(sifter) >= _rerank_seconds(
            reranker, FEWEST_PASSAGES
        ):
            share = min(
                seconds - _least_sift_seconds(sifter),
                max(RERANK_SHARE * seconds, 0),
                _rerank_seconds(reranker, PASSAGES) / PLANNED_SHARE,
            )
            share = max(share, _rerank_seconds(reranker, FEWEST_PASSAGES))
        passages = _affordable_passages(share, reranker)
    rest = seconds - (share if passages else 0)
    if math.isinf(seconds):
        share = rest = math.inf
    history, thought = plan_sift(rest, sifter, thought_tokens) if sifter else (0, 0)
    return StagePlan(seconds, passages, share, history, thought)


def plan_sift(
    seconds: float, sifter: Speed, thought_tokens: int, *, after: int = RANKING_TOKENS
) -> tuple[int, int]:
    """Return the tokens of history to read and of thought to write; (0, 0) if there is no time.

    A third of the time is for the thought, unless that is more than it may take, or too little
    would be left for reading.

    Args:
        seconds: until the deadline; infinite without one.
        sifter: speed of the model, which may be a chat model, too.
        thought_tokens: most that it thinks.
        after: tokens that follow the thought.
    """
    if math.isinf(seconds):
        return HISTORY_TOKENS, thought_tokens
    working = PLANNED_SHARE * seconds - sifter.load - after / sifter.write
    if working <= 0:
        return 0, 0
    least = min(LEAST_THOUGHT, thought_tokens)
    reading = working - (FRAME_TOKENS + LEAST_HISTORY) / sifter.read
    thought = min(thought_tokens, working * sifter.write / 3, reading * sifter.write)
    history = (working - thought / sifter.write) * sifter.read - FRAME_TOKENS
    if thought < least or history < LEAST_HISTORY:
        return 0, 0
    return (
        _round_down(history, HISTORY_TOKENS, HISTORY_STEP),
        _round_down(thought, thought_tokens, THOUGHT_STEP),
    )


def is_overdue(error: BaseException) -> bool:
    """Return whether a model failed because the deadline passed: a request's time-out."""
    return isinstance(error, BackendError) and seconds_left() <= 0


def _rerank_seconds(speed: Speed, passages: int) -> float:
    """Return the seconds that judging so many passages takes."""
    return speed.load + (HEAD_TOKENS + passages * PASSAGE_TOKENS) / speed.read


def _affordable_passages(seconds: float, speed: Speed) -> int:
    """Return how many passages can be judged; fewer than FEWEST_PASSAGES become 0."""
    if math.isinf(seconds):
        return PASSAGES
    tokens = (PLANNED_SHARE * seconds - speed.load) * speed.read - HEAD_TOKENS
    passages = min(PASSAGES, int(tokens // PASSAGE_TOKENS))
    return passages if passages >= FEWEST_PASSAGES else 0


def _least_sift_seconds(speed: Speed) -> float:
    read = (FRAME_TOKENS + LEAST_HISTORY) / speed.read
    return (speed.load + read + (LEAST_THOUGHT + RANKING_TOKENS) / speed.write) / PLANNED_SHARE


def _round_down(tokens: float, most: int, step: int) -> int:
    """Return `most` if that many tokens are possible, else a multiple of the step."""
    return most if tokens >= most else int(tokens) // step * step
