"""XLMRobertaModel in GGUF: what embedders for many languages are, bge-m3 first of all.

Source: llama.cpp's `bert` architecture.
"""

from collections.abc import Iterator

from gguf import GGUFWriter

from memcli.errors import BackendError
from memcli.weights.convert.bert import encoder_tensors, unused, write_encoder
from memcli.weights.convert.checkpoint import Checkpoint, StoredTensor
from memcli.weights.convert.encoder_tokenizer import write_unigrams

__all__ = ["tensors", "unused", "write_header"]


def write_header(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    """Write hyperparameters and vocabulary.

    Raises:
        BackendError: config.json or a tokenizer file has something llama.cpp cannot express.
    """
    take = checkpoint.config.take
    places = take("max_position_embeddings", int) - _skipped_places(checkpoint)
    write_encoder(writer, checkpoint, places=places)
    write_unigrams(writer, checkpoint, take("vocab_size", int))


def tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, StoredTensor]]:
    """Yield (name in GGUF, tensor), in the order of computation.

    Raises:
        BackendError: one is missing or has another shape than config.json says.
    """
    return encoder_tensors(checkpoint, skipped_places=_skipped_places(checkpoint))


def _skipped_places(checkpoint: Checkpoint) -> int:
    """Return where RoBERTa counts from: after the place of padding."""
    config = checkpoint.config
    skipped = config.take("pad_token_id", int) + 1
    if not 0 < skipped < config.take("max_position_embeddings", int):
        raise BackendError(f"{config.path} has {skipped - 1} as pad_token_id, which is no place")
    return skipped
