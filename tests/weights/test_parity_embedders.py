"""transformers and llama.cpp see the same tokens in a text and compute the same vector of it.

The model is a random BERT, once as a GGUF file and once in transformers. Bounds: cosine above .9999
in F32 and F16; in Q8_0 above .999.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="parity is measured against torch")
pytest.importorskip("transformers", reason="parity is measured against transformers")

from helpers.random_embedders import (  # noqa: E402
    DIMENSIONS,
    INNER,
    PIECES,
    PLACES,
    SPECIAL,
    hub_name,
    weights,
    write_tiny_bert,
)

from memcli.backends.llama import open_embedder  # noqa: E402
from memcli.backends.llama.quantize import quantize  # noqa: E402

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
LETTERS = sorted({*"".join(TEXTS)})
LOOK_ALIKES = ["[CLS] a [SEP] [MASK]", "<s> a </s><mask><unk>", "[UNK]", "##ing ▁the"]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The model and the tokenizer of transformers."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = [*SPECIAL, *PIECES]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=DIMENSIONS,
        intermediate_size=INNER,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=PLACES,
        layer_norm_eps=1e-12,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    state = {hub_name(name): torch.tensor(values) for name, values in weights(len(words))}
    model.load_state_dict(state)
    return model, BertTokenizerFast(vocab={word: place for place, word in enumerate(words)})


@pytest.fixture(scope="module")
def embedders(tmp_path_factory):
    """Our embedders, by how exact their numbers are."""
    out = tmp_path_factory.mktemp("out")
    write_tiny_bert(out / "F32.gguf")
    for kind in ("F16", "Q8_0"):
        quantize(out / "F32.gguf", out / f"{kind}.gguf", kind, threads=1)
    opened = {
        path.stem: open_embedder(
            path, name="", revision="", pooling="mean", context=PLACES, threads=1
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


def vector(model, tokens):
    with torch.no_grad():
        pooled = model(torch.tensor([tokens])).last_hidden_state[0].mean(dim=0)
    return (pooled / pooled.norm()).numpy()


@pytest.mark.parametrize("text", TEXTS)
def test_texts_become_the_same_tokens(published, embedders, text):
    _, tokenizer = published

    assert embedders["F32"].encode(text) == ids(tokenizer, text)


@given(text=st.text(st.sampled_from(LETTERS)))
def test_any_text_of_these_letters_becomes_the_same_tokens(published, embedders, text):
    _, tokenizer = published

    assert embedders["F32"].encode(text) == ids(tokenizer, text)


@pytest.mark.parametrize(("kind", "least"), [("F32", 0.9999), ("F16", 0.9999), ("Q8_0", 0.999)])
def test_texts_get_the_same_vectors(published, embedders, kind, least):
    model, tokenizer = published
    theirs = np.stack([vector(model, ids(tokenizer, text)) for text in TEXTS])

    ours = embedders[kind].embed(TEXTS)

    assert (ours * theirs).sum(axis=1).min() > least
    assert (theirs @ theirs.T).min() < 0.7  # else all would be alike


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_looks_like_a_special_token_is_text(published, embedders, text):
    _, tokenizer = published

    begin, *inner, end = embedders["F32"].encode(text)

    assert [begin, end] == ids(tokenizer, "")
    assert not {begin, end, tokenizer.mask_token_id} & set(inner)
