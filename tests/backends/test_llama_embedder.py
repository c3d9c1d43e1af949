import subprocess
import sys

import numpy as np
import pytest
from helpers.random_embedders import DIMENSIONS, PLACES, SPECIAL, ids, write_tiny_bert
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.backends.llama import open_embedder
from memcli.backends.llama.batches import MAX_BATCH_TOKENS, MAX_SEQUENCES
from memcli.backends.llama.embedding_context import EmbeddingContext
from memcli.backends.llama.model import LlamaModel
from memcli.errors import BackendError, ModelNotFoundError
from memcli.protocols import Embedder

TEXTS = [
    "The capital of China is Beijing.",
    "",
    "北京是中国的首都。",
    "walking " * 200,  # longer than the context
    *[f"passage {number} " * (number % 7 + 1) for number in range(150)],
    "short",
]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return write_tiny_bert(tmp_path_factory.mktemp("models") / "bert.gguf")


@pytest.fixture
def opened():
    """Opens embedders, on one thread, and closes them at the end."""
    embedders = []

    def open_one(path, *, pooling="mean", context=PLACES, **others):
        embedders.append(
            open_embedder(
                path,
                name="tiny",
                revision="main",
                pooling=pooling,
                context=context,
                threads=1,
                **others,
            )
        )
        return embedders[-1]

    yield open_one
    for embedder in embedders:
        embedder.close()


def cosines(some, others):
    return (some * others).sum(axis=1)


def test_it_is_an_embedder(bert, opened):
    as_one: Embedder = opened(bert)

    assert (as_one.name, as_one.dimensions, len(as_one.fingerprint)) == ("tiny", DIMENSIONS, 32)


@pytest.mark.parametrize("pooling", ["cls", "mean", "last"])
def test_batches_answer_as_one_text_at_a_time_does(bert, opened, pooling):
    together = opened(bert, pooling=pooling).embed(TEXTS)

    alone = opened(bert, pooling=pooling)
    one_by_one = np.concatenate([alone.embed([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), DIMENSIONS)
    assert together.dtype == np.float32
    assert cosines(together, one_by_one) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-6)
    assert (together @ together.T).min() < 0.9  # else nothing was compared


def test_a_causal_model_embeds_by_what_it_knows_at_the_end(tiny, opened):
    embedder = opened(tiny, pooling="last", context=300)

    together = embedder.embed(TEXTS)

    one_by_one = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert cosines(together, one_by_one) == pytest.approx(1, abs=1e-3)
    special = LlamaModel(tiny).special_tokens
    assert [special[embedder.encode(text)[-1]] for text in TEXTS] == ["<|im_end|>"] * len(TEXTS)
    assert len(embedder.encode(TEXTS[3])) == 300


def test_poolings_differ(bert, opened):
    [cls], [mean], [last] = (
        opened(bert, pooling=pooling).embed(TEXTS[:1]) for pooling in ("cls", "mean", "last")
    )

    assert max(cls @ mean, mean @ last, last @ cls) < 0.999


def test_an_encoders_first_token_knows_the_last_word(bert, opened):
    one, other = opened(bert, pooling="cls").embed(["the capital of china", "the capital of cafe"])

    assert one @ other < 0.9999


def test_a_text_stands_between_special_tokens(bert, opened):
    tokens = opened(bert).encode("The CAPITAL of China.")

    assert tokens == ids("[CLS]", "the", "capital", "of", "china", ".", "[SEP]")


def test_what_exceeds_the_context_is_cut_off_before_the_closing_token(bert, opened):
    embedder = opened(bert, context=6)

    assert embedder.encode("the " * 10) == ids("[CLS]", *["the"] * 4, "[SEP]")
    cut, whole = embedder.embed(["the the the the", "the the the the walking walking"])
    assert cut @ whole == pytest.approx(1, abs=1e-6)


def test_the_context_is_never_more_than_the_model_has_places_for(bert, opened):
    embedder = opened(bert, context=100_000)

    assert len(embedder.encode("the " * 1000)) == PLACES
    assert embedder.embed(["the " * 1000]).shape == (1, DIMENSIONS)


def test_texts_longer_than_a_batch_are_embedded_whole(tmp_path, opened):
    path = write_tiny_bert(tmp_path / "long.gguf", places=2048)
    embedder = opened(path, context=2048)
    begin = "the " * 3 * MAX_BATCH_TOKENS

    one, other = embedder.embed([begin + "china", begin + "cafe"])

    assert len(embedder.encode(begin)) == 3 * MAX_BATCH_TOKENS + 2
    assert 0.5 < one @ other < 1 - 1e-7


def test_a_book_is_cut_before_it_is_tokenised(bert, opened):
    [vector], [start] = (
        opened(bert).embed([text]) for text in ("walking " * 5_000_000, "walking " * 500)
    )

    assert vector @ start == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("  \n\t\u3000 ", []),
        ("Café CAFE\u0301", ["cafe", "cafe"]),
        ("가", ["\u1100", "##\u1161"]),  # llama.cpp by itself finds the first part alone
        ("ББ", ["\u0431", "##\u0431"]),
        ("σΣ", ["σ", "##σ"]),  # never the final one
        ("北京x中", ["北", "京", "x", "中"]),
        ("walk\u200bing\u00ad \x0bof\x00", ["walk", "##ing", "of"]),
        ("walk\ning", ["walk", *"i ##n ##g".split()]),
        ("\ufffd\ud800the", ["the"]),
        ("☃ the☃", ["[UNK]", "[UNK]"]),
        ("[CLS]", ["[", "c", "##l", "##s", "]"]),
        ("[UNK][SEP]", [*"[ u ##n ##k ]".split(), *"[ s ##e ##p ]".split()]),
    ],
)
def test_texts_are_cut_into_pieces_as_bert_was_taught(bert, opened, text, pieces):
    assert opened(bert).encode(text) == ids("[CLS]", *pieces, "[SEP]")


