"""Trials of models by role: each is asked questions whose answers are known.

Community conversions of rerankers often answer the same to everything, and some bindings apply a
sigmoid to a sigmoid; both look like scores.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from memcli.catalog import ReferenceRanking
from memcli.lazy_dataclasses import dataclass, field
from memcli.prompts import sift_message
from memcli.protocols import Embedder, Message, Reader, Reranker, Sifter, Tool

# The deviation from a published yes - no, in logits, or cosine that quantization explains. A second
# sigmoid moves each of MemReranker's published numbers by at least 0.5 and the last by 3.
LOGIT_TOLERANCE = {"F32": 0.25, "BF16": 0.25, "F16": 0.25, "Q8_0": 0.35, "Q6_K": 0.5, "Q5_K_M": 0.7}
COSINE_TOLERANCE = {
    "F32": 0.01,
    "BF16": 0.01,
    "F16": 0.01,
    "Q8_0": 0.02,
    "Q6_K": 0.03,
    "Q5_K_M": 0.04,
}
DEFAULT_LOGIT_TOLERANCE, DEFAULT_COSINE_TOLERANCE = 1.0, 0.06

RUN_TOLERANCE = 0.01  # two runs may differ by this: a GPU adds in another order
MIN_SPREAD = 0.02  # probabilities nearer than this are one answer to everything

DEFAULT_RANKING = ReferenceRanking(  # for a manifest without any: every trained model can do it
    "What is the capital of China?",
    ("The capital of China is Beijing.", "Python is a popular programming language."),
    min_gap=0.05,
)
_HISTORY = (
    "<session0> <date>2024/03/02 (Sat) 10:00</date>\n<user0>We fly to Lisbon in May.</user0>\n"
    "</session>\n<session1> <date>2024/04/07 (Sun) 18:30</date>\n"
    "<user0>I must not eat hazelnuts.</user0>\n</session>"
)
_QUESTION = "What must I not eat?"
_TOOL = Tool(
    "ignore_memory",
    "Ignore low-value content.",
    {
        "type": "object",
        "properties": {"reason": {"type": "string"}},
        "required": ["reason"],
    },
)


@dataclass(slots=True)
class Findings:
    """The faults that a trial found, and the facts that it measured."""

    faults: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def try_reranker(
    reranker: Reranker, checks: Sequence[ReferenceRanking], quantization: str
) -> Findings:
    """Let a reranker judge passages whose order, and possibly scores, are known.

    Raises:
        BackendError: the model failed.
    """
    found = Findings()
    tolerance = LOGIT_TOLERANCE.get(quantization, DEFAULT_LOGIT_TOLERANCE)
    all_scores: list[float] = []
    for ranking in checks or (DEFAULT_RANKING,):
        first = dict(reranker.judge(ranking.question, ranking.passages))
        second = dict(reranker.judge(ranking.question, ranking.passages))
        scores = [first[index] for index in range(len(ranking.passages))]
        all_scores += scores
        _compare_runs(found, ranking, scores, [second[index] for index in range(len(scores))])
        _compare(
            found,
            ranking,
            scores,
            comparable=[_logit(score) for score in scores],
            names=("p(yes)", "yes - no"),
            tolerance=tolerance,
        )
    _explain_probabilities(found, all_scores)
    return found


def try_embedder(
    embedder: Embedder, checks: Sequence[ReferenceRanking], quantization: str
) -> Findings:
    """Let an embedder embed questions and passages whose order by cosine is known.

    Raises:
        BackendError: the model failed.
    """
    found = Findings()
    tolerance = COSINE_TOLERANCE.get(quantization, DEFAULT_COSINE_TOLERANCE)
    for ranking in checks or (DEFAULT_RANKING,):
        [question] = embedder.embed([ranking.question], questions=True)
        passages = embedder.embed(ranking.passages)
        cosines = [float(one) for one in passages @ question]
        lengths = [math.sqrt(float(one @ one)) for one in (question, *passages)]
        if any(abs(length - 1) > 1e-3 or math.isnan(length) for length in lengths):
            found.faults.append(f"vectors are not of length 1 but {lengths[0]:.3f}")
        again = [float(one) for one in embedder.embed(ranking.passages) @ question]
        _compare_runs(found, ranking, cosines, again)
        _compare(
            found,
            ranking,
            cosines,
            comparable=cosines,
            names=("nearness", "cosine"),
            tolerance=tolerance,
        )
    return found


def try_sifter(sifter: Sifter, wording: str, *, run_twice: bool = True) -> Findings:
    """Let a sifter think a little and rank two sessions, twice unless it is served.

    Raises:
        BackendError: the model failed, for example because its chat template cannot be rendered.
    """
    message = sift_message(wording, _HISTORY, _QUESTION)

    def run() -> list[object]:
        return list(sifter.sift(message, shown=2, ranked=2, thought_tokens=16))

    fact = f"it ranked two sessions, of {sifter.count(message):,} tokens"
    return _run(run, fact, twice=run_twice)


def try_reader(reader: Reader, *, run_twice: bool = True) -> Findings:
    """Let a reader think a little and call a tool, twice unless it is served.

    Raises:
        BackendError: the model failed, for example because its chat template cannot be rendered
            with tools.
    """
    messages = (Message("user", "[user]: Hello!\n[assistant]: Hi, how are you?"),)

    def run() -> list[object]:
        return list(reader.call(messages, [_TOOL], thought_tokens=16, call_tokens=256))

    return _run(run, "it called a tool", twice=run_twice)


def try_forward(logits: Callable[[], Sequence[float]]) -> Findings:
    """Compare two runs of a language model over the same words, by the logits of the next token.

    Raises:
        BackendError: the model failed.
    """
    found = Findings()
    first, second = logits(), logits()
    if not all(map(math.isfinite, first)):
        found.faults.append("its logits are infinite or undefined: the weights are damaged")
    elif max(first) - min(first) < 1e-6:
        found.faults.append(f"its logits are all {first[0]:.3f}: it prefers no token")
    elif max(abs(one - two) for one, two in zip(first, second, strict=True)) > RUN_TOLERANCE:
        found.faults.append("the second run over the same words gave other logits")
    return found


def _run(run: Callable[[], Sequence[object]], fact: str, *, twice: bool) -> Findings:
    first = run()
    if twice and run() != first:
        return Findings(faults=["the second run with the same words and seed gave another answer"])
    return Findings(facts=[fact])


def _compare_runs(
    found: Findings, ranking: ReferenceRanking, first: Sequence[float], second: Sequence[float]
) -> None:
    for passage, one, two in zip(ranking.passages, first, second, strict=True):
        if abs(one - two) > RUN_TOLERANCE:
            found.faults.append(f"{_pair(ranking, passage)} scored {one:.3f}, then {two:.3f}")


def _compare(
    found: Findings,
    ranking: ReferenceRanking,
    scores: Sequence[float],
    *,
    comparable: Sequence[float],
    names: tuple[str, str],
    tolerance: float,
) -> None:
    """Compare scores with the known order, with the least spread and with published scores."""
    score_name, published_name = names
    for index, (passage, score) in enumerate(zip(ranking.passages, scores, strict=True)):
        fact = f"{_pair(ranking, passage)}: {score_name} {score:.3f}"
        if ranking.scores:
            actual, expected = comparable[index], ranking.scores[index]
            fact += f", {published_name} {actual:.3f}, published {expected:.3f}"
            if not abs(actual - expected) <= tolerance:
                found.faults.append(
                    f"{_pair(ranking, passage)}: {published_name} is {actual:.2f}, published is"
                    f" {expected:.2f}, and quantization explains at most {tolerance:.2f}"
                )
        found.facts.append(fact)
    for (better, high), (worse, low) in pairwise(zip(ranking.passages, scores, strict=True)):
        if not high > low:
            found.faults.append(
                f"{_pair(ranking, worse)} scored {low:.3f}, above {_quote(better)} with {high:.3f}"
            )
    if scores[0] - scores[-1] < ranking.min_gap:
        found.faults.append(
            f"{_pair(ranking, ranking.passages[-1])} scored {scores[-1]:.3f}, only"
            f" {scores[0] - scores[-1]:.3f} below the answer; the least is {ranking.min_gap:.2f}"
        )


def _explain_probabilities(found: Findings, probabilities: Sequence[float]) -> None:
    """Put the usual cause of wrong probabilities before the pairs that show it."""
    if not found.faults or not probabilities:
        return
    low, high = min(probabilities), max(probabilities)
    if high - low < MIN_SPREAD:
        found.faults.insert(
            0,
            f"it answers the same to everything, {low:.3f} to {high:.3f}: a part of the model"
            " is missing from the file",
        )
    elif low >= 0.49 and high <= 0.74:
        found.faults.insert(
            0,
            f"all its probabilities are between {low:.2f} and {high:.2f}, as if a sigmoid"
            " were applied to another",
        )


def _pair(ranking: ReferenceRanking, passage: str) -> str:
    return f"{_quote(ranking.question)} / {_quote(passage)}"


def _quote(text: str) -> str:
    return f'"{text}"'


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(clipped / (1 - clipped))
