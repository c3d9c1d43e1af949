"""From a hub's checkpoint to one GGUF file that llama.cpp runs.

An architecture is a module that says two things of a checkpoint, as functions of it:

    write_header(writer, checkpoint)   hyperparameters and vocabulary, through `gguf.GGUFWriter`
    tensors(checkpoint)                yields (name in GGUF, StoredTensor), in the order of the file

and has one line in `ARCHITECTURES`. It raises BackendError for whatever it cannot express: a
file that is not exactly the model is not written. Names, file type and the numbers themselves
are this module's part. Tensors of one dimension stay F32, as llama.cpp wants them.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from numpy.typing import NDArray

from memcli.errors import BackendError
from memcli.files import whole_file
from memcli.weights.convert import bert, qwen3, xlm_roberta
from memcli.weights.convert.checkpoint import Checkpoint, StoredTensor
from memcli.weights.convert.dtypes import NUMPY, Kind, finite, recoded

Progress: TypeAlias = Callable[[int, int], None]  # bytes written, bytes in all


@dataclass(frozen=True, slots=True)
class Architecture:
    """How models of one architecture are written down in GGUF."""

    name: str  # as llama.cpp calls it
    write_header: Callable[[GGUFWriter, Checkpoint], None]
    tensors: Callable[[Checkpoint], Iterator[tuple[str, StoredTensor]]]
    unused: Callable[[str], bool]  # names in a checkpoint that the model does without


ARCHITECTURES: Mapping[str, Architecture] = {  # by the name in config.json
    "Qwen3ForCausalLM": Architecture("qwen3", qwen3.write_header, qwen3.tensors, qwen3.unused),
    "BertModel": Architecture("bert", bert.write_header, bert.tensors, bert.unused),
    "XLMRobertaModel": Architecture(
        "bert", xlm_roberta.write_header, xlm_roberta.tensors, xlm_roberta.unused
    ),
}

_FILE_TYPE = {
    "F32": LlamaFileType.ALL_F32,
    "F16": LlamaFileType.MOSTLY_F16,
    "BF16": LlamaFileType.MOSTLY_BF16,
}


@dataclass(frozen=True, slots=True)
class _Part:
    """One tensor of the file to be."""

    name: str
    stored: StoredTensor
    kind: Kind

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.stored.numbers * np.dtype(NUMPY[self.kind]).itemsize


def convert(folder: Path, target: Path, *, kind: Kind, progress: Progress | None = None) -> None:
    """Write a checkpoint as GGUF.

    The weights pass through memory piece by piece, so that it takes some hundred MB whatever the
    size of the model. The target appears when it is whole.

    Args:
        folder: config.json, safetensors and tokenizer files as a hub has them.
        target: the file to write.
        kind: of the matrices. BF16 keeps BF16 weights bit by bit, F16 is faster on old CPUs.
        progress: is told, after every piece, how many bytes of weights are written, of how many.

    Raises:
        BackendError: the checkpoint is damaged, is of an architecture we do not know or has
            something llama.cpp cannot express; or the target cannot be written.
        BusyError: another process is writing the same target.
    """
    checkpoint = Checkpoint(folder)
    architecture = _architecture(checkpoint)
    parts = _parts(checkpoint, architecture, kind)
    with whole_file(target) as unfinished:
        alignment = _write_header(unfinished, checkpoint, architecture, kind, parts)
        _write_weights(unfinished, parts, alignment, progress or (lambda done, of: None))


def _architecture(checkpoint: Checkpoint) -> Architecture:
    match checkpoint.config.look("architectures"):
        case [str(name), *_] if name in ARCHITECTURES:
            pass
        case other:
            raise BackendError(
                f"{checkpoint.config.path} names the architecture {other!r};"
                f" only {', '.join(ARCHITECTURES)} can be converted"
            )
    if checkpoint.config.look("quantization_config") is not None:
        raise BackendError(f"the weights in {checkpoint.folder} are quantised already")
    return ARCHITECTURES[name]


def _parts(checkpoint: Checkpoint, architecture: Architecture, kind: Kind) -> list[_Part]:
    """Return the file's tensors, once every tensor of the checkpoint has found its place."""
    parts = [
        _Part(name, stored, kind if len(stored.shape) > 1 else "F32")
        for name, stored in architecture.tensors(checkpoint)
    ]
    used = {part.stored.name for part in parts}
    for name, stored in checkpoint.tensors.items():
        if name not in used and not architecture.unused(name):
            raise BackendError(
                f"{stored.file} has a tensor {name}, for which {architecture.name} has no place"
            )
    return parts


def _write_header(
    path: Path,
    checkpoint: Checkpoint,
    architecture: Architecture,
    kind: Kind,
    parts: list[_Part],
) -> int:
    """Write everything but the weights; return what their places are multiples of, in bytes."""
    writer = GGUFWriter(path, architecture.name)
    try:
        writer.add_type("model")
        writer.add_file_type(_FILE_TYPE[kind])
        architecture.write_header(writer, checkpoint)
        for part in parts:
            writer.add_tensor_info(
                part.name,
                part.stored.shape,
                np.dtype(NUMPY[part.kind]),
                part.size,
                raw_dtype=GGMLQuantizationType[part.kind],
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    except (struct.error, OverflowError, UnicodeEncodeError) as error:
        raise BackendError(
            f"{checkpoint.folder} has a number or a text that no GGUF can hold: {error}"
        ) from error
    finally:
        writer.close()
    return writer.data_alignment


def _write_weights(path: Path, parts: list[_Part], alignment: int, progress: Progress) -> None:
    # Not through the writer: it takes a tensor as a whole, and the largest has 1.5 GB.
    done, size = 0, sum(part.size for part in parts)
    with path.open("ab") as file:
        for part in parts:
            file.write(bytes(-file.tell() % alignment))
            for piece in _pieces(part):
                file.write(piece.data)
                done += piece.nbytes
                progress(done, size)
        file.write(bytes(-file.tell() % alignment))


def _pieces(part: _Part) -> Iterator[NDArray[Any]]:
    for piece in part.stored.pieces():
        numbers = recoded(piece, part.kind)
        if not finite(numbers, part.kind):
            raise BackendError(
                f"{part.stored.file} has values in {part.stored.name} that are no numbers,"
                f" or too large for {part.kind}"
            )
        yield numbers
