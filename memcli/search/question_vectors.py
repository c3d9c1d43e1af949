"""Embeddings of questions, cached: a question that is asked again needs no embedder loaded."""

from base64 import b85decode, b85encode
from collections.abc import Sequence

from memcli.domain import fingerprint
from memcli.protocols import Embedder
from memcli.store import Cache


def question_vector(question: str, embedder: Embedder, cache: Cache) -> bytes:
    """Return the vector of a question as float32, little endian: it needs no array.

    Raises:
        BackendError: the model failed.
    """
    key = fingerprint("question", embedder.fingerprint, question)
    try:
        cached = b85decode(cache.get(key))
    except (TypeError, ValueError):  # the cache has nothing, or nonsense
        cached = b""
    if len(cached) == 4 * embedder.dimensions:
        return cached
    [vector] = embedder.embed([question], questions=True)
    raw: bytes = vector.astype("<f4").tobytes()
    cache.put({key: b85encode(raw).decode()})
    return raw


def term_salience(terms: Sequence[str], embedder: Embedder, cache: Cache) -> list[float]:
    """Return how much each term says about the question: how far the meaning moves without it.

    The salience of a term is 1 - the cosine of all terms and of all but this one. It needs no list
    of words for any language: of "regarding violin lessons" the first word is hardly missed.

    Returns:
        A number >= 0 for each term; 1 for a lone one.

    Raises:
        BackendError: the model failed.
    """
    if len(terms) < 2:
        return [1.0] * len(terms)
    key = fingerprint("telling", embedder.fingerprint, *terms)  # caches of older versions count
    cached = cache.get(key)
    if isinstance(cached, list) and [type(value) for value in cached] == [float] * len(terms):
        return cached
    without = [" ".join((*terms[:at], *terms[at + 1 :])) for at in range(len(terms))]
    vectors = embedder.embed([" ".join(terms), *without], questions=True)
    saliences = [max(round(1 - float(cosine), 4), 0.0) for cosine in vectors[1:] @ vectors[0]]
    cache.put({key: saliences})
    return saliences
