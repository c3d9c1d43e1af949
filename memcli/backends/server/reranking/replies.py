"""Probabilities from servers' replies about passages."""

import math
from typing import Any

from memcli.backends.server.response import InvalidReplyError
from memcli.backends.yes_no import sigmoid

_TRAINED_WORDS = ("yes", "no")
_MIN_LOGPROB = -500.0  # below it the exponential is 0


def parse_rerank_scores(answer: Any, count: int) -> list[float]:
    """Return the score of each passage, in their order, from the reply of a rerank endpoint.

    Known forms: `{"results": [{"index", "relevance_score"}]}`, `{"data": [{"index", "score"}]}`,
    the list alone, and each of them inside `{"code", "data", "message"}`.

    Raises:
        InvalidReplyError: it is an error, or not one number for each passage.
    """
    found = answer
    while isinstance(found, dict):
        inside = found.get("results", found.get("data"))
        if inside is None:
            message = found.get("message") or found.get("error") or sorted(found)
            raise InvalidReplyError(f"answers without results: {str(message)[:200]!r}")
        found = inside
    scores: dict[int, float] = {}
    for result in found if isinstance(found, list) else ():
        index, score = _parse_result(result)
        if index in scores or not 0 <= index < count or not math.isfinite(score):
            raise InvalidReplyError(f"answers with an invalid result: {result!r:.200}")
        scores[index] = score
    if len(scores) != count:
        raise InvalidReplyError(f"answers with {len(scores)} results for {count} passages")
    return [scores[index] for index in range(count)]


def parse_yes_probability(answer: Any) -> float:
    """Return the share of yes in the softmax over yes and no, from a chat's one token.

    Both words count as the model was trained to spell them, or in every spelling if it prefers
    another one. A word that is not among the most likely tokens is less likely than all of them:
    it counts as likely as the last of them.

    Raises:
        InvalidReplyError: there are no such probabilities, or neither word is among them.
    """
    logprobs = _parse_logprobs(answer)
    if not logprobs:
        raise InvalidReplyError("sends no log-probabilities of its answer")
    least = min(logprobs.values())
    spelled = {token for token in logprobs if _word(token) in _TRAINED_WORDS}
    if not spelled:
        best = max(logprobs, key=logprobs.__getitem__)
        raise InvalidReplyError(f"answers {best!r} instead of yes or no")
    if max(spelled, key=logprobs.__getitem__) in _TRAINED_WORDS:
        spelled &= set(_TRAINED_WORDS)  # the model was trained on these tokens alone
    yes, no = (
        math.log(math.fsum(math.exp(logprobs[token]) for token in tokens) or math.exp(least))
        for tokens in (
            [token for token in spelled if _word(token) == word] for word in _TRAINED_WORDS
        )
    )
    return sigmoid(yes - no)


def _parse_result(result: Any) -> tuple[int, float]:
    """Return index and score; -1 and NaN if it has none."""
    if not isinstance(result, dict):
        return -1, math.nan
    index, score = result.get("index"), result.get("relevance_score", result.get("score"))
    if isinstance(index, bool) or not isinstance(index, int):
        return -1, math.nan
    return index, _number(score)


def _parse_logprobs(answer: Any) -> dict[str, float]:
    """Return tokens and their log-probabilities; empty if the reply has none.

    Chats have them in `content: [{top_logprobs: [{token, logprob}]}]`, completions in
    `top_logprobs: [{token: logprob}]`.
    """
    try:
        found = answer["choices"][0]["logprobs"]
        if found.get("content"):
            pairs = [(top["token"], top["logprob"]) for top in found["content"][0]["top_logprobs"]]
        else:
            pairs = list(found["top_logprobs"][0].items())
    except (LookupError, TypeError, AttributeError):
        return {}
    return {str(token): max(_number(p), _MIN_LOGPROB) for token, p in pairs if _number(p) <= 0}


def _word(token: str) -> str:
    """Return a token in lower case, without the mark that vocabularies put before a word."""
    return token.strip(" ▁Ġ\n").lower()


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return math.nan
    try:
        return float(found)
    except OverflowError:
        return math.nan
