"""The vectors of questions asked before: asked again, they cost no loading of an embedder."""

from base64 import b85decode, b85encode

from memcli.domain import fingerprint
from memcli.protocols import Embedder
from memcli.store import Cache


def question_vector(question: str, embedder: Embedder, cache: Cache) -> bytes:
    """Return the vector of a question as float32, little endian: no array need be made of it.

    Raises:
        BackendError: the model failed.
    """
    key = fingerprint("question", embedder.fingerprint, question)
    try:
        kept = b85decode(cache.get(key))
    except (TypeError, ValueError):  # there is nothing, or nonsense
        kept = b""
    if len(kept) == 4 * embedder.dimensions:
        return kept
    [vector] = embedder.embed([question], questions=True)
    raw: bytes = vector.astype("<f4").tobytes()
    cache.put({key: b85encode(raw).decode()})
    return raw
