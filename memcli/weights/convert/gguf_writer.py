"""Conversion of a hub's checkpoint to one GGUF file that llama.cpp runs.

The module `qwen3` knows its architecture: hyperparameters, vocabulary and tensors. It raises
BackendError for everything that it cannot express: a file that is not exactly the model is not
written. File type, tensor types and the numbers themselves are written here. Tensors of one
dimension stay F32, as llama.cpp requires.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from numpy.typing import NDArray

from memcli.callbacks import ignore
from memcli.errors import BackendError
from memcli.files import locked_atomic_write
from memcli.lazy_dataclasses import dataclass
from memcli.weights.convert import qwen3
from memcli.weights.convert.checkpoint import Checkpoint, StoredTensor
from memcli.weights.convert.dtypes import NUMPY, Dtype, all_finite, convert_dtype

BytesProgress: TypeAlias = Callable[[int, int], None]  # bytes written, bytes in all

_ARCHITECTURE = "Qwen3ForCausalLM"  # the name in config.json
_FILE_TYPE = {
    "F32": LlamaFileType.ALL_F32,
    "F16": LlamaFileType.MOSTLY_F16,
    "BF16": LlamaFileType.MOSTLY_BF16,
}


@dataclass(frozen=True, slots=True)
class _TensorPlan:
    """One tensor of the file to be written."""

    name: str
    stored: StoredTensor
    dtype: Dtype

    @property
    def size(self) -> int:
        """The bytes of the tensor."""
        return self.stored.size * np.dtype(NUMPY[self.dtype]).itemsize


def convert_checkpoint(
    folder: Path, target: Path, *, dtype: Dtype, progress: BytesProgress = ignore
) -> None:
    """Write a checkpoint as GGUF.

    The target is there whole or not at all. Memory stays at a few pieces of a tensor.

    Args:
        folder: config.json, safetensors and tokenizer files as a hub has them.
        target: the file to write.
        dtype: the type of the matrices. BF16 keeps BF16 weights bit by bit, F16 is faster on old
            CPUs.
        progress: called after every piece with the bytes of weights written and in all.

    Raises:
        BackendError: the checkpoint is damaged, has an unknown architecture or something that
            llama.cpp cannot express; or the target cannot be written.
        BusyError: another process is writing the same target.
    """
    checkpoint = Checkpoint(folder)
    _check_architecture(checkpoint)
    plans = _plan_tensors(checkpoint, dtype)
    with locked_atomic_write(target) as part:
        writer = GGUFWriter(part, "qwen3")  # the name that llama.cpp has for it
        _write_header(writer, checkpoint, dtype, plans)
        alignment = writer.data_alignment
        _write_weights(part, plans, alignment, progress)


def _check_architecture(checkpoint: Checkpoint) -> None:
    match checkpoint.config.find("architectures"):
        case [str(name), *_] if name == _ARCHITECTURE:
            pass
        case other:
            raise BackendError(
                f"{checkpoint.config.path} names the architecture {other!r};"
                f" only {_ARCHITECTURE} can be converted",
                hint="name a published GGUF file under [gguf] in the model's manifest",
            )
    if checkpoint.config.find("quantization_config") is not None:
        raise BackendError(f"the weights in {checkpoint.folder} are already quantized")


def _plan_tensors(checkpoint: Checkpoint, dtype: Dtype) -> list[_TensorPlan]:
    """Return the file's tensors, once every tensor of the checkpoint has found its place."""
    plans = [
        _TensorPlan(into, stored, dtype if len(stored.shape) > 1 else "F32")
        for into, stored in qwen3.tensors(checkpoint)
    ]
    used = {plan.stored.name for plan in plans}
    for source, stored in checkpoint.tensors.items():
        if source not in used and not qwen3.is_unused(source):
            raise BackendError(f"{stored.file} has a tensor {source}, for which qwen3 has no place")
    return plans


def _write_header(
    writer: GGUFWriter,
    checkpoint: Checkpoint,
    dtype: Dtype,
    plans: list[_TensorPlan],
) -> None:
    """Write everything but the weights, and close the file."""
    try:
        writer.add_type("model")
        writer.add_file_type(_FILE_TYPE[dtype])
        qwen3.write_header(writer, checkpoint)
        for plan in plans:
            writer.add_tensor_info(
                plan.name,
                plan.stored.shape,
                np.dtype(NUMPY[plan.dtype]),
                plan.size,
                raw_dtype=GGMLQuantizationType[plan.dtype],
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    except (struct.error, OverflowError, UnicodeEncodeError) as error:
        raise BackendError(
            f"{checkpoint.folder} has a number or a text that no GGUF file can hold: {error}"
        ) from error
    finally:
        writer.close()


def _write_weights(
    path: Path, plans: list[_TensorPlan], alignment: int, progress: BytesProgress
) -> None:
    # Not with the writer: it takes a tensor as a whole, and the largest has 1.5 GB.
    done, total = 0, sum(plan.size for plan in plans)
    with path.open("ab") as file:
        for plan in plans:
            file.write(bytes(-file.tell() % alignment))
            for piece in _converted_pieces(plan):
                file.write(piece.data)
                done += piece.nbytes
                progress(done, total)
        file.write(bytes(-file.tell() % alignment))


def _converted_pieces(plan: _TensorPlan) -> Iterator[NDArray[Any]]:
    for piece in plan.stored.pieces():
        numbers = convert_dtype(piece, plan.dtype)
        if not all_finite(numbers, plan.dtype):
            raise BackendError(
                f"{plan.stored.file} has values in {plan.stored.name} that are not numbers,"
                f" or too large for {plan.dtype}"
            )
        yield numbers
