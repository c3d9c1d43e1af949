"""Tiny encoders with random weights; see tiny_models.py and random_models.py.

What they say is nonsense, but it depends on every token and on their order.

    write_tiny_bert                    a GGUF file, by hand
    write_bert, write_xlm_roberta      what a hub has of such models, by hand
    save_bert, save_xlm_roberta        the same, made by transformers, tokenizers trained
"""

import json
from base64 import b64encode

import gguf
import numpy as np

from helpers.random_models import write_json, write_safetensors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PIECES = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *".,:;!?'\"()[]<>/|-_#",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"),
    *("the", "capital", "of", "china", "##ing", "cafe", "walk", "query", "passage"),
    *"北京中国日",
    *("\u1100", "##\u1161", "\u0431", "##\u0431", "σ", "##σ"),  # parts of 가; Cyrillic; Greek
)
UNIGRAMS = (
    *((mark, 0.0) for mark in ("<s>", "<pad>", "</s>", "<unk>")),
    ("▁", -2.0),
    *((letter, -6.0) for letter in "abcdefghijklmnopqrstuvwxyz0123456789.,:;!?<>/[]é北京中国"),
    *(("▁" + word, -4.0) for word in ("the", "capital", "of", "walk", "query", "passage", "a")),
    *((piece, -5.0) for piece in ("ing", "▁wal", "king", "tal", "北京")),
    ("<mask>", 0.0),
)
REPLACED = {
    "\xa0": " ",
    "\u2028": " ",
    "\n": " ",
    "\t": " ",
    "\u3000": " ",
    "\u200b": "",
    "ﬁ": "fi",
    "Ａ": "a",
    "e\u0301": "é",
}

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
_CONFIG = {
    "hidden_act": "gelu",
    "hidden_size": DIMENSIONS,
    "intermediate_size": INNER,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
    "layer_norm_eps": 1e-6,
    "position_embedding_type": "absolute",
}
_CORPUS = (
    "The capital of China is Beijing, and walking there takes a while; nobody's walked it. " * 9,
    "def area(radius):\n\treturn 3.14159 * radius ** 2  # [CLS] <s> </s> [SEP] <mask>\n" * 5,
    "naïve café, crème brûlée, Zürich für 12,50 €, Ελλάδα ΟΔΟΣ, Москва Ёлка, नमस्ते दुनिया " * 5,
    "東京は日本の首都です。北京是中国的首都。서울은 한국의 수도입니다. مرحبا שלום " * 5,
)


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


def write_bert(folder, *, pooling="mean", **config):
    """Write a random BertModel as a hub has it; return its folder. Vocabulary as above."""
    tokens = [*SPECIAL, *PIECES]
    tokenizer = {
        "added_tokens": _added(SPECIAL, tokens),
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": _template("[CLS]", "[SEP]"),
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: number for number, token in enumerate(tokens)},
        },
    }
    own = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": len(tokens),
        "max_position_embeddings": PLACES,
        "type_vocab_size": 2,
        "pad_token_id": 0,
    }
    return _write_hub(folder, {**_CONFIG, **own, **config}, tokenizer, pooling)


def write_xlm_roberta(folder, *, pooling="cls", **config):
    """Write a random XLMRobertaModel as a hub has it; return its folder. Vocabulary: UNIGRAMS."""
    tokens = [token for token, _ in UNIGRAMS]
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    tokenizer = {
        "added_tokens": _added(("<s>", "<pad>", "</s>", "<unk>", "<mask>"), tokens),
        "normalizer": {
            "type": "Precompiled",
            "precompiled_charsmap": b64encode(charsmap(REPLACED)).decode(),
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
        },
        "post_processor": _template("<s>", "</s>"),
        "model": {
            "type": "Unigram",
            "unk_id": 3,
            "byte_fallback": False,
            "vocab": [list(entry) for entry in UNIGRAMS],
        },
    }
    own = {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "vocab_size": len(tokens),
        "max_position_embeddings": PLACES + 2,
        "type_vocab_size": 1,
        "pad_token_id": 1,
    }
    return _write_hub(folder, {**_CONFIG, **own, **config}, tokenizer, pooling)


