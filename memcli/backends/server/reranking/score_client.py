"""Requests for scores, in every form that servers understand.

A rerank endpoint lies at `/v1/rerank`, beside `/v1` (Infinity, TEI) or at `/v1/score` (vLLM) and
takes `documents` or `texts` (TEI). A server without one judges by one token of a chat, or of a
completion, with log-probabilities.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from memcli.backends.server.chat import UNKNOWN_FIELD
from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.http import MISSING, EndpointClient, RefusedError, UnusableReplyError
from memcli.backends.server.plain_text import break_special_tokens
from memcli.backends.server.reranking.replies import parse_rerank_scores, parse_yes_probability
from memcli.backends.server.reranking.scale import SCALES, ScoreScale
from memcli.backends.server.server_state import RefusedFields
from memcli.backends.yes_no import fill_prompt
from memcli.callbacks import NoteCallback, ignore
from memcli.lazy_dataclasses import dataclass, replace
from memcli.protocols import RerankPrompt

ScoreRoute: TypeAlias = Literal["rerank", "templated rerank", "chat", "completions"]
ROUTES: tuple[ScoreRoute, ...] = get_args(ScoreRoute)

_SYSTEM_MESSAGE = re.compile(r"<\|im_start\|>system\n(.*?)<\|im_end\|>", re.DOTALL)
_WITHOUT_THOUGHT = {"chat_template_kwargs": {"enable_thinking": False}}


@dataclass(frozen=True, slots=True)
class RerankForm:
    """The form of a rerank request."""

    path: str = "rerank"  # a slash at its beginning: beside `/v1`
    documents: str = "documents"  # the field with the passages
    instruct: bool = False  # whether the instruction is sent in fields of its own


_FORMS = (  # the order in which they are tried
    RerankForm(instruct=True),
    RerankForm(),
    RerankForm(documents="texts"),
    RerankForm("/rerank"),
    RerankForm("/rerank", documents="texts"),
    RerankForm("score", documents="text_2"),
)


@dataclass(frozen=True, slots=True)
class Scoring:
    """The way in which a server is asked for scores, and the scale of the scores."""

    route: ScoreRoute = "rerank"
    scale: ScoreScale = "probability"
    form: RerankForm = RerankForm()

    @property
    def is_batched(self) -> bool:
        """True if one request has several passages."""
        return self.route in ("rerank", "templated rerank")


def parse_scoring(found: object) -> Scoring | None:
    """Return a scoring from a JSON object; None if it is none."""
    if not isinstance(found, Mapping):
        return None
    route, scale, form = found.get("route"), found.get("scale"), found.get("form")
    known_forms = {_form_fields(one): one for one in _FORMS}
    for known_route in ROUTES:
        for known_scale in SCALES:
            if (known_route, known_scale) == (route, scale) and isinstance(form, Mapping):
                fields = tuple(form.get(name) for name in ("path", "documents", "instruct"))
                if fields in known_forms:
                    return Scoring(known_route, known_scale, known_forms[fields])
    return None


class ScoreClient:
    """A client that requests raw scores of passages.

    Args:
        endpoint: the address.
        prompt: the prompt that the model was trained on.
        note: is called, before the first text leaves this machine, with its destination.
        refusals: the file that remembers which fields the server refused; None for this run.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        prompt: RerankPrompt,
        note: NoteCallback = ignore,
        refusals: Path | None = None,
    ) -> None:
        self.endpoint, self.prompt = endpoint, prompt
        self._refused = RefusedFields(refusals, endpoint)
        self._client = EndpointClient(endpoint, note)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def find_form(self, question: str, passages: Sequence[str]) -> RerankForm:
        """Return the first form of a rerank request that the server answers with scores.

        Raises:
            RefusedError: it has no rerank endpoint, or refuses every form.
            UnusableReplyError: it answers every form with something else than scores.
            BackendError: it failed.
        """
        errors: dict[str, RefusedError | UnusableReplyError] = {}
        missing: set[str] = set()
        for form in _FORMS:
            if form.path in missing or (form.path == "/rerank" and not self._has_version):
                continue
            try:
                list(self.score(Scoring(form=form), question, passages))
                return form
            except UnusableReplyError as error:
                errors["unusable"] = error
            except RefusedError as error:
                if error.status not in (*MISSING, *UNKNOWN_FIELD, 500):
                    raise
                if _says_unsupported(error):
                    raise
                if error.status in MISSING:
                    missing.add(form.path)
                errors.setdefault("missing" if error.status in MISSING else "refused", error)
        raise errors.get("unusable") or errors.get("refused") or errors["missing"]

    @property
    def _has_version(self) -> bool:
        return self.endpoint.url.endswith("/v1")

    def score(
        self, scoring: Scoring, question: str, passages: Sequence[str]
    ) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, raw score), in any order.

        Raises:
            RefusedError: the server refuses the request.
            UnusableReplyError: it answers with something else than scores.
            BackendError: it failed.
        """
        question = break_special_tokens(question)
        passages = [break_special_tokens(passage) for passage in passages]
        match scoring.route:
            case "rerank":
                yield from enumerate(self._rerank(scoring.form, question, passages))
            case "templated rerank":
                # Servers put query and document one after the other: together the whole prompt.
                head = self.prompt.prefix + fill_prompt(self.prompt, question)
                documents = [passage + self.prompt.suffix for passage in passages]
                yield from enumerate(
                    self._rerank(replace(scoring.form, instruct=False), head, documents)
                )
            case "chat":
                yield from self._ask_chat(question, passages)
            case "completions":
                bodies = [self._completion_body(question, passage) for passage in passages]
                yield from self._client.post_each("completions", bodies, parse_yes_probability)

    def _rerank(self, form: RerankForm, query: str, documents: Sequence[str]) -> list[float]:
        body: dict[str, Any] = {"model": self.endpoint.model}
        if form.documents == "text_2":
            body |= {"text_1": query, "text_2": documents}
        elif form.documents == "texts":
            body |= {"query": query, "texts": documents, "truncate": True}
        else:
            body |= {"query": query, "documents": documents, "top_n": len(documents)}
        if form.instruct:
            # The names in SGLang and in llama-server; servers without a template ignore both.
            body |= dict.fromkeys(("instruct", "instruction"), self.prompt.instruction)
        return self._client.post(
            form.path, body, lambda answer: parse_rerank_scores(answer, len(documents))
        )

    def _ask_chat(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Request one token about each passage; yield (index, P(yes)) from its logprobs."""
        begun = False
        [field] = _WITHOUT_THOUGHT
        for extras in [{}] if field in self._refused else [_WITHOUT_THOUGHT, {}]:
            bodies = [{**self._chat_body(question, passage), **extras} for passage in passages]
            try:
                for result in self._client.post_each(
                    "chat/completions", bodies, parse_yes_probability
                ):
                    begun = True
                    if not extras:
                        self._refused.add(field)
                    yield result
                return
            except RefusedError as error:  # maybe because OpenAI's own API has no such field
                if error.status not in UNKNOWN_FIELD or begun or not extras:
                    raise

    def _chat_body(self, question: str, passage: str) -> dict[str, Any]:
        text = fill_prompt(self.prompt, question, passage)
        system = _SYSTEM_MESSAGE.search(self.prompt.prefix)
        messages = [{"role": "system", "content": system[1]}] if system else []
        return {
            "model": self.endpoint.model,
            "messages": [*messages, {"role": "user", "content": text}],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": 20,
        }

    def _completion_body(self, question: str, passage: str) -> dict[str, Any]:
        text = fill_prompt(self.prompt, question, passage)
        return {
            "model": self.endpoint.model,
            "prompt": self.prompt.prefix + text + self.prompt.suffix,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": 20,
        }


def _form_fields(form: RerankForm) -> tuple[object, ...]:
    return form.path, form.documents, form.instruct


def _says_unsupported(error: RefusedError) -> bool:
    """Return whether an error says in words that the server does not rerank."""
    message = str(error).lower()
    return "not support" in message and ("rerank" in message or "score" in message)