def test_what_a_file_calls_user_defined_stays_text_too(tmp_path, opened):
    path = write_tiny_bert(tmp_path / "user.gguf", user_defined=("<mask>",))

    tokens = opened(path).encode("x<mask>")

    assert tokens == ids("[CLS]", "x", "<", *"m ##a ##s ##k".split(), ">", "[SEP]")


@given(text=st.text(st.characters(exclude_categories=())))
@settings(max_examples=300)
def test_no_text_brings_special_tokens_or_fails(bert_vocabulary, text):
    inner = bert_vocabulary.encode(text)[1:-1]

    assert not set(inner) & set(ids(*SPECIAL)) - set(ids("[UNK]"))


@pytest.fixture(scope="module")
def bert_vocabulary(bert):
    embedder = open_embedder(bert, name="", revision="", pooling="cls", context=PLACES)
    yield embedder
    embedder.close()


def test_questions_and_passages_have_prefixes_of_their_own(bert, opened):
    plain = opened(bert)
    taught = opened(bert, question_prefix="query: ", passage_prefix="passage: ")

    assert taught.encode("china") == plain.encode("passage: china")
    assert taught.encode("china", questions=True) == plain.encode("query: china")
    [told], [asked] = taught.embed(["china"]), taught.embed(["china"], questions=True)
    [as_told], [as_asked] = plain.embed(["passage: china"]), plain.embed(["query: china"])
    assert cosines(np.stack([told, asked]), np.stack([as_told, as_asked])) == pytest.approx(
        1, abs=1e-6
    )
    assert told @ asked < 0.9999


def test_fingerprints_tell_apart_what_makes_other_vectors(bert, tmp_path, opened):
    other = write_tiny_bert(tmp_path / "other.gguf", seed=1)
    embedders = [
        opened(bert),
        opened(other),
        opened(bert, pooling="cls"),
        opened(bert, context=100),
        opened(bert, question_prefix="query: "),
        opened(bert, passage_prefix="query: "),
    ]

    assert len({embedder.fingerprint for embedder in embedders}) == len(embedders)
    assert opened(bert).fingerprint == embedders[0].fingerprint


def test_no_texts_no_vectors(bert, opened):
    assert opened(bert).embed([]).shape == (0, DIMENSIONS)


def test_a_missing_model_is_told_apart(tmp_path, opened):
    with pytest.raises(ModelNotFoundError, match="no model file at"):
        opened(tmp_path / "gone.gguf")


def test_a_file_without_dimensions_is_refused(bert, tmp_path, opened):
    path = tmp_path / "odd.gguf"
    path.write_bytes(bert.read_bytes().replace(b"embedding_length", b"embedding_lengtH"))

    with pytest.raises(BackendError, match=r"odd\.gguf cannot embed: it does not say how many"):
        opened(path)


def test_weights_that_are_no_numbers_are_told_from_vectors(bert, tmp_path, opened):
    path = tmp_path / "odd.gguf"
    content = bytearray(bert.read_bytes())
    content[-4096:] = np.full(1024, np.nan, np.float32).tobytes()
    path.write_bytes(content)

    with pytest.raises(BackendError, match=r"odd\.gguf gives invalid vectors"):
        opened(path).embed(["the capital"])


def test_what_llama_cpp_refuses_is_an_error_with_its_reason(bert, tmp_path, opened, capfd):
    path = tmp_path / "odd.gguf"
    path.write_bytes(bert.read_bytes().replace(b"output_norm.bias", b"output_norm.bIas"))

    with pytest.raises(BackendError, match=r"odd\.gguf: .*'blk\.0\..* not found"):
        opened(path).embed(["the capital"])
    assert capfd.readouterr() == ("", "")


def test_a_closed_model_says_so(bert, opened):
    embedder = opened(bert)
    embedder.embed(["the"])

    embedder.close()
    embedder.close()

    with pytest.raises(BackendError, match="was closed"):
        embedder.embed(["the"])


def test_a_context_holds_what_it_was_made_for(bert):
    model = LlamaModel(bert)
    context = EmbeddingContext(model, 250, pooling="mean", threads=1)

    assert context.embed([ids("the"), ids("of", "china") * 125]).shape == (2, DIMENSIONS)
    with pytest.raises(ValueError, match="exceed a context of 256 tokens"):
        context.embed([ids("the") * 257])
    with pytest.raises(ValueError, match=f"{MAX_SEQUENCES + 1} texts"):
        context.embed([[]] * (MAX_SEQUENCES + 1))
    context.close()
    model.close()


def test_opening_loads_nothing_and_nothing_is_said_up_to_the_end(bert, tiny):
    code = f"""if True:
        import sys
        from pathlib import Path
        from memcli.backends.llama import open_embedder
        encoder = open_embedder(
            Path({str(bert)!r}), name="", revision="", pooling="cls", context=99, threads=1
        )
        causal = open_embedder(
            Path({str(tiny)!r}), name="", revision="", pooling="last", context=9999, threads=1
        )
        assert encoder.fingerprint and (encoder.dimensions, causal.dimensions) == (32, 64)
        assert not {{"llama_cpp", "numpy", "jinja2", "gguf"}} & set(sys.modules)
        assert encoder.embed(["a " * 600, "b"]).shape == (2, 32)
        assert causal.embed(["a " * 600, "b"]).shape == (2, 64)
    """  # neither is closed

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
