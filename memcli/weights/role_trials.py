"""A model is put to the test, by role, before anybody relies on it.

Community conversions of rerankers often answer the same to everything, and some bindings put a
sigmoid over a sigmoid; both look like scores. So each model is asked what is known of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from memcli.catalog import Check
from memcli.prompts import sift_message
from memcli.protocols import Embedder, Message, Reader, Reranker, Sifter, Tool

# By how much quantization may move a published yes - no, in logits, or a cosine. A second sigmoid
# moves each of MemReranker's published numbers by at least 0.5 and the last by 3.
LOGITS = {"F32": 0.25, "BF16": 0.25, "F16": 0.25, "Q8_0": 0.35, "Q6_K": 0.5, "Q5_K_M": 0.7}
COSINE = {"F32": 0.01, "BF16": 0.01, "F16": 0.01, "Q8_0": 0.02, "Q6_K": 0.03, "Q5_K_M": 0.04}
LOGITS_OTHERWISE, COSINE_OTHERWISE = 1.0, 0.06

SAME = 0.01  # two runs may differ by this: a GPU adds in another order
ALIKE = 0.02  # probabilities nearer than this are one answer to everything

ANYBODYS = Check(  # where a manifest has none: whoever was taught at all can tell these apart
    "What is the capital of China?",
    ("The capital of China is Beijing.", "Python is a popular programming language."),
    apart=0.05,
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
    """What a trial found: what is wrong, and what was measured."""

    faults: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def try_reranker(reranker: Reranker, checks: Sequence[Check], quantization: str) -> Findings:
    """Let a reranker judge passages whose order, and maybe scores, are known.

    Raises:
        BackendError: it failed.
    """
    found = Findings()
    tolerance = LOGITS.get(quantization, LOGITS_OTHERWISE)
    everything: list[float] = []
    for check in checks or (ANYBODYS,):
        judged = dict(reranker.judge(check.question, check.passages))
        again = dict(reranker.judge(check.question, check.passages))
        scores = [judged[index] for index in range(len(check.passages))]
        everything += scores
        _compare_runs(found, check, scores, [again[index] for index in range(len(scores))])
        _compare(
            found,
            check,
            scores,
            published=[_logit(score) for score in scores],
            called=("p(yes)", "yes - no"),
            tolerance=tolerance,
        )
    _look_at_spread(found, everything)
    return found


def try_embedder(embedder: Embedder, checks: Sequence[Check], quantization: str) -> Findings:
    """Let an embedder place questions and passages whose order of nearness is known.

    Raises:
        BackendError: it failed.
    """
    found = Findings()
    tolerance = COSINE.get(quantization, COSINE_OTHERWISE)
    for check in checks or (ANYBODYS,):
        [question] = embedder.embed([check.question], questions=True)
        passages = embedder.embed(check.passages)
        cosines = [float(one) for one in passages @ question]
        lengths = [math.sqrt(float(one @ one)) for one in (question, *passages)]
        if any(abs(length - 1) > 1e-3 or math.isnan(length) for length in lengths):
            found.faults.append(f"vectors are not of length 1 but {lengths[0]:.3f}")
        again = [float(one) for one in embedder.embed(check.passages) @ question]
        _compare_runs(found, check, cosines, again)
        _compare(
            found,
            check,
            cosines,
            published=cosines,
            called=("nearness", "cosine"),
            tolerance=tolerance,
        )
    return found


def try_sifter(sifter: Sifter, wording: str) -> Findings:
    """Let a sifter think a little and rank two sessions, twice.

    Raises:
        BackendError: it failed; its chat template cannot be rendered, for one.
    """
    message = sift_message(wording, _HISTORY, _QUESTION)

    def sifted() -> list[object]:
        return list(sifter.sift(message, shown=2, ranked=2, thought_tokens=16))

    return _twice(sifted, f"it ranked two sessions, of {sifter.count(message):,} tokens")


def try_reader(reader: Reader) -> Findings:
    """Let a reader think a little and call a tool, twice.

    Raises:
        BackendError: it failed; its chat template cannot be rendered with tools, for one.
    """
    messages = (Message("user", "[user]: Hello!\n[assistant]: Hi, how are you?"),)

    def called() -> list[object]:
        return list(reader.call(messages, [_TOOL], thought_tokens=16, call_tokens=256))

    return _twice(called, "it called a tool")


def try_forward(logits: Callable[[], Sequence[float]]) -> Findings:
    """Look at what a language model thinks of the next token, twice.

    Raises:
        BackendError: it failed.
    """
    found = Findings()
    first, second = logits(), logits()
    if not all(map(math.isfinite, first)):
        found.faults.append("its logits are not numbers: the weights are damaged")
    elif max(first) - min(first) < 1e-6:
        found.faults.append(f"its logits are all {first[0]:.3f}: it prefers nothing to anything")
    elif max(abs(one - two) for one, two in zip(first, second, strict=True)) > SAME:
        found.faults.append("the same words gave other logits the second time")
    return found


def _twice(run: Callable[[], Sequence[object]], fact: str) -> Findings:
    if run() != run():
        return Findings(faults=["the same words and seed gave another answer the second time"])
    return Findings(facts=[fact])


def _compare_runs(
    found: Findings, check: Check, first: Sequence[float], second: Sequence[float]
) -> None:
    for passage, one, two in zip(check.passages, first, second, strict=True):
        if abs(one - two) > SAME:
            found.faults.append(f"{_pair(check, passage)} scored {one:.3f}, then {two:.3f}")


def _compare(
    found: Findings,
    check: Check,
    scores: Sequence[float],
    *,
    published: Sequence[float],
    called: tuple[str, str],
    tolerance: float,
) -> None:
    """Compare scores with what they should be: the numbers if they are known, order and spread."""
    ours, theirs = called
    for place, (passage, score) in enumerate(zip(check.passages, scores, strict=True)):
        fact = f"{_pair(check, passage)}: {ours} {score:.3f}"
        if check.scores:
            is_so, should_be = published[place], check.scores[place]
            fact += f", {theirs} {is_so:.3f}, published {should_be:.3f}"
            if not abs(is_so - should_be) <= tolerance:
                found.faults.append(
                    f"{_pair(check, passage)}: {theirs} is {is_so:.2f}, published is"
                    f" {should_be:.2f}, and {tolerance:.2f} may come from quantization"
                )
        found.facts.append(fact)
    for (better, high), (worse, low) in pairwise(zip(check.passages, scores, strict=True)):
        if not high > low:
            found.faults.append(
                f"{_pair(check, worse)} scored {low:.3f}, above {_quoted(better)} with {high:.3f}"
            )
    if scores[0] - scores[-1] < check.apart:
        found.faults.append(
            f"{_pair(check, check.passages[-1])} scored {scores[-1]:.3f}, only"
            f" {scores[0] - scores[-1]:.3f} below the answer; {check.apart:.2f} is the least"
        )


def _look_at_spread(found: Findings, probabilities: Sequence[float]) -> None:
    """Name what is typically behind wrong probabilities, before the pairs that show it."""
    if not found.faults or not probabilities:
        return
    low, high = min(probabilities), max(probabilities)
    if high - low < ALIKE:
        found.faults.insert(
            0,
            f"it answers the same to everything, {low:.3f} to {high:.3f}: a part of the model"
            " is missing from the file",
        )
    elif low >= 0.49 and high <= 0.74:
        found.faults.insert(
            0,
            f"all its probabilities are between {low:.2f} and {high:.2f}, as if one sigmoid"
            " were taken of another",
        )


def _pair(check: Check, passage: str) -> str:
    return f"{_quoted(check.question)} / {_quoted(passage)}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(inside / (1 - inside))
