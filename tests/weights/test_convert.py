"""Whatever is in a checkpoint is in the GGUF, or nothing is written at all."""

import fcntl
import json

import gguf
import numpy as np
import pytest
from gguf import GGUFReader
from helpers.random_models import SMALL, stored, write_qwen3

from memcli.backends.llama.model import LlamaModel
from memcli.errors import BackendError, BusyError
from memcli.weights.convert.checkpoint import Checkpoint
from memcli.weights.convert.gguf_writer import convert_checkpoint

NAMES = {  # a layer's tensors as GGUF has them
    *("attn_norm", "attn_q", "attn_k", "attn_v", "attn_q_norm", "attn_k_norm", "attn_output"),
    *("ffn_norm", "ffn_gate", "ffn_up", "ffn_down"),
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 1e6,
    "factor": 4.0,
    "original_max_position_embeddings": 1024,
}


def values(path):
    """Return a GGUF's tensors by name, as float32."""
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in GGUFReader(path).tensors
    }


def only_file_in(folder):
    [path] = folder.iterdir()
    return path


@pytest.fixture
def out(tmp_path):
    """A folder for what is written, so that nothing else is in it."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("source", ["F32", "F16", "BF16"])
def test_numbers_are_those_of_the_checkpoint_rounded_once(tmp_path, source, kind):
    hub = write_qwen3(tmp_path / "hub", kind=source)
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype=kind)

    converted = values(tmp_path / "model.gguf")

    [queries] = Checkpoint(hub).tensors["model.layers.1.self_attn.q_proj.weight"].pieces()
    exact = (queries.astype(np.uint32) << 16).view(np.float32) if source == "BF16" else queries
    rounded = gguf.quants.quantize(
        exact.astype(np.float32).reshape(256, 256), gguf.GGMLQuantizationType[kind]
    )
    expected = gguf.quants.dequantize(rounded, gguf.GGMLQuantizationType[kind])
    assert (converted["blk.1.attn_q.weight"] == expected).all()


@pytest.mark.parametrize("tied", [True, False])
def test_every_tensor_has_its_name_and_kind(tmp_path, tied):
    hub = write_qwen3(tmp_path / "hub", tied=tied)
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype="F16")

    kinds = {
        tensor.name: tensor.tensor_type.name
        for tensor in GGUFReader(tmp_path / "model.gguf").tensors
    }

    layers = {f"blk.{layer}.{name}.weight" for layer in (0, 1) for name in NAMES}
    head = {"token_embd.weight", "output_norm.weight"} | (
        {"output.weight"} - {tied and "output.weight"}
    )
    assert kinds.keys() == layers | head
    assert {name for name, kind in kinds.items() if kind == "F32"} == {
        name for name in kinds if "norm" in name
    }
    assert set(kinds.values()) == {"F16", "F32"}


def test_the_header_says_what_config_and_tokenizer_say(hub, header, tmp_path):
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype="BF16")

    fields = header(tmp_path / "model.gguf")

    assert {name.removeprefix("qwen3."): fields[name] for name in fields if "qwen3." in name} == {
        "block_count": 2,
        "context_length": 4096,
        "embedding_length": 256,
        "feed_forward_length": 512,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.key_length": 64,
        "attention.value_length": 64,
        "attention.layer_norm_rms_epsilon": pytest.approx(1e-6),
        "rope.freq_base": 1e6,
    }
    assert fields["general.architecture"] == "qwen3"
    assert fields["general.file_type"] == gguf.LlamaFileType.MOSTLY_BF16
    assert fields["tokenizer.ggml.model"] == "gpt2"
    assert fields["tokenizer.ggml.pre"] == "qwen2"
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    assert len(tokens) == len(kinds) == SMALL["vocab_size"]
    kind_of = {token: gguf.TokenType(kind).name for token, kind in zip(tokens, kinds, strict=True)}
    assert [kind_of[token] for token in ("yes", "<|im_end|>", "<|fim_prefix|>", "<think>")] == [
        *("NORMAL", "CONTROL", "CONTROL", "USER_DEFINED"),
    ]
    assert (tokens[-1], kind_of[tokens[-1]]) == ("[PAD1023]", "UNUSED")
    assert fields["tokenizer.ggml.eos_token_id"] == tokens.index("<|im_end|>")
    assert fields["tokenizer.ggml.eot_token_id"] == tokens.index("<|im_end|>")
    assert fields["tokenizer.ggml.padding_token_id"] == tokens.index("<|endoftext|>")
    assert fields["tokenizer.ggml.bos_token_id"] == 0
    assert fields["tokenizer.ggml.add_bos_token"] is False
    assert "<|im_start|>" in fields["tokenizer.chat_template"]


def test_llama_cpp_takes_it(hub, tmp_path):
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype="F16")

    model = LlamaModel(tmp_path / "model.gguf")

    assert model.trained_context == 4096
    assert [
        model.decode_token(token) for token in model.encode_markup("<|im_start|>yes<think> no")
    ] == [*(b"<|im_start|>", b"yes", b"<think>", b" no")]


def test_shards_make_the_same_file(tmp_path):
    for shards in (1, 3):
        hub = write_qwen3(tmp_path / f"hub{shards}", shards=shards)
        convert_checkpoint(hub, tmp_path / f"{shards}.gguf", dtype="F16")

    assert (tmp_path / "1.gguf").read_bytes() == (tmp_path / "3.gguf").read_bytes()


def test_the_files_older_tokenizers_have_say_the_same(hub, tmp_path, change):
    convert_checkpoint(hub, tmp_path / "new.gguf", dtype="F16")
    found = json.loads((hub / "tokenizer.json").read_text("utf-8"))
    (hub / "tokenizer.json").unlink()
    (hub / "vocab.json").write_text(json.dumps(found["model"]["vocab"]), "utf-8")
    merges = "\n".join(["#version: 0.2", *found["model"]["merges"], ""])
    (hub / "merges.txt").write_text(merges, "utf-8")
    decoder = {str(entry.pop("id")): entry for entry in found["added_tokens"]}
    change("tokenizer_config.json", "added_tokens_decoder", decoder)
    change("tokenizer_config.json", "tokenizer_class", "Qwen2Tokenizer")

    convert_checkpoint(hub, tmp_path / "old.gguf", dtype="F16")

    assert (tmp_path / "old.gguf").read_bytes() == (tmp_path / "new.gguf").read_bytes()

    change("tokenizer_config.json", "tokenizer_class", "GPT2Tokenizer")
    with pytest.raises(BackendError, match="tokenizer_class GPT2Tokenizer"):
        convert_checkpoint(hub, tmp_path / "other.gguf", dtype="F16")


def test_merges_may_be_pairs(hub, tmp_path, change):
    convert_checkpoint(hub, tmp_path / "lines.gguf", dtype="F16")
    merges = json.loads((hub / "tokenizer.json").read_text("utf-8"))["model"]["merges"]
    change("tokenizer.json", "model.merges", [merge.split(" ") for merge in merges])

    convert_checkpoint(hub, tmp_path / "pairs.gguf", dtype="F16")

    assert (tmp_path / "pairs.gguf").read_bytes() == (tmp_path / "lines.gguf").read_bytes()


def test_a_chat_template_comes_from_its_own_file_or_the_default_of_several(
    hub, tmp_path, change, header
):
    several = [{"name": "rag", "template": "of rag"}, {"name": "default", "template": "of all"}]
    change("tokenizer_config.json", "chat_template", several)
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype="F16")
    assert header(tmp_path / "model.gguf")["tokenizer.chat_template"] == "of all"

    (hub / "chat_template.jinja").write_text("its own\n", "utf-8")
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype="F16")
    assert header(tmp_path / "model.gguf")["tokenizer.chat_template"] == "its own\n"


@pytest.mark.parametrize("place", ["rope_parameters", "rope_scaling"])
def test_yarn_is_written_down(tmp_path, place, header):
    config = {"rope_parameters": None, "rope_theta": 1e6} | {place: YARN}
    hub = write_qwen3(tmp_path / "hub", **config)
    convert_checkpoint(hub, tmp_path / "model.gguf", dtype="F16")

    fields = header(tmp_path / "model.gguf")

    assert fields["qwen3.rope.freq_base"] == 1e6
    assert fields["qwen3.rope.scaling.type"] == "yarn"
    assert fields["qwen3.rope.scaling.factor"] == 4
    assert fields["qwen3.rope.scaling.original_context_length"] == 1024


# fmt: off
ODD = [
    ("config.json", "architectures", ["GlmForCausalLM"], "architecture"),
    ("config.json", "architectures", [], "architecture"),
    ("config.json", "architectures", None, "architecture None"),
    ("config.json", "quantization_config", {"bits": 4}, "are already quantized"),
    ("config.json", "hidden_act", "gelu", "'gelu' as hidden_act"),
    ("config.json", "attention_bias", True, "True as attention_bias"),
    ("config.json", "use_sliding_window", True, "True as use_sliding_window"),
    ("config.json", "hidden_size", None, "no hidden_size"),
    ("config.json", "hidden_size", "256", "'256' as hidden_size"),
    ("config.json", "hidden_size", True, "True as hidden_size"),
    ("config.json", "hidden_size", 128, "but config.json says 1024 x 128"),
    ("config.json", "num_hidden_layers", 3, "no tensor model.layers.2.input_layernorm"),
    ("config.json", "num_hidden_layers", 1, "tensor model.layers.1.input_layernorm.weight, for"),
    ("config.json", "tie_word_embeddings", False, "no tensor lm_head"),
    ("config.json", "rope_parameters", {"rope_theta": 1e6, "rope_type": "dynamic"}, "'dynamic'"),
    ("config.json", "rope_parameters", {"rope_type": "default"}, "no rope_theta"),
    ("config.json", "rope_parameters", [7], r"\[7\] as rope_parameters"),
    ("config.json", "rope_parameters", {**YARN, "beta_fast": 16}, "16 as beta_fast"),
    ("config.json", "rope_parameters", {**YARN, "factor": None}, "no factor"),
    ("config.json", "max_position_embeddings", 2**40, "that is negative or absurd as max"),
    ("config.json", "rms_norm_eps", 1e39, "or a text that no GGUF file can hold"),
    ("tokenizer_config.json", "chat_template", "\ud800", "or a text that no GGUF file can"),
    ("config.json", "bos_token_id", 5000, "bos_token_id 5000 of no token"),
    ("tokenizer_config.json", "eos_token", "<eos>", "'<eos>' that is not a token"),
    ("tokenizer.json", "model.type", "Unigram", "'Unigram' as model.type"),
    ("tokenizer.json", "model.vocab", [], "as model.vocab"),
    ("tokenizer.json", "model.vocab.yes", 1024, "the id 1024, of 1,024"),
    ("tokenizer.json", "model.vocab.yes", -1, "the id -1"),
    ("tokenizer.json", "model.vocab.yes", "1", "the id '1'"),
    ("tokenizer.json", "model.vocab.yes", 1, "gives .* the id of"),
    ("tokenizer.json", "model.merges", ["a b c"], "a merge 'a b c'"),
    ("tokenizer.json", "model.merges", [["a", " b"]], r"a merge \['a', ' b'\]"),
    ("tokenizer.json", "model.merges", [7], "a merge 7"),
    ("tokenizer.json", "model.ignore_merges", True, "True as model.ignore_merges"),
    ("tokenizer.json", "model.byte_fallback", True, "True as model.byte_fallback"),
    ("tokenizer.json", "normalizer", {"type": "NFKC"}, "as normalizer"),
    ("tokenizer.json", "normalizer", None, "None as normalizer"),
    ("tokenizer.json", "pre_tokenizer", {"type": "ByteLevel"}, "pre_tokenizer that llama.cpp has"),
    ("tokenizer.json", "pre_tokenizer.pretokenizers", [], "pre_tokenizer that llama.cpp has"),
    ("tokenizer.json", "added_tokens", [{"id": 900, "content": "x"}], "describes an added token"),
    ("tokenizer.json", "added_tokens", [7], "describes an added token as 7"),
    ("tokenizer.json", "added_tokens",
     [{"id": 900, "content": "x", "special": True, "lstrip": True}], "has flags for"),
]
# fmt: on


@pytest.mark.parametrize(("file", "place", "value", "error"), ODD)
def test_what_llama_cpp_would_do_otherwise_is_refused(hub, out, change, file, place, value, error):
    change(file, place, value)

    with pytest.raises(BackendError, match=error):
        convert_checkpoint(hub, out / "model.gguf", dtype="F16")

    assert not [*out.iterdir()]


def test_the_tokenizer_knows_better_than_config_which_token_ends(hub, out, change, header):
    change("config.json", "eos_token_id", 5000)

    convert_checkpoint(hub, out / "model.gguf", dtype="F16")

    fields = header(out / "model.gguf")
    assert fields["tokenizer.ggml.tokens"][fields["tokenizer.ggml.eos_token_id"]] == "<|im_end|>"


@pytest.mark.parametrize("missing", ["tokenizer.json", "model.safetensors", "config.json"])
def test_a_missing_file_is_named(hub, out, missing):
    (hub / missing).unlink()

    with pytest.raises(BackendError, match="has no"):
        convert_checkpoint(hub, out / "model.gguf", dtype="F16")

    assert not [*out.iterdir()]


@pytest.mark.parametrize(
    ("value", "kind", "lost"),
    [
        *((np.nan, kind, True) for kind in ("F32", "F16", "BF16")),
        *((np.inf, kind, True) for kind in ("F32", "F16", "BF16")),
        *((1e6, kind, kind == "F16") for kind in ("F32", "F16", "BF16")),
    ],
)
def test_values_that_would_be_lost_are_named(hub, out, value, kind, lost):
    tensor = Checkpoint(hub).tensors["model.layers.0.mlp.up_proj.weight"]
    with tensor.file.open("r+b") as file:
        file.seek(tensor.start + 100)
        file.write(stored(np.array(value), "BF16").tobytes())

    if lost:
        with pytest.raises(BackendError, match=rf"in model\.layers\.0\.mlp\.up_proj.* for {kind}"):
            convert_checkpoint(hub, out / "model.gguf", dtype=kind)
        assert not [*out.iterdir()]
    else:
        convert_checkpoint(hub, out / "model.gguf", dtype=kind)
        assert values(out / "model.gguf")["blk.0.ffn_up.weight"][0, 50] == pytest.approx(1e6, 0.01)


def test_progress_counts_bytes_up_to_the_last(hub, out):
    calls = []

    convert_checkpoint(
        hub, out / "model.gguf", dtype="F32", progress=lambda *each: calls.append(each)
    )

    done, of = zip(*calls, strict=True)
    assert sorted(set(done)) == [*done]
    assert {done[-1]} == set(of)


@pytest.mark.parametrize("before", [None, b"what was there"])
def test_an_interruption_leaves_what_was_there(hub, out, before):
    if before:
        (out / "model.gguf").write_bytes(before)

    def interrupt(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_checkpoint(hub, out / "model.gguf", dtype="F16", progress=interrupt)

    assert [path.read_bytes() for path in out.iterdir()] == ([before] if before else [])


@pytest.mark.parametrize("size", [0, 1000, 100_000])
def test_a_full_disk_leaves_nothing_half_written(hub, out, size, files_limited_to):
    with files_limited_to(size), pytest.raises(BackendError, match="cannot be written: File too"):
        convert_checkpoint(hub, out / "model.gguf", dtype="F16")

    assert not [*out.iterdir()]


def test_a_folder_that_is_not_there_is_an_error(hub, tmp_path):
    with pytest.raises(BackendError, match="cannot be written: No such file"):
        convert_checkpoint(hub, tmp_path / "nowhere" / "model.gguf", dtype="F16")


def test_of_two_processes_that_write_one_file_the_second_is_told(hub, out):
    with (out / ".model.gguf.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(BusyError, match="another process is writing"):
            convert_checkpoint(hub, out / "model.gguf", dtype="F16")

        assert only_file_in(out).name == ".model.gguf.part"


def test_what_a_killed_process_left_is_written_over(hub, out):
    convert_checkpoint(hub, out / "whole.gguf", dtype="F16")
    (out / ".model.gguf.part").write_bytes(b"x" * 10_000_000)

    convert_checkpoint(hub, out / "model.gguf", dtype="F16")

    assert sorted(path.name for path in out.iterdir()) == ["model.gguf", "whole.gguf"]
    assert (out / "model.gguf").read_bytes() == (out / "whole.gguf").read_bytes()
