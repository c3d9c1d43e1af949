"""Encoders: what is in a checkpoint is in the GGUF, or nothing is written at all."""

import json

import gguf
import numpy as np
import pytest
from gguf import GGUFReader
from helpers.random_embedders import (
    DIMENSIONS,
    PLACES,
    UNIGRAMS,
    hub_name,
    ids,
    write_bert,
    write_xlm_roberta,
)

from memcli.backends.llama import open_embedder
from memcli.errors import BackendError
from memcli.weights.convert.checkpoint import Checkpoint
from memcli.weights.convert.convert import convert


@pytest.fixture(params=["bert", "xlm_roberta"])
def hub(request, tmp_path):
    """A small encoder as a hub has it; `change` of conftest.py is about it."""
    write = write_bert if request.param == "bert" else write_xlm_roberta
    return write(tmp_path / "hub")


@pytest.fixture
def converted(hub, tmp_path):
    """Convert the hub's model."""

    def converted(kind="F32"):
        convert(hub, tmp_path / "model.gguf", kind=kind)
        return tmp_path / "model.gguf"

    return converted


@pytest.fixture
def embedder(converted):
    """Open the converted model."""
    opened = []

    def embedder(**options):
        options = {"pooling": "mean", "context": PLACES} | options
        opened.append(open_embedder(converted(), name="", revision="", threads=1, **options))
        return opened[-1]

    yield embedder
    for each in opened:
        each.close()


def unigrams(*pieces):
    return [[token for token, _ in UNIGRAMS].index(piece) for piece in pieces]


only_bert = pytest.mark.parametrize("hub", ["bert"], indirect=True)
only_xlm_roberta = pytest.mark.parametrize("hub", ["xlm_roberta"], indirect=True)


def test_every_tensor_is_the_checkpoints(hub, converted):
    found = {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in GGUFReader(converted()).tensors
    }

    tensors = Checkpoint(hub).tensors
    assert {hub_name(name) for name in found} == tensors.keys() - {"pooler.dense.weight"}
    for name, numbers in found.items():
        [theirs] = tensors[hub_name(name)].pieces()
        if name == "token_types.weight":
            theirs = theirs[:DIMENSIONS]  # those of a first text, the only one there is
        if name == "position_embd.weight":
            theirs = theirs[-PLACES * DIMENSIONS :]
        assert (numbers.ravel() == theirs).all(), name


def test_matrices_are_halved_and_what_is_added_is_not(converted):
    kinds = {
        tensor.name: tensor.tensor_type.name for tensor in GGUFReader(converted("F16")).tensors
    }

    assert kinds["token_embd.weight"] == kinds["blk.1.ffn_up.weight"] == "F16"
    assert kinds["token_types.weight"] == kinds["blk.1.ffn_up.bias"] == "F32"


def test_the_header_says_what_llama_cpp_asks_for(hub, converted, header):
    said = header(converted())

    assert said["general.architecture"] == "bert"
    assert said["bert.block_count"] == 2
    assert said["bert.context_length"] == PLACES
    assert said["bert.embedding_length"] == DIMENSIONS
    assert said["bert.attention.causal"] is False
    assert said["bert.attention.layer_norm_epsilon"] == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("settings", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "CLS"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "MEAN"),
        ({"pooling_mode": "mean", "embedding_dimension": 32}, "MEAN"),
        ({"pooling_mode": "cls"}, "CLS"),
    ],
)
def test_the_header_says_how_vectors_are_pooled(hub, converted, header, settings, pooling):
    (hub / "1_Pooling" / "config.json").write_text(json.dumps(settings))

    assert header(converted())["bert.pooling_type"] == gguf.PoolingType[pooling]


def test_a_bare_model_is_converted_too(hub, converted, header):
    (hub / "1_Pooling" / "config.json").unlink()
    (hub / "modules.json").unlink()

    assert "bert.pooling_type" not in header(converted())


@only_bert
def test_word_pieces_are_found_as_in_the_checkpoint(embedder):
    tokens = embedder().tokens("The CAFÉ of 가 [SEP] walkinG☃ b")

    between = ["the", "cafe", "of", "\u1100", "##\u1161", *"[ s ##e ##p ] [UNK] b".split()]
    assert tokens == ids("[CLS]", *between, "[SEP]")


