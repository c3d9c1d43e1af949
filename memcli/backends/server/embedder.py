"""Vectors of texts from an endpoint."""

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.http import MISSING, EndpointClient, RefusedError
from memcli.backends.server.plain_text import break_special_tokens
from memcli.backends.server.response import InvalidReplyError
from memcli.backends.server.token_estimate import truncate_to_estimate
from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Vectors
from memcli.text.chunking import WINDOW_TURNS

_BATCH_TEXTS = 32  # texts in a request
_BESIDE_VERSION = "/embeddings"  # where Infinity has it: beside `/v1`


class ServerEmbedder:
    """A served embedder. Implements `protocols.Embedder`.

    Args:
        endpoint: the address; nothing is sent to it before there is a text to embed.
        question_prefix: the text that the model was trained to read before a question.
        passage_prefix: the text that it was trained to read before a passage.
        context: tokens of a text that are sent, at most, by estimate.
        note: is called, before the first text leaves this machine, with its destination.
    """

    window_turns = WINDOW_TURNS

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        question_prefix: str = "",
        passage_prefix: str = "",
        context: int = 8192,
        note: NoteCallback = ignore,
    ) -> None:
        self.name = endpoint.model
        self._client = EndpointClient(endpoint, note)
        self._path = "embeddings"
        self._prefixes, self._context = (passage_prefix, question_prefix), context

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def fingerprint(self) -> str:
        """The key of its vectors, from address, model, prefixes and context."""
        url = self._client.endpoint.url
        return fingerprint("embed", url, self.name, *self._prefixes, self._context)

    @cached_property
    def dimensions(self) -> int:
        """The length of its vectors, known from a first request.

        Raises:
            BackendError: the model failed.
        """
        return len(self._embed_batch(["dimensions"])[0])

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> Vectors:
        """Return one unit vector per text, in the order given.

        Raises:
            BackendError: the model failed, or its vectors are of another length than before.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        prefix = self._prefixes[questions]
        for first in range(0, len(texts), _BATCH_TEXTS):
            batch = [
                truncate_to_estimate(prefix + break_special_tokens(text), self._context)
                for text in texts[first : first + _BATCH_TEXTS]
            ]
            for row, vector in enumerate(self._embed_batch(batch), start=first):
                if len(vector) != self.dimensions:
                    raise BackendError(
                        f"{self._client.endpoint.url} gives vectors of {len(vector)} dimensions"
                        f" and of {self.dimensions}"
                    )
                vectors[row] = vector
        return vectors

    def _embed_batch(self, texts: Sequence[str]) -> list[Any]:  # Any: arrays of any length
        """Return a unit vector, float32, for each of a few texts."""
        body = {"model": self.name, "input": [text or " " for text in texts]}  # none may be empty

        def parse(answer: Any) -> list[Any]:
            return _parse_vectors(answer, len(texts))

        try:
            return self._client.post(self._path, body, parse)
        except RefusedError as error:
            if error.status not in MISSING or not self._client.endpoint.url.endswith("/v1"):
                raise
            try:
                vectors = self._client.post(_BESIDE_VERSION, body, parse)
            except BackendError:
                raise error from None
        self._path = _BESIDE_VERSION
        return vectors


def _parse_vectors(answer: Any, count: int) -> list[Any]:
    """Return the vectors of a reply in the order of the texts.

    Raises:
        InvalidReplyError: there are not as many as texts, or some are no vectors.
    """
    listed = answer.get("data") if isinstance(answer, dict) else answer
    results = (
        [found for found in listed if isinstance(found, dict)] if isinstance(listed, list) else []
    )
    by_index = {
        str(found.get("index", place)): found.get("embedding")
        for place, found in enumerate(results)
    }
    if len(results) != count or set(by_index) != set(map(str, range(count))):
        raise InvalidReplyError(f"answers with {len(results)} vectors for {count} texts")
    return [_parse_unit_vector(by_index[str(index)]) for index in range(count)]


def _parse_unit_vector(found: Any) -> Any:
    """Return a vector of length 1 from a list of numbers or from base64 of float32.

    A vector without a direction, such as an empty text's, becomes the first axis.
    """
    import numpy as np

    try:
        if isinstance(found, str):
            vector = np.frombuffer(base64.b64decode(found, validate=True), dtype="<f4")
        else:
            vector = np.asarray(found, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidReplyError("answers with an invalid vector") from error
    if vector.ndim == 2:
        raise InvalidReplyError(
            "answers with a vector for each token, not for each text",
            hint="start it with pooling (llama-server: `--pooling mean`)",
        )
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        raise InvalidReplyError("answers with an invalid vector")
    largest = np.abs(vector).max()
    if not largest:
        return np.eye(1, vector.size, dtype=np.float32)[0]
    vector = vector.astype(np.float64) / largest  # its square cannot overflow now
    return (vector / np.linalg.norm(vector)).astype(np.float32)
