"""Yes or no about each passage from a server whose scores of known pairs were right."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.reranking.scale import to_probability
from memcli.backends.server.reranking.score_client import ScoreClient, Scoring
from memcli.backends.server.reranking.verdicts import ServedVerdict, VerdictFile
from memcli.backends.server.reranking.verification import (
    TRIAL_VERSION,
    failure,
    verify_reranker,
)
from memcli.backends.server.token_estimate import estimate_tokens, truncate_to_estimate
from memcli.callbacks import NoteCallback, ignore
from memcli.catalog.manifest import ReferenceRanking
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.lazy_dataclasses import replace
from memcli.protocols import RerankPrompt

_BATCH_PASSAGES = 16  # passages in a request
_SUSPICIOUS_TEXTS = 3  # different texts with one score to the last digit
_MARKUP_TOKENS = 16  # the markup of a chat template around messages


class ServerReranker:
    """A served yes/no reranker. Implements `protocols.Reranker`.

    Args:
        endpoint: the address; nothing is sent to it before there is a passage to judge.
        prompt: the prompt that the model was trained on. A rerank endpoint with a template of its
            own gets only question and passages; one without gets the whole prompt; a chat gets
            the text of it, and the server's template adds the markup.
        checks: pairs whose order, and possibly scores, are known, from the model's manifest.
        verdicts: the file that remembers for a day that the server passed its trial.
        refusals: the file that remembers which fields the server refused; None for this run.
        scoring: the way in which the server is asked, if it is known; None puts it to trial.
        note: is called, before the first text leaves this machine, with its destination.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        prompt: RerankPrompt,
        *,
        checks: Sequence[ReferenceRanking] = (),
        verdicts: Path | None = None,
        refusals: Path | None = None,
        scoring: Scoring | None = None,
        note: NoteCallback = ignore,
    ) -> None:
        self.name = endpoint.model
        place = ("rerank", TRIAL_VERSION, endpoint.url, endpoint.model, prompt)
        self._client, self._prompt = ScoreClient(endpoint, prompt, note, refusals), prompt
        self._note = note
        self._checks, self._verdicts, self._scoring = checks, VerdictFile(verdicts), scoring
        self._verdict_key = fingerprint("trial", *place, *map(repr, checks))
        known = self._verdicts.get(self._verdict_key)
        self.fingerprint = fingerprint(*place, known.model_since if known else "")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def count(self, text: str) -> int:
        """Return the estimated number of tokens of a text; rather too many than too few."""
        return estimate_tokens(text)

    def verify(self) -> ServedVerdict:
        """Put the server to trial, and remember the verdict.

        Raises:
            BackendError: the server cannot be reached, refuses the key, or is busy.
        """
        verdict, _ = self._put_to_trial()
        if verdict.passed and verdict.hint:
            self._note(f"{verdict.url}: {verdict.hint}")
        return verdict

    def _put_to_trial(self) -> tuple[ServedVerdict, bool]:
        """Return a new verdict, and whether another model is served than before."""
        before = self._verdicts.get(self._verdict_key)
        verdict, changed = verify_reranker(self._client, self._checks), False
        if before and before.probabilities:
            since = before.model_since
            if not verdict.passed:
                verdict = replace(verdict, probabilities=before.probabilities)
            elif changed := not verdict.is_of_same_model(before):
                since = verdict.at
            verdict = replace(verdict, model_since=since)
        self._verdicts.put(self._verdict_key, verdict)
        self._scoring = verdict.scoring
        return verdict, changed

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), batch by batch, or one by one by chat.

        Before the first passage the server is put to trial, unless it passed within a day.

        Raises:
            BackendError: the model failed, or its trial, or the question leaves no room for a
                passage.
        """
        fitting = self._truncate(question, passages)
        if not fitting:
            return
        scoring = self._trusted_scoring()
        batches: Iterable[range] = [range(len(fitting))]
        if scoring.is_batched:
            templated = scoring.route == "templated rerank"
            batches = self._batches(question, fitting, self._prompt.suffix if templated else "")
        for batch in batches:
            texts = [fitting[index] for index in batch]
            scores = self._client.score(scoring, question, texts)
            if scoring.is_batched:
                scores = self._doubt_constants([*scores], texts)
            for index, score in scores:
                try:
                    yield batch[index], to_probability(score, scoring.scale)
                except ValueError as error:
                    raise self._change_error(
                        f"sent the score {score:.4g}, and sent probabilities when it was verified"
                    ) from error

    def _doubt_constants(
        self, scores: list[tuple[int, float]], texts: Sequence[str]
    ) -> Iterator[tuple[int, float]]:
        """Yield scores. If they are all the same to different texts, put the server to trial."""
        if len({*texts}) >= _SUSPICIOUS_TEXTS and len({score for _, score in scores}) == 1:
            self._pass_trial()
        yield from scores

    def _change_error(self, behaviour: str) -> BackendError:
        """Forget that the server passed its trial today; return the error."""
        if known := self._verdicts.get(self._verdict_key):
            self._verdicts.put(self._verdict_key, replace(known, at=""))
        return BackendError(
            f"{self._client.endpoint.url} {behaviour}: the server has changed",
            hint="the same command verifies it again",
        )

    def _trusted_scoring(self) -> Scoring:
        """Return the way in which the server is asked, from the last trial or a new one."""
        if self._scoring is None:
            remembered = self._verdicts.get(self._verdict_key)
            if remembered and remembered.is_fresh:
                self._scoring = remembered.scoring
        if self._scoring is None:
            return self._pass_trial()
        return self._scoring

    def _pass_trial(self) -> Scoring:
        """Put the server to trial; return the way in which it is asked.

        Raises:
            BackendError: it failed, or passed as another model than before, whose judgments are
                kept under another key.
        """
        verdict, changed = self._put_to_trial()
        if verdict.scoring is None:
            raise failure(verdict)
        if changed:
            raise BackendError(
                f"{verdict.url} serves another model as {verdict.model} than before",
                hint="the same command asks the new one",
            )
        if verdict.hint:
            self._note(f"{verdict.url}: {verdict.hint}")
        return verdict.scoring

    def _batches(self, question: str, passages: Sequence[str], suffix: str) -> Iterator[range]:
        """Yield ranges of passages for one request each, within the limits of the server."""
        most_tokens = self._client.endpoint.limits.max_request_tokens
        first, tokens = 0, 0
        for index, passage in enumerate(passages):
            more = estimate_tokens(passage + suffix)
            full = most_tokens and tokens + more > most_tokens - estimate_tokens(question)
            if index > first and (full or index - first == _BATCH_PASSAGES):
                yield range(first, index)
                first, tokens = index, 0
            tokens += more
        yield range(first, len(passages))

    def _truncate(self, question: str, passages: Sequence[str]) -> list[str]:
        """Return the passages, each cut to the room that question and markup leave."""
        prompt = self._prompt
        around = prompt.prefix + prompt.body + prompt.instruction + question + prompt.suffix
        most_tokens = self._client.endpoint.limits.max_request_tokens or prompt.context
        room = min(prompt.context, most_tokens) - estimate_tokens(around) - _MARKUP_TOKENS
        if room <= 0:
            raise BackendError(
                f"the question leaves no room for a passage in {prompt.context:,} tokens",
                hint="ask in fewer words",
            )
        return [truncate_to_estimate(passage, room) for passage in passages]
