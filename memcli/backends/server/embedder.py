"""Vectors from an endpoint."""

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.http import Server
from memcli.backends.server.response import NonsenseError
from memcli.backends.server.token_estimate import cut
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Vectors

_BATCH = 32  # texts in a request


def open_embedder(
    endpoint: Endpoint,
    *,
    question_prefix: str = "",
    passage_prefix: str = "",
    context: int = 8192,
    note: Note = unsaid,
) -> "ServerEmbedder":
    """Return the embedder at an endpoint; nothing is sent before it has something to embed.

    Args:
        endpoint: where it is.
        question_prefix: what the model was taught to see before a question.
        passage_prefix: and before a passage.
        context: tokens of a text that are sent, at most, as far as can be estimated.
        note: told, before the first text leaves this machine, where it goes.
    """
    return ServerEmbedder(endpoint, (passage_prefix, question_prefix), context, note)


class ServerEmbedder:
    """A served embedder. Implements `protocols.Embedder`."""

    def __init__(
        self, endpoint: Endpoint, prefixes: tuple[str, str], context: int, note: Note
    ) -> None:
        self.name = endpoint.model
        self._server = Server(endpoint, note)
        self._prefixes, self._context = prefixes, context

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    @property
    def fingerprint(self) -> str:
        """What its vectors are kept under: address, model and prefixes."""
        url = self._server.endpoint.url
        return fingerprint("embed", url, self.name, *self._prefixes, self._context)

    @cached_property
    def dimensions(self) -> int:
        """How long its vectors are, known from the first one.

        Raises:
            BackendError: the model failed.
        """
        return len(self._batch(["dimensions"])[0])

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> Vectors:
        """Return one unit vector per text, in the order given.

        Raises:
            BackendError: the model failed, or its vectors are of another length than before.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        prefix = self._prefixes[questions]
        for first in range(0, len(texts), _BATCH):
            some = [cut(prefix + text, self._context) for text in texts[first : first + _BATCH]]
            for row, vector in enumerate(self._batch(some), start=first):
                if len(vector) != self.dimensions:
                    raise BackendError(
                        f"{self._server.endpoint.url} gives vectors of {len(vector)} dimensions"
                        f" and of {self.dimensions}"
                    )
                vectors[row] = vector
        return vectors

    def _batch(self, texts: Sequence[str]) -> list[Any]:  # Any: arrays of any length
        """Return a unit vector, float32, for each of a few texts."""
        sent = [text or " " for text in texts]  # servers refuse what is empty
        body = {"model": self.name, "input": sent}
        return self._server.post("embeddings", body, lambda found: _vectors(found, len(texts)))


def _vectors(answer: Any, count: int) -> list[Any]:
    """Return the vectors of an answer in the order of the texts.

    Raises:
        NonsenseError: they are not as many as the texts, or no vectors.
    """
    listed = answer.get("data") if isinstance(answer, dict) else answer
    results = (
        [found for found in listed if isinstance(found, dict)] if isinstance(listed, list) else []
    )
    placed = {
        str(found.get("index", at)): found.get("embedding") for at, found in enumerate(results)
    }
    if len(results) != count or set(placed) != set(map(str, range(count))):
        raise NonsenseError(f"answers with {len(results)} vectors for {count} texts")
    return [_unit(placed[str(index)]) for index in range(count)]


def _unit(found: Any) -> Any:
    """Return a vector of length 1 from a list of numbers or from base64 of float32.

    A vector without a direction, as of a text of nothing, gets the first axis.
    """
    import numpy as np

    try:
        if isinstance(found, str):
            vector = np.frombuffer(base64.b64decode(found, validate=True), dtype="<f4")
        else:
            vector = np.asarray(found, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise NonsenseError("answers with a vector that is none") from error
    if vector.ndim == 2:
        raise NonsenseError(
            "answers with a vector for each token, not for each text",
            hint="start it with pooling (llama-server: `--pooling mean`)",
        )
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        raise NonsenseError("answers with a vector that is none")
    largest = np.abs(vector).max()
    if not largest:
        return np.eye(1, vector.size, dtype=np.float32)[0]
    vector = vector.astype(np.float64) / largest  # its square cannot overflow now
    return (vector / np.linalg.norm(vector)).astype(np.float32)
