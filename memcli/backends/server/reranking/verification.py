"""The trial of a served reranker: it scores pairs whose answers are known before it is believed.

A server may serve a file without the classifier that its rerank endpoint needs, may swap yes and
no, may leave out the prompt that the model was trained on, or may apply a sigmoid twice. All of it
looks like scores. Of the routes to a server the first whose scores are right is used.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from memcli.backends.server.http import MISSING, RefusedError, UnusableReplyError
from memcli.backends.server.reranking.known_pairs import KNOWN_PAIRS
from memcli.backends.server.reranking.scale import (
    MAX_NO,
    MIN_YES,
    FaultKind,
    ScaleFinding,
    find_scale,
    to_probability,
)
from memcli.backends.server.reranking.score_client import (
    ROUTES,
    RerankForm,
    ScoreClient,
    ScoreRoute,
    Scoring,
)
from memcli.backends.server.reranking.verdicts import ServedVerdict
from memcli.catalog.manifest import ReferenceRanking
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass, replace

TRIAL_VERSION = 2  # is raised when a server that passed before may fail now
_SURE = 0.1  # loss below which no other way of prompting is tried
_KEEP_TRYING = (400, 404, 405, 413, 422, 500, 501)  # statuses that say nothing about other routes
_HINTS: dict[FaultKind, str] = {
    "constant": "the rerank endpoint has no classifier for this model: start llama-server without"
    " `--reranking`, so that its chat is used; start vLLM with `--hf_overrides"
    ' \'{"architectures": ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no",'
    ' "yes"], "is_original_qwen3_reranker": true}\'`',
    "swapped": 'yes and no are swapped: vLLM needs `"classifier_from_token": ["no", "yes"]`, in'
    " this order",
    "relative": "let the server send the model's own scores, not scaled within a request",
    "uncalibrated": "the server may use another model, or another prompt: `man mem-models` shows"
    " how each server is started",
}
_REFUSED_HINT = "is the name after the `#` that of a reranker which the server has?"
_UNUSABLE_HINT = "is it the address of a rerank API, and the newest version of the server?"
_NO_LOGPROBS_HINT = (
    "let the server send log-probabilities (Ollama from 0.12.11 on does), or start it with a"
    " reranker: `man mem-models` shows how"
)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One route that failed."""

    route: ScoreRoute
    problem: str
    fault: FaultKind | None = None
    hint: str = ""  # about what it answered instead of scores
    finding: ScaleFinding | None = None


def verify_reranker(client: ScoreClient, checks: Sequence[ReferenceRanking]) -> ServedVerdict:
    """Put known pairs to a server by each route until one gives the right scores.

    Args:
        client: of the server.
        checks: the reference pairs of the model's manifest. The built-in pairs are put, too, unless
            the scores of these are published.

    Raises:
        BackendError: the server cannot be reached, refuses the key, or is busy.
    """
    published = [one for one in checks if one.scores]
    rankings = published or [KNOWN_PAIRS[0], *checks, *KNOWN_PAIRS[1:]]
    required = len(rankings) if published else 1 + len(checks)
    attempts: list[_Attempt] = []
    best: tuple[Scoring, ScaleFinding] | None = None
    form: RerankForm | None = None
    for route in ROUTES:
        if route == "templated rerank" and form is None:
            continue  # there is no rerank endpoint
        if best and (not best[0].is_batched or best[1].loss < _SURE or route == "chat"):
            break
        try:
            if route == "rerank":
                form = client.find_form(rankings[0].question, rankings[0].passages)
            scoring = Scoring(route, form=form or RerankForm())
            scores = _scores(client, scoring, rankings)
            finding = find_scale(rankings, scores, required=required)
            if scoring.is_batched and not finding.fault:
                finding = _check_independence(client, scoring, rankings, finding, scores[0][-1])
        except (RefusedError, UnusableReplyError) as error:
            if isinstance(error, RefusedError) and error.status not in _KEEP_TRYING:
                raise
            problem = str(error).replace(f"{client.endpoint.url}/", "")
            attempts.append(_Attempt(route, problem, hint=_reply_hint(error)))
            continue
        if finding.fault:
            problem = _describe(finding, finding.fault)
            attempts.append(_Attempt(route, problem, finding.fault, finding=finding))
        elif best is None or finding.loss < best[1].loss:
            best = Scoring(route, finding.scale, scoring.form), finding
    return _verdict(client, best, attempts)


