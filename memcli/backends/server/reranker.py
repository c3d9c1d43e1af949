"""Yes or no about each passage, from an endpoint made for it or, without one, from a chat."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from memcli.backends.server.chat import UNKNOWN
from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.http import RefusedError, Server
from memcli.backends.server.token_estimate import cut, estimated
from memcli.backends.server.yes_no_scores import probabilities, scores, yes_share
from memcli.backends.yes_no import filled
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import RerankPrompt

_BATCH = 16  # passages in a request
_MISSING = (404, 405, 501)  # what stands for an endpoint that is not there
_SYSTEM = re.compile(r"<\|im_start\|>system\n(.*?)<\|im_end\|>", re.DOTALL)
_THOUGHTLESS = {"chat_template_kwargs": {"enable_thinking": False}}
_MARKUP = 16  # tokens of a chat template around messages


def open_reranker(
    endpoint: Endpoint, prompt: RerankPrompt, *, note: Note = unsaid
) -> "ServerReranker":
    """Return the reranker at an endpoint; nothing is sent before it has something to judge.

    Args:
        endpoint: where it is.
        prompt: how the model was taught to be asked. A rerank endpoint has its own idea of that
            and is told question and passages only; by chat the model gets the words of it, and
            the server's template the markup.
        note: told, before the first text leaves this machine, where it goes.
    """
    return ServerReranker(endpoint, prompt, note=note)


class ServerReranker:
    """A served yes/no reranker. Implements `protocols.Reranker`."""

    def __init__(self, endpoint: Endpoint, prompt: RerankPrompt, *, note: Note) -> None:
        self.name = endpoint.model
        self.fingerprint = fingerprint("rerank", endpoint.url, endpoint.model, prompt)
        self._server, self._prompt = Server(endpoint, note), prompt
        self._by_chat = False  # whether the server has no endpoint for it
        self._logits = False  # whether it has answered with logits

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def count(self, text: str) -> int:
        """Return about how many tokens a text takes; rather too many than too few."""
        return estimated(text)

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), batch by batch, or one by one by chat.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        fitting = self._fitting(question, passages)
        for first in range(0, len(fitting), _BATCH):
            if not self._by_chat:
                try:
                    judged = self._reranked(question, fitting[first : first + _BATCH])
                except RefusedError as error:
                    if not _is_missing(error):
                        raise
                    self._by_chat = True
                else:
                    yield from enumerate(judged, start=first)
                    continue
            for index, probability in self._asked(question, fitting[first:]):
                yield first + index, probability
            return

    def _reranked(self, question: str, passages: Sequence[str]) -> list[float]:
        """Ask for scores.

        What lies between 0 and 1 is taken for probabilities, until a score says otherwise: then
        this answer and all after it are logits.
        """
        body = {
            "model": self.name,
            "query": question,
            "documents": passages,
            "top_n": len(passages),
        }
        found = self._server.post("rerank", body, lambda answer: scores(answer, len(passages)))
        self._logits = self._logits or not all(0 <= score <= 1 for score in found)
        return probabilities(found) if self._logits else found

    def _asked(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Ask for one token about each passage, and look at how likely yes and no were."""
        begun = False
        for extras in (_THOUGHTLESS, {}):
            bodies = [{**self._body(question, passage), **extras} for passage in passages]
            try:
                for judged in self._server.post_each("chat/completions", bodies, yes_share):
                    begun = True
                    yield judged
                return
            except RefusedError as error:  # maybe because of what OpenAI's own API has not
                if error.status not in UNKNOWN or begun or not extras:
                    raise

    def _body(self, question: str, passage: str) -> dict[str, Any]:
        prompt = self._prompt
        text = filled(prompt, question, passage)
        system = _SYSTEM.search(prompt.prefix)
        messages = [{"role": "system", "content": system[1]}] if system else []
        return {
            "model": self.name,
            "messages": [*messages, {"role": "user", "content": text}],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": 20,
        }

    def _fitting(self, question: str, passages: Sequence[str]) -> list[str]:
        """Return the passages, each cut to the room that question and markup leave."""
        prompt = self._prompt
        around = prompt.prefix + prompt.body + prompt.instruction + question + prompt.suffix
        room = prompt.context - estimated(around) - _MARKUP
        if room <= 0:
            raise BackendError(
                f"the question leaves no room for a passage in {prompt.context:,} tokens",
                hint="ask in fewer words",
            )
        return [cut(passage, room) for passage in passages]


def _is_missing(error: RefusedError) -> bool:
    """Return whether a server says that it does not rerank."""
    told = str(error).lower()
    return error.status in _MISSING or (
        error.status == 400 and "not support" in told and ("rerank" in told or "score" in told)
    )
