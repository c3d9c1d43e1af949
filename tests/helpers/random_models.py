"""Small models of real architectures with random weights, as a hub publishes them.

`write_qwen3` needs neither torch nor transformers: numbers by numpy, a vocabulary by hand.
`save_qwen3` lets transformers save one of its own, with a byte-level tokenizer that was trained,
so that a conversion can be compared with what transformers computes and reads.
"""

import json

import numpy as np

from helpers.tiny_models import TEMPLATE, _vocabulary

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LOOKS_CONTROL = ("<|fim_prefix|>",)  # not flagged as special, and yet found in a text
USER_DEFINED = ("<tool_call>", "</tool_call>", "<think>", "</think>")
CUT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = (
    'yes no Document Query Instruct Judge whether the answer can only be "yes" or "no". ' * 8,
    "The capital of China is Beijing. Python is a popular programming language. " * 4,
    "don't I'll we've they're it's he'd I'M " * 4,
    "def area(radius):\n\treturn 3.14159 * radius ** 2\n\n\nfor i in range(10):\n    pass\n" * 4,
    "東京は日本の首都です。北京是中国的首都。서울은 한국의 수도입니다. " * 4,
    "naïve café résumé Zürich Ελλάδα Москва שלום مرحبا हिन्दी " * 4,
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 😀😀 " * 4,
)

# Rows of 256 numbers, so that K-quants find whole blocks and really are what they are called.
SMALL = {
    "vocab_size": 1024,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
}
CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "attention_bias": False,
    "hidden_act": "silu",
    "bos_token_id": 0,
    "use_sliding_window": False,
}


def write_qwen3(folder, *, kind="BF16", tied=True, shards=1, seed=0, **config):
    """Write a random Qwen3 and return its folder. Further arguments replace config.json's."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {**CONFIG, **SMALL, "tie_word_embeddings": tied, **config}
    write_json(folder / "config.json", config)
    write_tokenizer(folder, *_vocabulary(("yes", "no", " yes", " no", " the", " capital")))
    tensors = {name: stored(each, kind) for name, each in qwen3_weights(config, seed)}
    write_shards(folder, tensors, kind, shards)
    return folder


def save_qwen3(folder, *, tied=True, shards=1, seed=0, **config):
    """Let transformers save a random Qwen3 as BF16; return it as (model, tokenizer), in float32.

    Its weights are random beyond what training starts with, so that no layer hides behind the
    stream that passes it by.
    """
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    tokenizer = trained_tokenizer()
    marks = {
        "bos_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    }
    config = Qwen3Config(**{**SMALL, "tie_word_embeddings": tied, **marks, **config})
    model = Qwen3ForCausalLM(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() == 1:
                weights.uniform_(0.5, 1.5)
            elif "embed_tokens" in name:
                weights.normal_(std=0.125)
            else:
                ends_a_layer = "o_proj" in name or "down_proj" in name
                weights.normal_(std=(0.3 if ends_a_layer else 1) * weights.shape[1] ** -0.5)
    model.bfloat16()  # which rounds more than weights, so that it is loaded anew below
    size = sum(weights.nbytes for weights in model.parameters())
    model.save_pretrained(folder, max_shard_size=-(-size // shards))
    tokenizer.save_pretrained(folder)
    return Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), tokenizer


def trained_tokenizer():
    """Return Qwen's kind of tokenizer, trained on a few lines."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, trainers
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from transformers import Qwen2TokenizerFast

    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = Sequence(
        [Split(Regex(CUT), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    made.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    made.add_tokens([AddedToken(token, normalized=False) for token in LOOKS_CONTROL + USER_DEFINED])
    return Qwen2TokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token=None,
        chat_template=TEMPLATE,
    )


def qwen3_weights(config, seed=0):
    """Yield (name, float32 array) of a Qwen3, matrices scaled to keep a layer's output small."""
    rng = np.random.default_rng(seed)
    for name, shape in qwen3_shapes(config):
        numbers = rng.standard_normal(shape, np.float32)
        yield name, numbers / np.sqrt(shape[-1]) if len(shape) > 1 else 1 + numbers / 8


def qwen3_shapes(config):
    """Yield (name, shape) of every tensor."""
    width, inner, head = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, shared = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    for layer in range(config["num_hidden_layers"]):
        for name, *shape in (
            ("input_layernorm", width),
            ("self_attn.q_proj", heads, width),
            ("self_attn.k_proj", shared, width),
            ("self_attn.v_proj", shared, width),
            ("self_attn.o_proj", width, heads),
            ("self_attn.q_norm", head),
            ("self_attn.k_norm", head),
            ("post_attention_layernorm", width),
            ("mlp.gate_proj", inner, width),
            ("mlp.up_proj", inner, width),
            ("mlp.down_proj", width, inner),
        ):
            yield f"model.layers.{layer}.{name}.weight", tuple(shape)
    yield "model.norm.weight", (width,)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (config["vocab_size"], width)


def stored(numbers, kind):
    """Return float32 numbers as safetensors keep them; those of BF16 are whole numbers here."""
    if kind == "BF16":
        return (numbers.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return numbers.astype({"F16": np.float16, "F32": np.float32}[kind])


def write_tokenizer(folder, tokens, merges):
    """Write Qwen's tokenizer files for a byte-level vocabulary."""
    added = [
        {"id": len(tokens) + place, "content": token, "special": token in CONTROL}
        | dict.fromkeys(("lstrip", "rstrip", "single_word", "normalized"), False)
        for place, token in enumerate(CONTROL + LOOKS_CONTROL + USER_DEFINED)
    ]
    split = {"type": "Split", "pattern": {"Regex": CUT}, "behavior": "Isolated", "invert": False}
    bytes_ = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = {
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, bytes_]},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    }
    write_json(folder / "tokenizer.json", tokenizer)
    settings = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": TEMPLATE}
    write_json(folder / "tokenizer_config.json", settings)


def write_shards(folder, tensors, kind, shards):
    """Write tensors as one file, or as several with an index."""
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors, kind)
        return
    place_of: dict[str, str] = {}
    for number in range(shards):
        name = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        names = list(tensors)[number::shards]
        write_safetensors(folder / name, {each: tensors[each] for each in names}, kind)
        place_of |= dict.fromkeys(names, name)
    index = {"metadata": {}, "weight_map": place_of}
    write_json(folder / "model.safetensors.index.json", index)


def write_safetensors(path, tensors, kind):
    """Write a safetensors file, tensor after tensor."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, numbers in tensors.items():
        start, end = end, end + numbers.nbytes
        header[name] = {"dtype": kind, "shape": numbers.shape, "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for numbers in tensors.values():
            file.write(np.ascontiguousarray(numbers).data)


def write_json(path, content):
    """Write a JSON file."""
    path.write_text(json.dumps(content), "utf-8")