def failure(verdict: ServedVerdict) -> BackendError:
    """Return the error about a server that failed its trial."""
    ways = "; ".join(verdict.faults)
    return BackendError(
        f"{verdict.url} does not score passages as {verdict.model} should, and is not believed:"
        f" {ways}",
        hint=verdict.hint,
    )


def _scores(
    client: ScoreClient, scoring: Scoring, rankings: Sequence[ReferenceRanking]
) -> list[list[float]]:
    """Return the raw scores of the passages of each ranking.

    They are sent worst first: a server that scores by place would be right otherwise.
    """
    scores = []
    for ranking in rankings:
        found = dict(client.score(scoring, ranking.question, ranking.passages[::-1]))
        scores.append([found[index] for index in reversed(range(len(ranking.passages)))])
    return scores


def _check_independence(
    client: ScoreClient,
    scoring: Scoring,
    rankings: Sequence[ReferenceRanking],
    finding: ScaleFinding,
    before: float,
) -> ScaleFinding:
    """Return the finding, with a fault if a score depends on the other passages or on its place.

    None of the passages answers the first question. Its own one, which scored `before` in the first
    place, is now in the last.
    """
    question, passages = rankings[0].question, [one.passages[-1] for one in rankings[::-1]]
    raw = dict(client.score(scoring, question, passages))
    try:
        *others, again = (to_probability(raw[at], finding.scale) for at in range(len(passages)))
    except ValueError:
        return replace(finding, fault="relative", wrong_facts=finding.facts[:2])
    if (
        max(others, default=0) < MIN_YES
        and abs(again - to_probability(before, finding.scale)) < MAX_NO
    ):
        return finding
    shown = [f'"{one}" {raw[at]:.4g}' for at, one in enumerate(passages)]
    return replace(finding, fault="relative", wrong_facts=(f'"{question}": {"; ".join(shown)}',))


def _describe(finding: ScaleFinding, fault: FaultKind) -> str:
    """Return a clause about wrong scores, with those of the first wrong pairs."""
    kinds: dict[FaultKind, str] = {
        "constant": "it answers nearly the same to everything",
        "swapped": "it scores what does not answer above what does",
        "uncalibrated": "its scores are not the probabilities of the answers",
        "relative": "a passage's score depends on the other passages, or on its place among them",
    }
    shown = "; ".join(finding.wrong_facts[:3])
    return f"{kinds[fault]} ({shown})"


def _verdict(
    client: ScoreClient, best: tuple[Scoring, ScaleFinding] | None, attempts: Sequence[_Attempt]
) -> ServedVerdict:
    endpoint = client.endpoint
    at = datetime.now(UTC).isoformat(timespec="seconds")
    faults = tuple(f"{one.route}: {one.problem}" for one in attempts)
    if best is None:
        facts = [fact for one in attempts if one.finding for fact in one.finding.facts]
        return ServedVerdict(
            endpoint.url, endpoint.model, at, None, faults, tuple(facts), _hint(attempts)
        )
    scoring, finding = best
    unknown = [f'it does not tell the texts for "{one}" apart' for one in finding.wrong]
    facts = [f"asked by {scoring.route}, which sends {_scale_name(scoring)}", *finding.facts]
    avoided = [one for one in attempts if one.fault and not scoring.is_batched]
    facts += [f"not asked by {one.route}: {one.problem}" for one in avoided]
    return ServedVerdict(
        endpoint.url,
        endpoint.model,
        at,
        scoring,
        facts=(*facts, *unknown),
        probabilities=finding.probabilities,
        hint=f"its rerank endpoint is wrong and not used; {_hint(avoided)}" if avoided else "",
    )


def _scale_name(scoring: Scoring) -> str:
    match scoring.scale:
        case "logit":
            return "logits"
        case "double sigmoid":
            return "the sigmoid of probabilities"
    return "probabilities"


def _hint(attempts: Sequence[_Attempt]) -> str:
    """Return the setting of the server that is most likely wrong."""
    fault = next((one.fault for one in attempts if one.fault), None)  # of the most usual way
    if fault:
        return _HINTS[fault]
    of_rerank = next((one.hint for one in attempts if one.route == "rerank"), "")
    return of_rerank or _NO_LOGPROBS_HINT


def _reply_hint(error: RefusedError | UnusableReplyError) -> str:
    """Return what to look at where an endpoint exists, and answers without scores."""
    if isinstance(error, UnusableReplyError):
        return _UNUSABLE_HINT
    return "" if error.status in MISSING else _REFUSED_HINT
