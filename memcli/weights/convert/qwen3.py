"""Qwen3ForCausalLM in GGUF: the architecture of the catalog's rerankers, sifters and readers.

Source: llama.cpp's `qwen3` architecture; tensor names as in the `gguf` package.
"""

from collections.abc import Iterator
from typing import Any

from gguf import GGUFWriter, RopeScalingType

from memcli.errors import BackendError
from memcli.weights.convert.checkpoint import Checkpoint, StoredTensor
from memcli.weights.convert.decoder_tokenizer import read_vocabulary, write_special_tokens
from memcli.weights.convert.json_file import JsonFile

_SUPPORTED = {  # by place in config.json: the values that llama.cpp's code supports
    "hidden_act": ("silu",),
    "attention_bias": (None, False),
    "use_sliding_window": (None, False),
}
_NEUTRAL_ROPE = {  # by place in the rope's settings: the values that change nothing
    "beta_fast": (None, 32),
    "beta_slow": (None, 1),
    "attention_factor": (None,),
    "mscale": (None,),
    "mscale_all_dim": (None,),
    "partial_rotary_factor": (None, 1),
    "truncate": (None, True),
}


def write_header(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    """Write hyperparameters, vocabulary and chat template.

    Raises:
        BackendError: config.json or a tokenizer file has something llama.cpp cannot express.
    """
    config = checkpoint.config
    for place, allowed in _SUPPORTED.items():
        if config.find(place) not in allowed:
            raise BackendError(f"{config.path} has {config.find(place)!r} as {place}: unsupported")
    writer.add_block_count(config.require("num_hidden_layers", int))
    writer.add_context_length(config.require("max_position_embeddings", int))
    writer.add_embedding_length(config.require("hidden_size", int))
    writer.add_feed_forward_length(config.require("intermediate_size", int))
    writer.add_head_count(config.require("num_attention_heads", int))
    writer.add_head_count_kv(config.require("num_key_value_heads", int))
    writer.add_key_length(config.require("head_dim", int))
    writer.add_value_length(config.require("head_dim", int))
    writer.add_layer_norm_rms_eps(config.require("rms_norm_eps", float))
    _write_rope(writer, config)
    vocabulary = read_vocabulary(checkpoint, config.require("vocab_size", int))
    vocabulary.write(writer)
    write_special_tokens(writer, checkpoint, vocabulary)


def tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, StoredTensor]]:
    """Yield (name in GGUF, tensor), in the order of computation.

    Raises:
        BackendError: a tensor is missing or has another shape than config.json says.
    """
    require, stored = checkpoint.config.require, checkpoint.tensor
    width, vocabulary = require("hidden_size", int), require("vocab_size", int)
    yield "token_embd.weight", stored("model.embed_tokens.weight", vocabulary, width)
    shapes = _layer_shapes(checkpoint.config)
    for number in range(require("num_hidden_layers", int)):
        for name, (source, *shape) in shapes.items():
            tensor = stored(f"model.layers.{number}.{source}.weight", *shape)
            yield f"blk.{number}.{name}.weight", tensor
    yield "output_norm.weight", stored("model.norm.weight", width)
    if not checkpoint.config.find("tie_word_embeddings"):
        yield "output.weight", stored("lm_head.weight", vocabulary, width)


def is_unused(name: str) -> bool:
    """Return whether the model does without a tensor of this name."""
    return name == "lm_head.weight"  # a copy of the embedding if the two are tied


def _write_rope(writer: GGUFWriter, config: JsonFile) -> None:
    """Write the base of the position angles and, for long contexts, how YaRN stretches them."""
    content = {"rope_theta": config.find("rope_theta")}
    for place in ("rope_scaling", "rope_parameters"):  # the name in older and in newer files
        if config.find(place) is not None:
            content |= config.require(place, dict)
    rope = JsonFile(config.path, content)
    writer.add_rope_freq_base(rope.require("rope_theta", float))
    kind = rope.find("rope_type") or rope.find("type") or "default"
    if kind not in ("default", "yarn"):
        raise BackendError(f"{config.path} has the rope type {kind!r}; only yarn can be converted")
    for place, allowed in _NEUTRAL_ROPE.items():
        if rope.find(place) not in allowed:
            raise BackendError(f"{config.path} has {rope.find(place)!r} as {place}: unsupported")
    if kind == "yarn":
        trained = rope.require("original_max_position_embeddings", int)
        writer.add_rope_scaling_type(RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope.require("factor", float))
        writer.add_rope_scaling_orig_ctx_len(trained)


def _layer_shapes(config: JsonFile) -> dict[str, tuple[Any, ...]]:
    """Return the name in the checkpoint and the shape of each tensor, by its name in GGUF."""
    width, inner = config.require("hidden_size", int), config.require("intermediate_size", int)
    head = config.require("head_dim", int)
    heads = config.require("num_attention_heads", int) * head
    shared = config.require("num_key_value_heads", int) * head
    return {
        "attn_norm": ("input_layernorm", width),
        "attn_q": ("self_attn.q_proj", heads, width),
        "attn_q_norm": ("self_attn.q_norm", head),
        "attn_k": ("self_attn.k_proj", shared, width),
        "attn_k_norm": ("self_attn.k_norm", head),
        "attn_v": ("self_attn.v_proj", shared, width),
        "attn_output": ("self_attn.o_proj", width, heads),
        "ffn_norm": ("post_attention_layernorm", width),
        "ffn_gate": ("mlp.gate_proj", inner, width),
        "ffn_up": ("mlp.up_proj", inner, width),
        "ffn_down": ("mlp.down_proj", width, inner),
    }
