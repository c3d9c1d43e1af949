"""The vector of a question, and how much each of its terms says.

Both are cached: a question that is asked again needs no embedder loaded.
"""

from array import array
from base64 import b85decode, b85encode
from collections.abc import Sequence
from operator import mul

from memcli.domain import fingerprint
from memcli.protocols import Embedder, QuestionEmbedder
from memcli.store import ModelCache


def question_vector(question: str, embedder: Embedder, cache: ModelCache) -> bytes:
    """Return the vector of a question as float32: the bytes need no array of numpy's.

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
    [vector] = _embed_questions([question], embedder)
    raw = vector.tobytes()
    cache.put({key: b85encode(raw).decode()})
    return raw


def term_salience(terms: Sequence[str], embedder: Embedder, cache: ModelCache) -> list[float]:
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
    whole, *parts = _embed_questions([" ".join(terms), *without], embedder)
    saliences = [max(round(1 - sum(map(mul, whole, part)), 4), 0.0) for part in parts]
    cache.put({key: saliences})
    return saliences


def _embed_questions(texts: Sequence[str], embedder: Embedder) -> list["array[float]"]:
    """Return the vectors of questions in float32, without numpy if the embedder can do without."""
    if isinstance(embedder, QuestionEmbedder):
        return embedder.embed_questions(texts)
    vectors = embedder.embed(texts, questions=True)
    return [array("f", vector.astype("f4").tobytes()) for vector in vectors]
