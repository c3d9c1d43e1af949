"""What an embedder said of questions asked before: asked again, they cost no loading of it."""

from base64 import b85decode, b85encode
from collections.abc import Sequence

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


def telling(terms: Sequence[str], embedder: Embedder, cache: Cache) -> list[float]:
    """Return how much each term tells of what is asked: how far off the meaning is without it.

    That is 1 - cosine of all terms and of all but this one, and it needs no list of words for any
    language: of "regarding violin lessons" the first is hardly missed.

    Returns:
        A number >= 0 for each term; 1 for a lone one.

    Raises:
        BackendError: the model failed.
    """
    if len(terms) < 2:
        return [1.0] * len(terms)
    key = fingerprint("telling", embedder.fingerprint, *terms)
    kept = cache.get(key)
    if isinstance(kept, list) and [type(value) for value in kept] == [float] * len(terms):
        return kept
    without = [" ".join((*terms[:at], *terms[at + 1 :])) for at in range(len(terms))]
    vectors = embedder.embed([" ".join(terms), *without], questions=True)
    missed = [max(round(1 - float(cosine), 4), 0.0) for cosine in vectors[1:] @ vectors[0]]
    cache.put({key: missed})
    return missed
