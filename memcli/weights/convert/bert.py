"""BertModel in GGUF: what small embedders are. XLMRobertaModel has the same layers.

Source: llama.cpp's `bert` architecture; names of tensors as the `gguf` package has them.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gguf import GGUFWriter, PoolingType

from memcli.errors import BackendError
from memcli.weights.convert.checkpoint import Checkpoint, StoredTensor
from memcli.weights.convert.encoder_tokenizer import write_word_pieces
from memcli.weights.convert.json_file import JsonFile, read_text

_ONLY = {  # place in config.json: values that llama.cpp's code is written for
    "hidden_act": ("gelu",),
    "is_decoder": (None, False),
    "position_embedding_type": (None, "absolute"),
}
_POOLINGS = {
    "cls": PoolingType.CLS,
    "mean": PoolingType.MEAN,
    "mean_tokens": PoolingType.MEAN,
    "cls_token": PoolingType.CLS,
}
_MODULES = ("Transformer", "Pooling", "Normalize")


def write_header(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    """Write hyperparameters and vocabulary.

    Raises:
        BackendError: config.json or a tokenizer file has something llama.cpp cannot express.
    """
    take = checkpoint.config.take
    write_encoder(writer, checkpoint, places=take("max_position_embeddings", int))
    write_word_pieces(writer, checkpoint, take("vocab_size", int))


def tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, StoredTensor]]:
    """Yield (name in GGUF, tensor), in the order of computation.

    Raises:
        BackendError: one is missing or has another shape than config.json says.
    """
    return encoder_tensors(checkpoint, skipped_places=0)


def unused(name: str) -> bool:
    """Return whether a tensor of this name is done without.

    The pooler was trained to tell whether one sentence follows another; no embedder has use of it.
    """
    return name == "embeddings.position_ids" or name.startswith("pooler.")


def write_encoder(writer: GGUFWriter, checkpoint: Checkpoint, *, places: int) -> None:
    """Write the hyperparameters of BERT's layers.

    Args:
        writer: of the file to be.
        checkpoint: the folder.
        places: tokens that a text may have.

    Raises:
        BackendError: config.json has something llama.cpp cannot express.
    """
    config = checkpoint.config
    for place, allowed in _ONLY.items():
        if config.look(place) not in allowed:
            raise BackendError(f"{config.path} has {config.look(place)!r} as {place}: unsupported")
    width, heads = config.take("hidden_size", int), config.take("num_attention_heads", int)
    if not 0 < heads <= width or width % heads:
        raise BackendError(f"{config.path} has {heads} attention heads for {width} dimensions")
    writer.add_block_count(config.take("num_hidden_layers", int))
    writer.add_context_length(places)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(config.take("intermediate_size", int))
    writer.add_head_count(heads)
    writer.add_layer_norm_eps(config.take("layer_norm_eps", float))
    writer.add_causal_attention(False)
    writer.add_token_type_count(1)  # the first, which is all that llama.cpp adds
    pooling = _pooling(checkpoint)
    if pooling is not None:
        writer.add_pooling_type(pooling)


def encoder_tensors(
    checkpoint: Checkpoint, *, skipped_places: int
) -> Iterator[tuple[str, StoredTensor]]:
    """Yield (name in GGUF, tensor) of BERT's layers.

    Args:
        checkpoint: the folder.
        skipped_places: first rows of the position embedding that no token of a text gets.

    Raises:
        BackendError: one is missing or has another shape than config.json says.
    """
    take, stored = checkpoint.config.take, checkpoint.tensor
    width, kinds = take("hidden_size", int), take("type_vocab_size", int)
    words, places = take("vocab_size", int), take("max_position_embeddings", int)
    yield "token_embd.weight", stored("embeddings.word_embeddings.weight", words, width)
    types = stored("embeddings.token_type_embeddings.weight", kinds, width)
    # A vector and not a matrix of one row: it stays F32, and llama.cpp could not add another kind.
    yield "token_types.weight", replace(types, shape=(width,))
    positions = stored("embeddings.position_embeddings.weight", places, width)
    yield "position_embd.weight", positions.without_rows(skipped_places)
    for name in ("weight", "bias"):
        yield f"token_embd_norm.{name}", stored(f"embeddings.LayerNorm.{name}", width)
    shapes = _layer(checkpoint.config)
    for number in range(take("num_hidden_layers", int)):
        for name, (source, *shape) in shapes.items():
            place, into = f"encoder.layer.{number}.{source}", f"blk.{number}.{name}"
            yield f"{into}.weight", stored(f"{place}.weight", *shape)
            yield f"{into}.bias", stored(f"{place}.bias", shape[0])


def _layer(config: JsonFile) -> dict[str, tuple[str, *tuple[int, ...]]]:
    """Return, by a part's name in GGUF, its name in the checkpoint and its weight's shape."""
    width, inner = config.take("hidden_size", int), config.take("intermediate_size", int)
    return {
        "attn_q": ("attention.self.query", width, width),
        "attn_k": ("attention.self.key", width, width),
        "attn_v": ("attention.self.value", width, width),
        "attn_output": ("attention.output.dense", width, width),
        "attn_output_norm": ("attention.output.LayerNorm", width),
        "ffn_up": ("intermediate.dense", inner, width),
        "ffn_down": ("output.dense", width, inner),
        "layer_output_norm": ("output.LayerNorm", width),
    }


def _pooling(checkpoint: Checkpoint) -> PoolingType | None:
    """Return how sentence-transformers pools the model, None where nothing is said about it.

    Raises:
        BackendError: it does something with the vectors that no backend does.
    """
    _check_modules(checkpoint.folder / "modules.json")
    settings = checkpoint.json("1_Pooling/config.json")
    if not settings.content:
        return None
    wanted = [
        place.removeprefix("pooling_mode_")
        for place, value in settings.content.items()
        if place.startswith("pooling_mode_") and value is True
    ] or [settings.look("pooling_mode")]
    if len(wanted) != 1 or wanted[0] not in _POOLINGS:
        raise BackendError(f"{settings.path} wants pooling by {wanted!r}: unsupported")
    return _POOLINGS[wanted[0]]


def _check_modules(path: Path) -> None:
    """Refuse what does more than pool and normalise."""
    if not path.is_file():
        return
    try:
        modules = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise BackendError(f"{path} is no JSON: {error}") from error
    for module in modules if isinstance(modules, list) else [modules]:
        match module:
            case {"type": str(kind)} if kind.rpartition(".")[2] in _MODULES:
                pass
            case _:
                raise BackendError(f"{path} has a module {module!r}: unsupported")
