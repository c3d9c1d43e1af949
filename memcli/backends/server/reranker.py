"""Yes or no about each passage, from a rerank endpoint or, if there is none, from a chat."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from memcli.backends.server.chat import UNKNOWN_FIELD
from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.http import EndpointClient, RefusedError
from memcli.backends.server.token_estimate import estimate_tokens, truncate_to_estimate
from memcli.backends.server.yes_no_scores import (
    logits_to_probabilities,
    parse_rerank_scores,
    parse_yes_probability,
)
from memcli.backends.yes_no import fill_prompt
from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import RerankPrompt

_BATCH_PASSAGES = 16  # passages in a request
_MISSING = (404, 405, 501)  # statuses of an endpoint that does not exist
_SYSTEM_MESSAGE = re.compile(r"<\|im_start\|>system\n(.*?)<\|im_end\|>", re.DOTALL)
_WITHOUT_THOUGHT = {"chat_template_kwargs": {"enable_thinking": False}}
_MARKUP_TOKENS = 16  # the markup of a chat template around messages


class ServerReranker:
    """A served yes/no reranker. Implements `protocols.Reranker`.

    Args:
        endpoint: the address; nothing is sent to it before there is a passage to judge.
        prompt: the prompt that the model was trained on. A rerank endpoint has its own and gets
            only question and passages; a chat gets the text of it, and the server's template adds
            the markup.
        note: is called, before the first text leaves this machine, with its destination.
    """

    def __init__(
        self, endpoint: Endpoint, prompt: RerankPrompt, *, note: NoteCallback = ignore
    ) -> None:
        self.name = endpoint.model
        self.fingerprint = fingerprint("rerank", endpoint.url, endpoint.model, prompt)
        self._client, self._prompt = EndpointClient(endpoint, note), prompt
        self._by_chat = False  # True once the server turned out to have no rerank endpoint
        self._scores_are_logits = False  # True once a score was no probability

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def count(self, text: str) -> int:
        """Return the estimated number of tokens of a text; rather too many than too few."""
        return estimate_tokens(text)

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), batch by batch, or one by one by chat.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        fitting = self._truncate(question, passages)
        for first in range(0, len(fitting), _BATCH_PASSAGES):
            if not self._by_chat:
                try:
                    batch = fitting[first : first + _BATCH_PASSAGES]
                    probabilities = self._request_scores(question, batch)
                except RefusedError as error:
                    if not _is_missing(error):
                        raise
                    self._by_chat = True
                else:
                    yield from enumerate(probabilities, start=first)
                    continue
            for index, probability in self._ask_chat(question, fitting[first:]):
                yield first + index, probability
            return

    def _request_scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return probabilities from the rerank endpoint.

        Scores between 0 and 1 are taken for probabilities, until one lies outside: then this reply
        and all after it have logits.
        """
        body = {
            "model": self.name,
            "query": question,
            "documents": passages,
            "top_n": len(passages),
        }
        scores = self._client.post(
            "rerank", body, lambda answer: parse_rerank_scores(answer, len(passages))
        )
        if not all(0 <= score <= 1 for score in scores):
            self._scores_are_logits = True
        return logits_to_probabilities(scores) if self._scores_are_logits else scores

    def _ask_chat(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Request one token about each passage; yield (index, P(yes)) from its logprobs."""
        begun = False
        for extras in (_WITHOUT_THOUGHT, {}):
            bodies = [{**self._body(question, passage), **extras} for passage in passages]
            try:
                for result in self._client.post_each(
                    "chat/completions", bodies, parse_yes_probability
                ):
                    begun = True
                    yield result
                return
            except RefusedError as error:  # maybe because OpenAI's own API has no such field
                if error.status not in UNKNOWN_FIELD or begun or not extras:
                    raise

    def _body(self, question: str, passage: str) -> dict[str, Any]:
        prompt = self._prompt
        text = fill_prompt(prompt, question, passage)
        system = _SYSTEM_MESSAGE.search(prompt.prefix)
        messages = [{"role": "system", "content": system[1]}] if system else []
        return {
            "model": self.name,
            "messages": [*messages, {"role": "user", "content": text}],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": 20,
        }

    def _truncate(self, question: str, passages: Sequence[str]) -> list[str]:
        """Return the passages, each cut to the room that question and markup leave."""
        prompt = self._prompt
        around = prompt.prefix + prompt.body + prompt.instruction + question + prompt.suffix
        room = prompt.context - estimate_tokens(around) - _MARKUP_TOKENS
        if room <= 0:
            raise BackendError(
                f"the question leaves no room for a passage in {prompt.context:,} tokens",
                hint="ask in fewer words",
            )
        return [truncate_to_estimate(passage, room) for passage in passages]


def _is_missing(error: RefusedError) -> bool:
    """Return whether an error means that the server does not rerank."""
    message = str(error).lower()
    return error.status in _MISSING or (
        error.status == 400
        and "not support" in message
        and ("rerank" in message or "score" in message)
    )
