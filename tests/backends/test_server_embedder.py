"""Vectors from a server."""

from base64 import b64encode

import numpy as np
import pytest
from helpers.hostile_server import answer, serving

from memcli.backends.server import Limits, open_embedder, parse_endpoint
from memcli.errors import BackendError
from memcli.protocols import Embedder

QUICK = Limits(connect_timeout=1, idle_timeout=2, total_timeout=4, attempts=2, first_pause=0.01)


def embedder_at(served, **others):
    return open_embedder(parse_endpoint(f"{served.url}#m", limits=QUICK), **others)


def lengths(request):
    """Answer with [length, 4] for each text, last text first."""
    texts = enumerate(request.body["input"])
    vectors = [{"index": at, "embedding": [len(text), 4]} for at, text in texts]
    return {"object": "list", "data": vectors[::-1]}


def test_vectors_come_in_batches_in_order_and_of_length_1():
    with serving(answer(lengths)) as served:
        embedder = embedder_at(served)
        vectors = embedder.embed(["abc", "", *["x" * n for n in range(1, 71)]])

    assert (embedder.name, embedder.dimensions) == ("m", 2)
    assert vectors.dtype == np.float32
    assert vectors[0] == pytest.approx([0.6, 0.8])
    assert vectors[:, 1] / vectors[:, 0] == pytest.approx(
        [4 / 3, 4.0, *[4 / n for n in range(1, 71)]], rel=1e-5
    )
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(72))
    assert [len(request.body["input"]) for request in served.requests] == [1, 32, 32, 8]
    assert served.requests[1].path == "/v1/embeddings"
    assert served.requests[1].body["input"][:2] == ["abc", " "]  # nothing is refused by servers


def test_prefixes_go_before_questions_and_passages_and_long_texts_are_cut():
    with serving(answer(lengths)) as served:
        embedder = embedder_at(served, question_prefix="Q: ", passage_prefix="P: ", context=100)
        embedder.embed(["a"], questions=True)
        embedder.embed(["a", "long " * 999])

    sent = [request.body["input"] for request in served.requests[1:]]
    assert sent[0] == ["Q: a"]
    assert sent[1][0] == "P: a"
    assert sent[1][1].startswith("P: long ")
    assert 400 < len(sent[1][1]) < 520


def test_base64_is_read_as_well():
    packed = b64encode(np.array([3, 4], dtype="<f4").tobytes()).decode()
    with serving(answer({"data": [{"index": 0, "embedding": packed}]})) as served:
        assert embedder_at(served).embed(["a"])[0] == pytest.approx([0.6, 0.8])


def test_a_vector_without_direction_gets_the_first_axis():
    with serving(answer({"data": [{"embedding": [0.0, 0.0, 0.0]}]})) as served:
        assert embedder_at(served).embed(["a"]).tolist() == [[1, 0, 0]]


def test_enormous_numbers_are_a_direction_as_well():
    with serving(answer({"data": [{"embedding": [3e300, 4e300]}]})) as served:
        assert embedder_at(served).embed(["a"])[0] == pytest.approx([0.6, 0.8])


def test_no_text_gives_no_vector():
    with serving(answer(lengths)) as served:
        assert embedder_at(served).embed([]).shape == (0, 2)


def test_the_fingerprint_tells_address_model_and_prefixes_apart():
    named = ["http://127.0.0.1:1/v1#m", "http://127.0.0.1:2/v1#m", "http://127.0.0.1:1/v1#n"]
    embedders: list[Embedder] = [open_embedder(parse_endpoint(name)) for name in named]
    embedders.append(open_embedder(parse_endpoint(named[0]), question_prefix="Q"))

    assert len({embedder.fingerprint for embedder in embedders}) == 4
    assert open_embedder(parse_endpoint(named[0])).fingerprint == embedders[0].fingerprint


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ({"data": []}, "answers with 0 vectors for 1 texts"),
        ({"data": [{"embedding": [1]}, {"embedding": [1]}]}, "answers with 2 vectors for 1 texts"),
        ({"data": [{"index": 5, "embedding": [1]}]}, "answers with 1 vectors for 1 texts"),
        ({"data": [{"index": [], "embedding": [1]}]}, "answers with 1 vectors for 1 texts"),
        ({"data": [7]}, "answers with 0 vectors"),
        ({"data": 7}, "answers with 0 vectors"),
        ({}, "answers with 0 vectors"),
        (7, "answers with 0 vectors"),
        ({"data": [{"index": 0, "embedding": []}]}, "an invalid vector"),
        ({"data": [{"index": 0, "embedding": None}]}, "an invalid vector"),
        ({"data": [{"index": 0, "embedding": ["a"]}]}, "an invalid vector"),
        ({"data": [{"index": 0, "embedding": "!!"}]}, "an invalid vector"),
        ({"data": [{"index": 0, "embedding": "AAA="}]}, "an invalid vector"),
        ({"data": [{"index": 0, "embedding": [[1], [1, 2]]}]}, "an invalid vector"),
        (b'{"data": [{"embedding": [1e999]}]}', "an invalid vector"),
        (b'{"data": [{"embedding": [NaN]}]}', "an invalid vector"),
        ({"data": [{"index": 0, "embedding": {"a": 1}}]}, "an invalid vector"),
        ({"data": [{"index": 0, "embedding": [[1, 2], [3, 4]]}]}, "a vector for each token"),
    ],
)
def test_an_answer_that_is_not_one_vector_a_text_is_an_error(reply, error):
    with (
        serving(answer(reply)) as served,
        pytest.raises(BackendError, match=rf"http://127\.0\.0\.1:\d+/v1 .*{error}"),
    ):
        embedder_at(served).embed(["a"])


def test_vectors_of_two_lengths_are_an_error():
    def growing(request):
        return {"data": [{"embedding": [1.0] * (1 + len(text))} for text in request.body["input"]]}

    with (
        serving(answer(growing)) as served,
        pytest.raises(BackendError, match="gives vectors of 2 dimensions and of 11"),
    ):
        embedder_at(served).embed(["a"])
