"""Rerank servers of every kind, each a behaviour of `hostile_server`.

A server knows the texts that answer; by what it makes of that, it is right or wrong.
"""

import math
from pathlib import Path

from helpers.hostile_server import answer
from memcli.backends.server.reranking.known_pairs import KNOWN_PAIRS
from memcli.catalog import Catalog
from memcli.catalog.manifest import ReferenceRanking

PUBLISHED = ReferenceRanking(  # as a manifest has it
    "Where is the spare key?",
    ("It hangs behind the boiler.", "There is a hook behind the boiler.", "Bread is 2 euros."),
    scores=(2.969, 1.328, -3.141),
    min_gap=0.5,
)
CHECKS = Catalog(Path("/nowhere"), Path("/nowhere")).manifests["memreranker-4b"].checks
LOGITS = {  # yes - no, by text; any other text is 0
    **{one.passages[0]: 4.0 for one in KNOWN_PAIRS},
    **{one.passages[-1]: -5.0 for one in KNOWN_PAIRS},
    **dict(zip(PUBLISHED.passages, PUBLISHED.scores, strict=True)),
    **{
        passage: 3.0 - 6 * place / (len(one.passages) - 1)
        for one in CHECKS
        for place, passage in enumerate(one.passages)
    },
}


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def logit_of(text, more=None):
    """Return yes - no of a text that may stand inside a prompt."""
    known = {**LOGITS, **(more or {})}
    return next((logit for passage, logit in known.items() if passage in text), 0.0)


def documents_of(body):
    """Return the passages of a rerank request in any of its forms."""
    for name in ("documents", "texts", "text_2"):
        if name in body:
            return body[name]
    return None


def results(body, score, more=None):
    """Return the results of a rerank request; `score` makes a score of yes - no."""
    return [
        {"index": at, "relevance_score": score(logit_of(text, more))}
        for at, text in enumerate(documents_of(body))
    ]


def rerank_server(score=sigmoid, more=None):
    """Answer rerank requests with scores, and everything else with 404."""

    def behave(request):
        if not request.path.endswith("/rerank"):
            return answer({"error": {"message": "Not Found"}}, 404)(request)
        return answer({"results": results(request.body, score, more)})(request)

    return behave


def chat_server(rerank=None, words=None):
    """Answer chats with the log-probabilities of yes and no; rerank requests as `rerank` does."""

    def behave(request):
        if "chat" in request.path:
            text = request.body["messages"][-1]["content"]
            return answer(words(text) if words else yes_no(logit_of(text)))(request)
        if rerank and request.path.endswith("/rerank"):
            return rerank(request)
        return answer({"error": {"message": "Not Found"}}, 404)(request)

    return behave


def yes_no(logit):
    """Return a chat's one token, yes or no, with log-probabilities."""
    tops = [
        {"token": "yes", "logprob": math.log(sigmoid(logit))},
        {"token": "no", "logprob": math.log(sigmoid(-logit))},
    ]
    return {"choices": [{"logprobs": {"content": [{"top_logprobs": tops}]}}]}
