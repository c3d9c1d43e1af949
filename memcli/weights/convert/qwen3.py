"""Qwen3ForCausalLM in GGUF: what rerankers, sifters and readers of that family are.

Source: llama.cpp's `qwen3` architecture; names of tensors as the `gguf` package has them.
"""

from collections.abc import Iterator
from typing import Any

from gguf import GGUFWriter, RopeScalingType

from memcli.errors import BackendError
from memcli.weights.convert.checkpoint import Checkpoint, StoredTensor
from memcli.weights.convert.decoder_tokenizer import byte_level_vocabulary, write_marks
from memcli.weights.convert.json_file import JsonFile

_ONLY = {  # place in config.json: values that llama.cpp's code is written for
    "hidden_act": ("silu",),
    "attention_bias": (None, False),
    "use_sliding_window": (None, False),
}
_ROPE = {  # what else a rope may say, and which values change nothing
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
    for place, allowed in _ONLY.items():
        if config.look(place) not in allowed:
            raise BackendError(f"{config.path} has {config.look(place)!r} as {place}: unsupported")
    writer.add_block_count(config.take("num_hidden_layers", int))
    writer.add_context_length(config.take("max_position_embeddings", int))
    writer.add_embedding_length(config.take("hidden_size", int))
    writer.add_feed_forward_length(config.take("intermediate_size", int))
    writer.add_head_count(config.take("num_attention_heads", int))
    writer.add_head_count_kv(config.take("num_key_value_heads", int))
    writer.add_key_length(config.take("head_dim", int))
    writer.add_value_length(config.take("head_dim", int))
    writer.add_layer_norm_rms_eps(config.take("rms_norm_eps", float))
    _write_rope(writer, config)
    vocabulary = byte_level_vocabulary(checkpoint, config.take("vocab_size", int))
    vocabulary.write(writer)
    write_marks(writer, checkpoint, vocabulary)


def tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, StoredTensor]]:
    """Yield (name in GGUF, tensor), in the order of computation.

    Raises:
        BackendError: one is missing or has another shape than config.json says.
    """
    take, stored = checkpoint.config.take, checkpoint.tensor
    width, vocabulary = take("hidden_size", int), take("vocab_size", int)
    yield "token_embd.weight", stored("model.embed_tokens.weight", vocabulary, width)
    shapes = _layer(checkpoint.config)
    for number in range(take("num_hidden_layers", int)):
        for name, (source, *shape) in shapes.items():
            tensor = stored(f"model.layers.{number}.{source}.weight", *shape)
            yield f"blk.{number}.{name}.weight", tensor
    yield "output_norm.weight", stored("model.norm.weight", width)
    if not checkpoint.config.look("tie_word_embeddings"):
        yield "output.weight", stored("lm_head.weight", vocabulary, width)


def unused(name: str) -> bool:
    """Return whether a tensor of this name is done without."""
    return name == "lm_head.weight"  # a copy of the embedding, where they are tied


def _write_rope(writer: GGUFWriter, config: JsonFile) -> None:
    """Write the base of positions' angles and, for long contexts, YaRN's stretching of them."""
    said = {"rope_theta": config.look("rope_theta")}
    for place in ("rope_scaling", "rope_parameters"):  # what older and younger files call it
        if config.look(place) is not None:
            said |= config.take(place, dict)
    rope = JsonFile(config.path, said)
    writer.add_rope_freq_base(rope.take("rope_theta", float))
    kind = rope.look("rope_type") or rope.look("type") or "default"
    if kind not in ("default", "yarn"):
        raise BackendError(f"{config.path} has the rope type {kind!r}; only yarn is converted")
    for place, allowed in _ROPE.items():
        if rope.look(place) not in allowed:
            raise BackendError(f"{config.path} has {rope.look(place)!r} as {place}: unsupported")
    if kind == "yarn":
        trained = rope.take("original_max_position_embeddings", int)
        writer.add_rope_scaling_type(RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope.take("factor", float))
        writer.add_rope_scaling_orig_ctx_len(trained)


def _layer(config: JsonFile) -> dict[str, tuple[Any, ...]]:
    """Return, by a tensor's name in GGUF, its name in the checkpoint and its shape."""
    width, inner = config.take("hidden_size", int), config.take("intermediate_size", int)
    head = config.take("head_dim", int)
    heads = config.take("num_attention_heads", int) * head
    shared = config.take("num_key_value_heads", int) * head
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
