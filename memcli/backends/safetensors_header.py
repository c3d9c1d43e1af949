"""The header of a safetensors file: the names and the positions of its tensors.

Only the header is read, and checked against the length of the file.

Source: https://huggingface.co/docs/safetensors
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass

DTYPE_BYTES = {  # bytes of one number
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}

_LENGTH_BYTES = 8  # at the beginning of the file, little-endian: the length of the header
_MAX_HEADER_BYTES = 8 << 20  # the format allows 100 MB; a tensor takes about 120 bytes
_MAX_SIDES, _MAX_SIDE = 8, 1 << 40  # of a tensor


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """The position of one tensor in a file."""

    dtype: str  # a key of `DTYPE_BYTES`, or a younger one, whose size is not checked
    shape: tuple[int, ...]
    start: int  # bytes from the beginning of the file


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """The header of a file whose tensors lie side by side and fill it."""

    content: bytes  # the JSON, as it stands in the file
    tensors: Mapping[str, TensorEntry]  # by name, in the order of the header


def read_safetensors_header(path: Path) -> SafetensorsHeader:
    """Read the header of a file and check that all of its tensors are there.

    Raises:
        BackendError: the file is not a safetensors file, or not as long as it says.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 2 <= length <= min(_MAX_HEADER_BYTES, size - _LENGTH_BYTES):
                raise BackendError(
                    f"{path} is not a safetensors file, or is cut short in its header"
                )
            content = file.read(length)
            header = json.loads(content)
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BackendError(f"{path} is not a safetensors file: its header is not JSON") from error
    if not isinstance(header, dict):
        raise BackendError(f"{path} is not a safetensors file: its header is not a JSON object")
    header.pop("__metadata__", None)
    return SafetensorsHeader(
        content, _check_layout(path, header, start=_LENGTH_BYTES + length, size=size)
    )


def _check_layout(
    path: Path, header: Mapping[str, Any], *, start: int, size: int
) -> dict[str, TensorEntry]:
    """Return the tensors once they lie side by side and fill the file."""
    tensors, spans = {}, []
    for name, entry in header.items():
        dtype, shape, begin, end = _parse_entry(path, name, entry)
        tensors[name] = TensorEntry(dtype, shape, start + begin)
        spans.append((begin, end, name))
    spans.sort()
    for (_, end, _name), (begin, _, name) in pairwise([(0, 0, ""), *spans]):
        if begin != end:
            raise BackendError(f"{path} has {name} where it leaves a gap or overlaps another")
    missing = start + (spans[-1][1] if spans else 0) - size
    if missing > 0:
        raise BackendError(f"{path} is cut short, {missing:,} bytes are missing")
    if missing < 0:
        raise BackendError(f"{path} has {-missing:,} bytes too many")
    return tensors


def _parse_entry(path: Path, name: str, entry: object) -> tuple[str, tuple[int, ...], int, int]:
    """Return (dtype, shape, first byte, byte after the last) of one entry of the header."""
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]} if (
            len(shape) <= _MAX_SIDES
            and all(isinstance(side, int) and 0 <= side <= _MAX_SIDE for side in shape)
        ):
            known = DTYPE_BYTES.get(dtype)
            size = end - begin if known is None else prod(shape) * known
            if begin >= 0 and end - begin == size >= 0:
                return dtype, tuple(shape), begin, end
    raise BackendError(f"{path} describes {name} in a way that makes no sense")
