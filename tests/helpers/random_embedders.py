"""A tiny encoder with random weights; see tiny_models.py and random_models.py.

Its vectors mean nothing, but they depend on every token and on the order of tokens.
"""

import gguf
import numpy as np

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PIECES = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *".,:;!?'\"()[]<>/|-_#",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"),
    *("the", "capital", "of", "china", "##ing", "cafe", "walk", "query", "passage"),
    *"北京中国日",
    *("\u1100", "##\u1161", "\u0431", "##\u0431", "σ", "##σ"),  # parts of 가; Cyrillic; Greek
)

PLACES, DIMENSIONS, INNER = 256, 32, 64
_HUB_NAMES = {
    "token_embd": "embeddings.word_embeddings",
    "token_types": "embeddings.token_type_embeddings",
    "position_embd": "embeddings.position_embeddings",
    "token_embd_norm": "embeddings.LayerNorm",
    "attn_q": "attention.self.query",
    "attn_k": "attention.self.key",
    "attn_v": "attention.self.value",
    "attn_output": "attention.output.dense",
    "attn_output_norm": "attention.output.LayerNorm",
    "ffn_up": "intermediate.dense",
    "ffn_down": "output.dense",
    "layer_output_norm": "output.LayerNorm",
}


def write_tiny_bert(path, *, seed=0, layers=2, places=PLACES, user_defined=()):
    """Write a random BertModel and return its path. Its vocabulary is SPECIAL + PIECES."""
    tokens = [*SPECIAL, *map(_phantom, PIECES), *user_defined]
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_block_count(layers)
    writer.add_context_length(places)
    writer.add_embedding_length(DIMENSIONS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(4)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL] * len(SPECIAL) + [gguf.TokenType.NORMAL] * len(PIECES)
    writer.add_token_types(kinds + [gguf.TokenType.USER_DEFINED] * len(user_defined))
    writer.add_token_type_count(2)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    for name, values in weights(len(tokens), layers=layers, places=places, seed=seed):
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def ids(*pieces):
    """Return the numbers of pieces, written as in SPECIAL and PIECES."""
    return [(*SPECIAL, *PIECES).index(piece) for piece in pieces]


def _phantom(piece):
    """llama.cpp marks where a word begins, BERT where it goes on."""
    return piece.removeprefix("##") if piece.startswith("##") and piece != "##" else f"▁{piece}"


def hub_name(name):
    """Return what a hub calls a tensor of GGUF."""
    *layer, part, kind = name.removeprefix("blk.").split(".")
    return ".".join([*(("encoder", "layer", *layer) if layer else ()), _HUB_NAMES[part], kind])


def weights(vocabulary, *, layers=2, places=PLACES, types=2, seed=0):
    """Yield (name in GGUF, float32 array)."""
    rng = np.random.default_rng(seed)

    def matrix(rows, columns):
        return (rng.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    def norm(name):
        yield f"{name}.weight", 1 + matrix(1, DIMENSIONS)[0]
        yield f"{name}.bias", matrix(1, DIMENSIONS)[0]

    yield "token_embd.weight", matrix(vocabulary, DIMENSIONS)
    yield "token_types.weight", matrix(types, DIMENSIONS)
    yield "position_embd.weight", matrix(places, DIMENSIONS)
    yield from norm("token_embd_norm")
    for layer in range(layers):
        for name, rows, columns in (
            ("attn_q", DIMENSIONS, DIMENSIONS),
            ("attn_k", DIMENSIONS, DIMENSIONS),
            ("attn_v", DIMENSIONS, DIMENSIONS),
            ("attn_output", DIMENSIONS, DIMENSIONS),
            ("ffn_up", INNER, DIMENSIONS),
            ("ffn_down", DIMENSIONS, INNER),
        ):
            yield f"blk.{layer}.{name}.weight", matrix(rows, columns)
            yield f"blk.{layer}.{name}.bias", matrix(1, rows)[0]
        yield from norm(f"blk.{layer}.attn_output_norm")
        yield from norm(f"blk.{layer}.layer_output_norm")
