import logging
import subprocess
import sys

import numpy as np
import pytest

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.protocols import Embedder


@pytest.fixture(scope="module")
def embedder():
    return WordLlamaEmbedder()


def test_it_is_an_embedder(embedder):
    as_one: Embedder = embedder

    assert (as_one.name, as_one.dimensions) == ("wordllama-256", 256)
    assert len(as_one.fingerprint) == 32


def test_every_text_gets_a_unit_vector(embedder):
    texts = ["a cat", "", " ", "\0", "\ud800", "中文", "\U0001f600", "x" * 10_000]

    vectors = embedder.embed(texts)

    assert vectors.shape == (8, 256)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_without_tokens_gets_the_same_vector_each_time(embedder):
    first, second = embedder.embed(["", ""])

    assert first.tolist() == second.tolist() == [1.0] + 255 * [0.0]


def test_no_texts_are_no_vectors(embedder):
    assert embedder.embed([]).shape == (0, 256)


def test_like_texts_are_near_each_other(embedder):
    cat, kitten, tax = embedder.embed(["my cat is ill", "the kitten was sick", "file the taxes"])

    assert cat @ kitten > cat @ tax + 0.2


def test_a_vector_does_not_depend_on_the_texts_beside_it(embedder):
    texts = [f"text number {number} " * number for number in range(1, 300)]

    together = embedder.embed(texts)

    alone = np.vstack([embedder.embed([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-6


def test_vectors_are_those_of_the_library_itself(embedder):
    texts = ["We flew to Lisbon in May.", "no"]
    ours = embedder.embed(texts)
    library = embedder._model

    library.tokenizer.enable_padding()
    theirs = library.embed(texts, norm=True)
    library.tokenizer.no_padding()

    assert np.abs(ours - theirs).max() < 1e-5


def test_a_long_text_takes_no_more_memory_than_its_tokens(embedder):
    [long], [short] = embedder.embed(["one two " * 20_000]), embedder.embed(["one two " * 10])

    assert long @ short > 0.99


def test_the_library_does_not_make_others_talk(embedder):
    code = (
        "import logging\n"
        "from memcli.backends.static_embedder import WordLlamaEmbedder\n"
        "import sys; assert not {'wordllama', 'numpy', 'tokenizers'} & set(sys.modules)\n"
        "WordLlamaEmbedder().embed(['a'])\n"
        "logging.getLogger('other').info('hello')\n"
        "assert not logging.getLogger().handlers\n"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert logging.getLogger().level == logging.WARNING
