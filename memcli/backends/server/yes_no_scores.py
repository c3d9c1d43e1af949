"""Probabilities out of what servers answer about passages."""

import math
from collections.abc import Sequence
from typing import Any

from memcli.backends.server.response import NonsenseError

_TAUGHT = ("yes", "no")
_STEEPEST = 500.0  # beyond it the exponential overflows, and the answer is 0 or 1 long before


def scores(answer: Any, count: int) -> list[float]:
    """Return the score of each passage, in their order, from the answer of a rerank endpoint.

    Known forms: `{"results": [{"index", "relevance_score"}]}`, `{"data": [{"index", "score"}]}`,
    the list alone, and each of them inside `{"code", "data", "message"}`.

    Raises:
        NonsenseError: it is an error, or not one number for each passage.
    """
    found = answer
    while isinstance(found, dict):
        inside = found.get("results", found.get("data"))
        if inside is None:
            told = found.get("message") or found.get("error") or sorted(found)
            raise NonsenseError(f"answers without results: {str(told)[:200]!r}")
        found = inside
    listed: dict[int, float] = {}
    for result in found if isinstance(found, list) else ():
        index, score = _result(result)
        if index in listed or not 0 <= index < count or not math.isfinite(score):
            raise NonsenseError(f"answers with a result that is none: {result!r:.200}")
        listed[index] = score
    if len(listed) != count:
        raise NonsenseError(f"answers with {len(listed)} results for {count} passages")
    return [listed[index] for index in range(count)]


def probabilities(logits: Sequence[float]) -> list[float]:
    """Return the sigmoid of each."""
    return [_sigmoid(logit) for logit in logits]


def yes_share(answer: Any) -> float:
    """Return the share of yes in the softmax over yes and no, from a chat's one token.

    Both count as they were taught, or, where the model says it otherwise, in every spelling. Of a
    word that is not among the likeliest tokens it is only known that it is less likely than all of
    them: it counts as likely as the last.

    Raises:
        NonsenseError: there are no such probabilities, or neither word is among them.
    """
    likeliest = _likeliest(answer)
    if not likeliest:
        raise NonsenseError(
            "neither reranks nor tells how likely its words are",
            hint="start it with reranking (llama-server: `--reranking`), or choose another model",
        )
    least = min(likeliest.values())
    spelled = {token for token in likeliest if _word(token) in _TAUGHT}
    if not spelled:
        best = max(likeliest, key=likeliest.__getitem__)
        raise NonsenseError(f"answers {best!r} where it should say yes or no")
    if max(spelled, key=likeliest.__getitem__) in _TAUGHT:
        spelled &= set(_TAUGHT)  # a model that was taught to, and answers with these tokens alone
    yes, no = (
        math.log(math.fsum(math.exp(likeliest[token]) for token in tokens) or math.exp(least))
        for tokens in ([token for token in spelled if _word(token) == word] for word in _TAUGHT)
    )
    return _sigmoid(yes - no)


def _result(result: Any) -> tuple[int, float]:
    """Return index and score; -1 and no number where it has none."""
    if not isinstance(result, dict):
        return -1, math.nan
    index, score = result.get("index"), result.get("relevance_score", result.get("score"))
    if isinstance(index, bool) or not isinstance(index, int):
        return -1, math.nan
    return index, _number(score)


def _likeliest(answer: Any) -> dict[str, float]:
    """Return tokens and their log-probabilities; none where the answer has none.

    As chats have them, `content: [{top_logprobs: [{token, logprob}]}]`, or as completions do,
    `top_logprobs: [{token: logprob}]`.
    """
    try:
        told = answer["choices"][0]["logprobs"]
        if told.get("content"):
            pairs = [(top["token"], top["logprob"]) for top in told["content"][0]["top_logprobs"]]
        else:
            pairs = list(told["top_logprobs"][0].items())
    except (LookupError, TypeError, AttributeError):
        return {}
    return {str(token): max(_number(p), -_STEEPEST) for token, p in pairs if _number(p) <= 0}


def _word(token: str) -> str:
    """Return a token without what vocabularies put before a word, in small letters."""
    return token.strip(" ▁Ġ\n").lower()


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return math.nan
    try:
        return float(found)
    except OverflowError:
        return math.nan


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, logit))))
