"""A model as a hub publishes it: config.json and weights as safetensors.

Opening a checkpoint loads no weights: it reads the headers and checks them against the length of
the files. Weights are read later, piece by piece. Reading, unlike mapping into memory, has a
known peak, and a file that gets shorter meanwhile is an error and does not end the process.

Source: https://huggingface.co/docs/safetensors
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memcli.backends.safetensors_header import DTYPE_BYTES, read_safetensors_header
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.weights.convert.dtypes import NUMPY
from memcli.weights.convert.json_file import JsonFile

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PIECE = 1024 * 1024  # numbers read in one go; more would not fit a processor's cache


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """The place of a tensor's numbers in a file. They lie row by row, little-endian."""

    name: str
    file: Path
    kind: str  # F32, F16, BF16, or a type that cannot be converted
    shape: tuple[int, ...]
    start: int  # offset in the file, in bytes

    @property
    def size(self) -> int:
        """The count of its numbers."""
        return prod(self.shape)

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the numbers, at most `PIECE` at a time.

        Yields:
            shape (numbers,), float32 or float16, or for BF16 its bits as uint16.

        Raises:
            BackendError: the type cannot be converted, or the file cannot be read.
        """
        read_as = np.dtype(self._numpy_type())
        left = self.size
        try:
            with self.file.open("rb", buffering=0) as file:
                file.seek(self.start)
                while left:
                    piece = np.empty(min(left, PIECE), read_as)
                    _read_into(piece, file, self)
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise BackendError(f"{self.file} cannot be read: {error.strerror}") from error

    def _numpy_type(self) -> str:
        if self.kind not in NUMPY:
            raise BackendError(
                f"{self.file} has {self.name} as {self.kind}; only F32, F16 and BF16 are converted"
            )
        return NUMPY[self.kind]


def _read_into(piece: NDArray[Any], file: Any, tensor: StoredTensor) -> None:  # Any: a raw file
    view = piece.data.cast("B")
    while view:
        read = file.readinto(view)
        if not read:
            raise BackendError(f"{tensor.file} is cut short inside {tensor.name}")
        view = view[read:]


class Checkpoint:
    """The folder of a model as a hub has it.

    Raises:
        BackendError: a file is missing, cut short or invalid; the message names it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = JsonFile.read(folder / "config.json")
        self.tensors: Mapping[str, StoredTensor] = _read_tensors(folder)

    def json(self, name: str) -> JsonFile:
        """Return another JSON file of the folder, an empty object if there is none."""
        return JsonFile.read_if_present(self.folder / name)

    def tensor(self, name: str, *shape: int) -> StoredTensor:
        """Return the tensor of this name.

        Raises:
            BackendError: the tensor is missing or has another shape.
        """
        found = self.tensors.get(name)
        if found is None:
            raise BackendError(f"the safetensors of {self.folder} have no tensor {name}")
        if found.shape != shape:
            raise BackendError(
                f"{found.file} has {name} as {_format_shape(found.shape)}, but config.json says"
                f" {_format_shape(shape)}"
            )
        return found


def _format_shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _read_tensors(folder: Path) -> dict[str, StoredTensor]:
    if (folder / SINGLE).is_file():
        return _read_header(folder / SINGLE)
    if not (folder / INDEX).is_file():
        raise BackendError(
            f"{folder} has no {SINGLE} and no {INDEX}",
            hint="only weights published as safetensors are converted",
        )
    index = JsonFile.read(folder / INDEX)
    shard_of = index.require("weight_map", dict)
    shards = {
        name: _read_header(_shard_path(index.path, name)) for name in _unique(shard_of.values())
    }
    return {name: _find_in_shard(name, folder / shard, shards) for name, shard in shard_of.items()}


def _unique(names: Any) -> list[Any]:  # Any: the index may hold anything
    return list({str(name): name for name in names}.values())


def _shard_path(index: Path, name: object) -> Path:
    if not isinstance(name, str) or Path(name).name != name:
        raise BackendError(f"{index} names {name!r}, which is not in its folder")
    path = index.parent / name
    if not path.is_file():
        raise BackendError(f"{index.parent} has no {name}, which {index.name} names")
    return path


def _find_in_shard(
    name: str, shard: Path, shards: Mapping[str, Mapping[str, StoredTensor]]
) -> StoredTensor:
    found = shards[shard.name].get(name)
    if found is None:
        raise BackendError(f"{shard} has no tensor {name}, which {INDEX} says it has")
    return found


def _read_header(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of one file.

    Raises:
        BackendError: the file is not a safetensors file, not as long as it says, or has a tensor of
            an unknown type.
    """
    found = {}
    for name, entry in read_safetensors_header(path).tensors.items():
        if entry.dtype not in DTYPE_BYTES:
            raise BackendError(f"{path} has {name} as {entry.dtype}, an unknown type")
        found[name] = StoredTensor(name, path, entry.dtype, entry.shape, entry.start)
    return found
