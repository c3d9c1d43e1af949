import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.errors import BackendError
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


TRICKY = [
    "", " ", "  ", "a", " a", "a ", "a  b", "\n", "a\nb", "a \n b", "a  \n\n b ", "\t\r\n\v",
    "<s>bold</s> <unk> <0x41> <", "\u2581a \u2581 b", "aaaaaaaa papapapa ------", "\0\x7f",
    "no\u00a0break and \u3000 wide", "我们在五月飞往里斯本。", "Wir flogen im Mai, wahr? Größe!",
    "\U0001f600\U0001f469\u200d\U0001f4bb", "e\u0301 \ud800 x", "supercalifragilistic" * 4,
    "She said: \"don't\" - it's 12:30, i.e. ½ past…", "x" * 5000, "x " * 3000,
]  # fmt: skip


@pytest.fixture(scope="module")
def by_the_library():
    """Return a function that embeds texts as wordllama itself does."""
    from wordllama import WordLlama

    folder = Path(find_spec("wordllama").origin).parent
    library = WordLlama.load(cache_dir=folder, disable_download=True)
    library.tokenizer.no_padding()

    def embed(text):
        clean = text.encode("utf-8", "replace").decode()
        tokens = library.tokenizer.encode(clean, add_special_tokens=False).ids
        total = library.embedding[tokens].sum(axis=0)
        return total / np.linalg.norm(total) if tokens else np.eye(1, 256, dtype=np.float32)[0]

    return embed


def random_texts():
    """Return texts of characters that pieces are made of, and of some that they are not."""
    chosen = random.Random(5)
    letters = "abcdefghiklmnoprstuvwy  eeeeaaoitns  \n.,'-:AB12äéжи日本のกั"
    return ["".join(chosen.choices(letters, k=chosen.randint(1, 50))) for _ in range(3000)]


def test_vectors_are_those_of_the_library_itself(by_the_library):
    texts = [*TRICKY, *random_texts()]

    vectors = WordLlamaEmbedder().embed(texts)

    for text, vector in zip(texts, vectors, strict=True):
        assert np.abs(vector - by_the_library(text)).max() < 1e-6, text


def test_a_question_has_the_same_vector_to_the_bit_as_a_text():
    texts = [*TRICKY, *random_texts()[:300]]
    expected = WordLlamaEmbedder().embed(texts)

    alone = WordLlamaEmbedder()
    found = [alone.embed_questions([text])[0].tobytes() for text in texts]

    assert found == [vector.tobytes() for vector in expected]


def test_words_are_cut_alike_with_the_library_and_without():
    words = list(dict.fromkeys(" ".join(random_texts()).replace("\n", " ").split()))
    one_by_one, together = WordLlamaEmbedder()._pieces, WordLlamaEmbedder()._pieces

    alone = [one_by_one.encode([word])[0] for word in words[:1500]]

    assert len(words) > 1500
    assert together.encode(words)[:1500] == alone
    assert together._library is not None


def test_a_question_loads_neither_the_library_nor_numpy():
    code = (
        "from memcli.backends.static_embedder import WordLlamaEmbedder\n"
        "WordLlamaEmbedder().embed_questions(['where did we put the spare key?'] * 20)\n"
        "import sys; print(*{'wordllama', 'numpy', 'tokenizers'} & set(sys.modules))\n"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (result.returncode, result.stdout.split(), result.stderr) == (0, [], "")


def test_many_tokens_of_questions_are_left_to_numpy():
    [vector] = WordLlamaEmbedder().embed_questions(["one two " * 3000])

    assert vector.tobytes() == WordLlamaEmbedder().embed(["one two " * 3000])[0].tobytes()


def test_the_fingerprint_names_the_installed_version():
    from importlib.metadata import version

    from memcli.domain import fingerprint

    assert WordLlamaEmbedder().fingerprint == fingerprint("wordllama-256", version("wordllama"))


@pytest.mark.parametrize("content", [b"", b"{}", b'{"vocab": {"a": 1}'])
def test_a_damaged_vocabulary_is_an_error_of_ours(tmp_path, monkeypatch, content):
    package = Path(find_spec("wordllama").origin).parent
    (tmp_path / "tokenizers").mkdir()
    (tmp_path / "weights").symlink_to(package / "weights")
    (tmp_path / "tokenizers" / "l2_supercat_tokenizer_config.json").write_bytes(content)
    monkeypatch.setattr("memcli.backends.static_embedder._package_folder", lambda: tmp_path)

    with pytest.raises(BackendError, match="the built-in embedder cannot be loaded"):
        WordLlamaEmbedder().embed(["a"])


def test_a_long_text_takes_no_more_memory_than_its_tokens(embedder):
    [long], [short] = embedder.embed(["one two " * 20_000]), embedder.embed(["one two " * 10])

    assert long @ short > 0.99