@only_xlm_roberta
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("walking  the\n\tcapital ", ["▁walk", "ing", "▁the", "▁capital"]),
        ("\u3000ﬁg Ａ\u200b", ["▁", "f", "i", "g", "▁a"]),
        ("e\u0301é 北京", ["▁", "é", "é", "▁", "北京"]),
        ("☃☃ ☃", ["▁", "<unk>", "▁", "<unk>"]),
        ("<s>", ["▁", "<", "s", ">"]),
        ("a<mask>", ["▁a", "<", "m", "a", "s", "k", ">"]),
        ("\ud800a\0", ["▁", "?", "a", "<unk>"]),
    ],
)
def test_unigrams_are_found_as_in_the_checkpoint(embedder, text, pieces):
    assert embedder().tokens(text) == unigrams("<s>", *pieces, "</s>")


def test_embeddings_depend_on_every_word_and_its_place(embedder):
    vectors = embedder().embed(["the capital", "capital the", "the capital of"])

    assert (vectors @ vectors.T - np.eye(3)).max() < 0.999


def test_the_last_place_can_be_used(embedder):
    short, long = embedder().tokens("a"), embedder().tokens("a " * 2 * PLACES)

    assert len(long) == PLACES
    assert long[-1] == short[-1]
    assert embedder().embed(["a " * 2 * PLACES]).shape == (1, DIMENSIONS)


@pytest.mark.parametrize(
    ("file", "place", "value", "message"),
    [
        ("config.json", "hidden_act", "silu", r"has 'silu' as hidden_act: unsupported"),
        ("config.json", "is_decoder", True, r"has True as is_decoder"),
        ("config.json", "position_embedding_type", "relative_key", r"position_embedding_type"),
        ("config.json", "hidden_size", 64, r"config\.json wants \d+ x 64"),
        ("config.json", "vocab_size", 7, r"config\.json wants 7 x 32"),
        ("config.json", "num_hidden_layers", 3, r"no tensor encoder\.layer\.2"),
        ("config.json", "num_hidden_layers", 1, r"for which bert has no place"),
        ("config.json", "num_attention_heads", 5, r"has 5 attention heads for 32 dimensions"),
        ("config.json", "num_attention_heads", 0, r"has 0 attention heads"),
        ("config.json", "layer_norm_eps", None, r"has no layer_norm_eps"),
        ("tokenizer.json", "model.type", "BPE", r"'BPE' as model\.type; llama\.cpp does otherwise"),
        ("tokenizer.json", "model.vocab", None, r"has no model\.vocab"),
        ("tokenizer.json", "added_tokens", [{"id": 0, "content": "x"}], r"has an added token"),
        ("tokenizer.json", "post_processor", None, r"puts a text between other tokens"),
        ("tokenizer.json", "pre_tokenizer", {"type": "ByteLevel"}, r"pre_tokenizer"),
        ("tokenizer.json", "normalizer", None, r"normalizer"),
        ("tokenizer.json", "normalizer", {"type": "Lowercase"}, r"normalizer"),
        ("1_Pooling/config.json", "pooling_mode_max_tokens", True, r"wants pooling by"),
    ],
)
def test_what_llama_cpp_would_do_otherwise_is_refused(
    converted, change, file, place, value, message, tmp_path
):
    change(file, place, value)

    with pytest.raises(BackendError, match=message):
        converted()
    assert not (tmp_path / "model.gguf").exists()


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ('[{"type": "sentence_transformers.models.Dense"}]', "Dense.*: unsupported"),
        ('{"0": 1}', "unsupported"),
        ("[", "is no JSON"),
    ],
)
def test_modules_that_do_more_than_pooling_are_refused(hub, converted, modules, message):
    (hub / "modules.json").write_text(modules)

    with pytest.raises(BackendError, match=message):
        converted()