def save_bert(folder):
    """Let transformers save a random BertModel; return it as (model, tokenizer)."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    made = BertWordPieceTokenizer()
    made.train_from_iterator(_CORPUS, vocab_size=400, limit_alphabet=300, show_progress=False)
    tokenizer = BertTokenizerFast(tokenizer_object=made._tokenizer)
    config = {**_CONFIG, "vocab_size": len(tokenizer), "max_position_embeddings": PLACES}
    return _save(folder, BertModel, BertConfig(**config), tokenizer, "mean")


def save_xlm_roberta(folder):
    """Let transformers save a random XLMRobertaModel; return it as (model, tokenizer)."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Precompiled(charsmap(REPLACED))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=marks, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(_CORPUS, trainer)
    # As SentencePiece has them: float32. And no two ways of cutting a text may be worth the same.
    vocabulary = json.loads(made.to_str())["model"]["vocab"]
    scores = [
        float(np.float32(score - place / 1000)) for place, (_, score) in enumerate(vocabulary)
    ]
    pieces = [piece for piece, _ in vocabulary]
    made.model = models.Unigram(list(zip(pieces, scores, strict=True)), marks.index("<unk>"))
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, **dict(zip(names, marks, strict=True))
    )
    config = {**_CONFIG, "vocab_size": len(tokenizer) + 3, "max_position_embeddings": PLACES + 2}
    config |= {"type_vocab_size": 1, "pad_token_id": 1}
    return _save(folder, XLMRobertaModel, XLMRobertaConfig(**config), tokenizer, "cls")


def charsmap(replaced):
    """Return SentencePiece's table of replacements: a trie as a double array, and the new texts.

    A place holds what letter leads to it and how far its children are; see `Darts` and the
    reader in llama.cpp, `llm_tokenizer_ugm`.
    """
    texts, trie = bytearray(), {}
    for old, new in replaced.items():
        node = trie
        for byte in old.encode():
            node = node.setdefault(byte, {})
        node[0] = len(texts)
        texts += new.encode() + b"\0"
    units, taken, bases = {0: 0}, {0}, {0}

    def place(node, unit):
        # A child is known by its letter alone: no two nodes may look for theirs from one base.
        base = next(
            base
            for base in range(1, 1 << 21)
            if base not in bases and not taken & {base ^ byte for byte in node}
        )
        bases.add(base)
        taken.update(base ^ byte for byte in node)
        units[unit] |= (unit ^ base) << 10 | (0 in node) << 8
        for byte, inner in node.items():
            units[base ^ byte] = 1 << 31 | inner if byte == 0 else byte
            if byte:
                place(inner, base ^ byte)

    place(trie, 0)
    array = np.zeros(max(units) + 256, "<u4")
    for unit, value in units.items():
        array[unit] = value
    return array.nbytes.to_bytes(4, "little") + array.tobytes() + bytes(texts)


def _save(folder, kind, config, tokenizer, pooling):
    import torch

    torch.manual_seed(0)
    model = kind(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 1:
                weights.add_(0.1 * torch.randn_like(weights))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _write_modules(folder, pooling)
    return model, tokenizer


def _write_hub(folder, config, tokenizer, pooling):
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config)
    write_json(folder / "tokenizer.json", tokenizer)
    _write_modules(folder, pooling)
    made = weights(
        config["vocab_size"],
        places=config["max_position_embeddings"],
        types=config["type_vocab_size"],
        layers=config["num_hidden_layers"],
    )
    tensors = {hub_name(name): values for name, values in made}
    tensors["pooler.dense.weight"] = np.zeros((DIMENSIONS, DIMENSIONS), np.float32)
    write_safetensors(folder / "model.safetensors", tensors, "F32")
    return folder


def _write_modules(folder, pooling):
    """Say how vectors are pooled, as sentence-transformers does."""
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [{"type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    modes = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
    settings = {place: mode == pooling for place, mode in modes.items()}
    write_json(folder / "1_Pooling" / "config.json", settings)


def hub_name(name):
    """Return what a hub calls a tensor of GGUF."""
    *layer, part, kind = name.removeprefix("blk.").split(".")
    return ".".join([*(("encoder", "layer", *layer) if layer else ()), _HUB_NAMES[part], kind])


def _added(special, tokens):
    flags = dict.fromkeys(("lstrip", "rstrip", "single_word", "normalized"), False)
    return [
        {"id": tokens.index(token), "content": token, "special": True} | flags for token in special
    ]


def _template(begin, end):
    first, last = ({"SpecialToken": {"id": token, "type_id": 0}} for token in (begin, end))
    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [first, text, last]}


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
