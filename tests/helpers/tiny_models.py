"""Tiny language models with random weights, written as GGUF in a moment.

They say nothing sensible, but say it through the same code as the real ones: Qwen3's layers,
a byte-level vocabulary, its special tokens and a chat template.
"""

import re
from itertools import pairwise

import gguf
import numpy as np

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
USER_DEFINED = ("<think>", "</think>", "<tool_call>")
WORDS = ("yes", "no", " yes", " no", " the", " capital", " of", " is", "Document", ">:", " Python")

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
THINKING_TEMPLATE = TEMPLATE.replace("assistant\n", "assistant\n<think>\n")


def write_tiny_qwen3(
    path,
    *,
    seed=0,
    says=None,
    after="\n",
    words=WORDS,
    user_defined=USER_DEFINED,
    template=THINKING_TEMPLATE,
    context=4096,
    layers=2,
):
    """Write a random Qwen3 of 64 dimensions and return its path.

    With `says` it is not random after the letter `after`, where its thought begins: it says just
    that, special tokens where their names stand and else byte by byte, no token twice.
    """
    plain, merges = _vocabulary(words)
    tokens = [*plain, *CONTROL, *user_defined]
    kinds = [gguf.TokenType.NORMAL] * len(plain)
    kinds += [gguf.TokenType.CONTROL] * len(CONTROL)
    kinds += [gguf.TokenType.USER_DEFINED] * len(user_defined)
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("tiny")
    writer.add_block_count(layers)
    writer.add_context_length(context)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(128)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_key_length(16)
    writer.add_value_length(16)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, tokens, kinds, merges)
    if template is not None:
        writer.add_chat_template(template)
    weights = dict(_weights(len(tokens), layers, seed))
    if says is not None:
        _teach(weights, _spelled(after + says, tokens))
    for name, values in weights.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer, tokens, kinds, merges):
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)


def _spelled(text, tokens):
    special = [re.escape(token) for token in tokens if token in CONTROL + USER_DEFINED]
    for part in re.split(f"({'|'.join(special)})", text):
        if part in CONTROL + USER_DEFINED and part in tokens:
            yield tokens.index(part)
        else:
            yield from (tokens.index(_letters()[byte]) for byte in part.encode())


def _teach(weights, chain):
    """Make each token of the chain be followed by the next one: layers pass on what they get."""
    chain = list(chain)
    assert len(set(chain)) == len(chain), "a token comes twice"
    for name in weights:
        if "attn_output" in name or "ffn_down" in name:
            weights[name][:] = 0
    for token, following in pairwise(chain):
        weights["output.weight"][following] = 4 * weights["token_embd.weight"][token]


def _weights(vocabulary, layers, seed):
    """Yield (name, float32 array), matrices scaled to keep a layer's output near its input."""
    rng = np.random.default_rng(seed)

    def matrix(rows, columns):
        return (rng.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    yield "token_embd.weight", matrix(vocabulary, 64)
    yield "output_norm.weight", np.ones(64, np.float32)
    yield "output.weight", 2 * matrix(vocabulary, 64)
    for layer in range(layers):
        for name, rows, columns in (
            ("attn_q", 64, 64),
            ("attn_k", 32, 64),
            ("attn_v", 32, 64),
            ("attn_output", 64, 64),
            ("ffn_gate", 128, 64),
            ("ffn_up", 128, 64),
            ("ffn_down", 64, 128),
        ):
            yield f"blk.{layer}.{name}.weight", matrix(rows, columns)
        for name, size in (("attn_norm", 64), ("ffn_norm", 64), ("attn_q_norm", 16)):
            yield f"blk.{layer}.{name}.weight", np.ones(size, np.float32)
        yield f"blk.{layer}.attn_k_norm.weight", np.ones(16, np.float32)


def _vocabulary(words):
    """Return a token for every byte and, by merges, one for every word."""
    letters = _letters()
    tokens = [letters[byte] for byte in range(256)]
    merges: list[tuple[str, str]] = []
    for word in words:
        parts = [letters[byte] for byte in word.encode()]
        for merge in merges:
            parts = _merged(parts, *merge)
        while len(parts) > 1:
            merges.append((parts[0], parts[1]))
            parts = _merged(parts, *merges[-1])
            tokens.append("".join(merges[-1]))
    return list(dict.fromkeys(tokens)), [" ".join(merge) for merge in merges]


def _merged(parts, left, right):
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == (left, right):
            merged[-1] = left + right
        else:
            merged.append(part)
    return merged


def _letters():
    """Return GPT-2's printable letter for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {
        byte: chr(256 + number) for number, byte in enumerate(others)
    }