@only_bert
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("normalizer.lowercase", False, r"False as normalizer\.lowercase"),
        ("normalizer.strip_accents", False, r"False as normalizer\.strip_accents"),
        ("normalizer.handle_chinese_chars", False, r"handle_chinese_chars"),
        ("model.unk_token", "[unknown]", r"no token '\[unknown\]'"),
        ("model.vocab.the", 9999, r"gives '▁the' the id 9999, of \d+"),
        ("model.vocab.the", "1", r"gives '▁the' the id '1'"),
        ("model.vocab.##▁the", 90, r"two tokens that are spelled alike"),
    ],
)
def test_word_pieces_that_llama_cpp_would_find_otherwise_are_refused(
    converted, change, place, value, message
):
    change("tokenizer.json", place, value)

    with pytest.raises(BackendError, match=message):
        converted()


@only_xlm_roberta
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("model.byte_fallback", True, r"True as model\.byte_fallback"),
        ("model.unk_id", 9999, r"the id 9999, of \d+"),
        ("model.unk_id", None, r"has no model\.unk_id"),
        ("model.vocab", [["<s>"]], r"has \['<s>'\] in its vocabulary"),
        ("model.vocab", [["<s>", float("nan")]], r"has \['<s>', nan\] in its vocabulary"),
        ("model.vocab", [["<s>", 10**400]], r"in its vocabulary"),
        ("pre_tokenizer", {"type": "WhitespaceSplit"}, r"pre_tokenizer that llama\.cpp does not"),
        ("normalizer.precompiled_charsmap", "?", r"that is no base64"),
        ("normalizer.precompiled_charsmap", "", r"no precompiled_charsmap, or one that is cut"),
        ("normalizer.precompiled_charsmap", "////fwAAAAA=", r"cut short"),
    ],
)
def test_unigrams_that_llama_cpp_would_find_otherwise_are_refused(
    converted, change, place, value, message
):
    change("tokenizer.json", place, value)

    with pytest.raises(BackendError, match=message):
        converted()


@only_xlm_roberta
@pytest.mark.parametrize("also", [{"type": "Strip"}, {"type": "Replace", "content": "▁"}])
def test_other_ways_to_say_the_same_of_spaces_are_understood(hub, change, embedder, also):
    normalizer = json.loads((hub / "tokenizer.json").read_text("utf-8"))["normalizer"]
    if also["type"] == "Replace":
        also = also | {"pattern": {"Regex": " {2,}"}}
    change("tokenizer.json", "normalizer", {"type": "Sequence", "normalizers": [normalizer, also]})
    change(
        "tokenizer.json",
        "pre_tokenizer",
        {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True},
    )

    assert embedder().tokens("the  capital") == unigrams("<s>", "▁the", "▁capital", "</s>")


@only_bert
def test_berts_own_way_to_say_what_a_text_stands_between_is_understood(change, embedder):
    frame = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    change("tokenizer.json", "post_processor", frame)

    assert embedder().tokens("the") == ids("[CLS]", "the", "[SEP]")


def test_a_model_without_a_tokenizer_is_refused(hub, converted):
    (hub / "tokenizer.json").unlink()

    with pytest.raises(BackendError, match=r"has no tokenizer\.json"):
        converted()


@only_xlm_roberta
@pytest.mark.parametrize("place", [-1, 9999])
def test_padding_outside_the_places_is_refused(converted, change, place):
    change("config.json", "pad_token_id", place)

    with pytest.raises(BackendError, match="as pad_token_id, which is no place"):
        converted()


@only_bert
def test_a_token_that_is_no_text_is_refused(hub, converted):
    tokenizer = hub / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text("utf-8").replace('"capital"', r'"\ud800"'), "utf-8")

    with pytest.raises(BackendError, match="has a token that is no text"):
        converted()


def test_rows_that_no_token_uses_are_padding(tmp_path):
    hub = write_bert(tmp_path / "padded", vocab_size=200)
    convert(hub, tmp_path / "padded.gguf", kind="F32")

    tokens = GGUFReader(tmp_path / "padded.gguf").fields["tokenizer.ggml.tokens"].contents()
    assert tokens[-1] == "[PAD199]"
    assert len(tokens) == 200
