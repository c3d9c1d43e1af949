"""What there is time for: how many passages to judge, how many tokens to read and to think.

Without a deadline there is time for everything up to the limits below, which are what a person
would wait for. With one, the seconds are divided by the speeds of the models on this machine.
"""

import math
from dataclasses import dataclass

from memcli.search.model_speed import Speed

PASSAGES = 32  # most that are judged for one question
PASSAGE_TOKENS = 260  # of a full passage, its heading and the markup around it
HEAD_TOKENS = 100  # of a reranker's prompt before the passage, read once
FEWEST_PASSAGES = 3  # worth loading a reranker for

HISTORY_TOKENS = 8_000  # most that a sifter reads: reading is what takes the time on a CPU
LEAST_HISTORY = 600  # worth loading a sifter for
FRAME_TOKENS = 400  # of a sifter's message around the history
LEAST_THOUGHT = 32
RANKING_TOKENS = 64  # left for the ranking and its tags

SURE = 0.8  # of the time is planned for; the rest is for what takes longer than last time
RERANK_SHARE = 0.4  # of the time, where there is a sifter too
_STEPS = {"history": 256, "thought": 16}  # so that a little change of speed changes no plan


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of each stage there is time for; 0 leaves it out."""

    seconds: float  # until the deadline; infinite without one
    passages: int = 0
    rerank_seconds: float = math.inf  # the reranker's share
    history_tokens: int = 0
    thought_tokens: int = 0


def plan(
    seconds: float, reranker: Speed | None, sifter: Speed | None, *, thought_tokens: int
) -> Plan:
    """Divide the time until the deadline among the stages.

    A reranker says more per second than a sifter, so where there is no time for both, it comes
    first. The sifter gets what the reranker leaves: it is planned again, by `sift_plan`, when the
    reranker is done.

    Args:
        seconds: until the deadline; infinite without one.
        reranker: None without one.
        sifter: None without one.
        thought_tokens: most that the sifter thinks.
    """
    passages, share = 0, 0.0
    if reranker:
        share = seconds
        if sifter and seconds - _least_sift(sifter) >= _rerank(reranker, FEWEST_PASSAGES):
            most = _rerank(reranker, PASSAGES)
            share = min(seconds - _least_sift(sifter), max(RERANK_SHARE * seconds, 0), most / SURE)
            share = max(share, _rerank(reranker, FEWEST_PASSAGES))
        passages = _passages(share, reranker)
    rest = seconds - (share if passages else 0)
    if math.isinf(seconds):
        share = rest = math.inf
    history, thought = sift_plan(rest, sifter, thought_tokens) if sifter else (0, 0)
    return Plan(seconds, passages, share, history, thought)


def sift_plan(
    seconds: float, sifter: Speed, thought_tokens: int, *, after: int = RANKING_TOKENS
) -> tuple[int, int]:
    """Return the tokens of history to read and of thought to write; (0, 0): there is no time.

    A third of the time is for the thought, unless that is more than it may take, or reading would
    be left with too little; `after` is how many tokens follow the thought.
    """
    if math.isinf(seconds):
        return HISTORY_TOKENS, thought_tokens
    working = SURE * seconds - sifter.load - after / sifter.write
    if working <= 0:
        return 0, 0
    least = min(LEAST_THOUGHT, thought_tokens)
    reading = working - (FRAME_TOKENS + LEAST_HISTORY) / sifter.read
    thought = min(thought_tokens, working * sifter.write / 3, reading * sifter.write)
    history = (working - thought / sifter.write) * sifter.read - FRAME_TOKENS
    if thought < least or history < LEAST_HISTORY:
        return 0, 0
    return (
        _stepped(history, HISTORY_TOKENS, _STEPS["history"]),
        _stepped(thought, thought_tokens, _STEPS["thought"]),
    )


def _rerank(speed: Speed, passages: int) -> float:
    """Return the seconds that so many passages take."""
    return speed.load + (HEAD_TOKENS + passages * PASSAGE_TOKENS) / speed.read


def _passages(seconds: float, speed: Speed) -> int:
    """Return how many passages can be judged; too few are none."""
    if math.isinf(seconds):
        return PASSAGES
    tokens = (SURE * seconds - speed.load) * speed.read - HEAD_TOKENS
    passages = min(PASSAGES, int(tokens // PASSAGE_TOKENS))
    return passages if passages >= FEWEST_PASSAGES else 0


def _least_sift(speed: Speed) -> float:
    read = (FRAME_TOKENS + LEAST_HISTORY) / speed.read
    return (speed.load + read + (LEAST_THOUGHT + RANKING_TOKENS) / speed.write) / SURE


def _stepped(tokens: float, most: int, step: int) -> int:
    """Return all that is wanted, or so many steps as there are in what is possible."""
    return most if tokens >= most else int(tokens) // step * step
