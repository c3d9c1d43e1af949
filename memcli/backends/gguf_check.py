"""Checks that a GGUF file is whole, before a C++ library maps it into memory.

The header is read without keeping any of it: a vocabulary has some hundred thousand strings,
and only the table of tensors matters here.

Source: the GGUF specification, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from memcli.errors import BackendError, ModelNotFoundError
from memcli.lazy_dataclasses import dataclass

MIB = 1024 * 1024
SAMPLES, SAMPLE_BYTES = 64, 4096

_U32, _U64 = Struct("<I"), Struct("<Q")
_PREAMBLE = Struct("<4sIQQ")  # magic, version, number of tensors, number of key-value pairs
_VALUE_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_UINT32_TYPE, _STRING_TYPE, _ARRAY_TYPE = 4, 8, 9
_NUMBER_KEYS = (b"context_length", b"embedding_length", b"block_count")  # fields of `CheckedFile`
_MAX_NESTING = 4  # arrays of arrays: the format allows them, no known file has them
_MAX_TEXT = 65_535  # bytes of a key, or of a tensor's name: more than any file has
_MAX_ROWS = 1 << 16  # keys, and tensors: the largest models have some thousands
_MAX_VALUES = 1 << 21  # of all arrays: a vocabulary of 262,144 tokens has 1.4 million
_MAX_DIMENSIONS = 4  # of a tensor, GGML_MAX_DIMS
_MAX_SIDE = 1 << 40
_MAX_ALIGNMENT = 1 << 16  # bytes

# Type of tensor: (elements in a block, bytes of a block).
# fmt: off
BLOCKS = {
    0: (1, 4), 1: (1, 2), 30: (1, 2), 28: (1, 8),  # F32 F16 BF16 F64
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),  # I8 I16 I32 I64
    2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),  # Q4_0 - Q8_1
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176),  # Q2_K - Q5_K
    14: (256, 210), 15: (256, 292),  # Q6_K Q8_K
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50),  # IQ2_XXS - IQ1_S
    20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),  # IQ4_NL - IQ4_XS
    29: (256, 56), 34: (256, 54), 35: (256, 66), 39: (32, 17),  # IQ1_M TQ1_0 TQ2_0 MXFP4
}
# fmt: on


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A GGUF file that is as long as its header says.

    `digest` stands for the contents: of the length, the table of tensors, the first and last MiB
    and 64 samples in between. It tells models apart; it does not prove that no bit has flipped.
    """

    path: Path
    digest: str
    context: int | None  # tokens that the model was trained on
    dimensions: int | None  # the size of the state between layers, and of an embedder's vectors
    layers: int | None  # the output layer not counted


def check_gguf(path: Path) -> CheckedFile:
    """Return the file once its header has been read and every tensor found inside it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is no GGUF, or was cut short, or cannot be read.
    """
    if not path.is_file():
        raise ModelNotFoundError(
            f"no model file at {path}", hint="`mem models list` shows the models on this machine"
        )
    try:
        with path.open("rb") as file:
            if path.stat().st_size < _PREAMBLE.size:
                raise _InvalidGgufError("it is too short for a GGUF file")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                table, numbers = _read_tensor_table(content)
                digest = _compute_digest(content, table)
                return CheckedFile(path, digest, *map(numbers.get, _NUMBER_KEYS))
    except _InvalidGgufError as error:
        raise BackendError(
            f"{path} cannot be used: {error}", hint="`mem models pull` fetches it again"
        ) from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from error


class _InvalidGgufError(Exception):
    """A fault of a file; the message goes on after "it cannot be used:"."""


class _HeaderReader:
    """A position in the file that only moves forward, and never past the end."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.size = len(content)
        self.offset = 0
        self.values = 0  # of arrays, up to here

    def skip(self, size: int) -> None:
        """Move forward by this many bytes."""
        self.offset += size
        if self.offset > self.size:
            raise _InvalidGgufError("it is cut short, inside its header")

    def read_number(self, width: Struct = _U64) -> int:
        """Read one number."""
        self.skip(width.size)
        number: int = width.unpack_from(self.content, self.offset - width.size)[0]
        return number

    def read_string(self) -> bytes:
        """Read one string."""
        size = self.read_number()
        if size > _MAX_TEXT:
            raise _InvalidGgufError(f"its header has a name of {size:,} bytes")
        self.skip(size)
        return self.content[self.offset - size : self.offset]

    def skip_strings(self, count: int) -> None:
        """Move past this many strings: the loop that a big vocabulary spends its time in."""
        unpack, content, offset, last = _U64.unpack_from, self.content, self.offset, self.size - 8
        for _ in range(count):
            if offset > last:
                raise _InvalidGgufError("it is cut short, inside its vocabulary")
            offset += 8 + unpack(content, offset)[0]
        self.offset = offset
        self.skip(0)

    def skip_value(self, kind: int, depth: int = 0) -> None:
        """Move past one value of a key-value pair."""
        if kind in _VALUE_BYTES:
            self.skip(_VALUE_BYTES[kind])
        elif kind == _STRING_TYPE:
            self.skip_strings(1)
        elif kind == _ARRAY_TYPE and depth < _MAX_NESTING:
            kind, count = self.read_number(_U32), self.read_number()
            self.values += count
            if self.values > _MAX_VALUES:
                raise _InvalidGgufError(f"its header has an array of {count:,} values")
            if kind in _VALUE_BYTES:
                self.skip(_VALUE_BYTES[kind] * count)
            elif kind == _STRING_TYPE:
                self.skip_strings(count)
            else:
                for _ in range(count):
                    self.skip_value(kind, depth + 1)
        else:
            raise _InvalidGgufError(f"its header has a value of unknown type {kind}")


def _read_tensor_table(content: mmap.mmap) -> tuple[bytes, dict[bytes, int | None]]:
    """Return the bytes of the table, once every tensor lies inside the file, and some numbers."""
    magic, version, tensors, pairs = _PREAMBLE.unpack_from(content)
    if magic != b"GGUF":
        raise _InvalidGgufError("it is not a GGUF file")
    if version not in (2, 3):
        raise _InvalidGgufError(f"its GGUF version is {version}, known are 2 and 3")
    if max(tensors, pairs) > _MAX_ROWS:
        raise _InvalidGgufError(f"its header has {tensors:,} tensors and {pairs:,} keys")
    reader = _HeaderReader(content)
    reader.skip(_PREAMBLE.size)
    alignment = 32
    numbers: dict[bytes, int | None] = {}
    for _ in range(pairs):
        key, kind = reader.read_string(), reader.read_number(_U32)
        if key == b"general.alignment" and kind == _UINT32_TYPE:
            alignment = reader.read_number(_U32) or alignment
            if alignment > _MAX_ALIGNMENT or alignment & (alignment - 1):
                raise _InvalidGgufError(f"its alignment of {alignment:,} bytes is none")
        elif (name := key.rpartition(b".")[2]) in _NUMBER_KEYS and kind == _UINT32_TYPE:
            numbers[name] = reader.read_number(_U32) or None
        else:
            reader.skip_value(kind)
    start = reader.offset
    ends = [_read_tensor_end(reader) for _ in range(tensors)]
    weights = reader.offset + -reader.offset % alignment
    if weights + max(ends, default=0) > reader.size:
        missing = weights + max(ends) - reader.size
        raise _InvalidGgufError(f"it is cut short, {missing:,} bytes are missing")
    return content[start : reader.offset], numbers


def _read_tensor_end(reader: _HeaderReader) -> int:
    """Read one row of the table; return the end of its weights, counted from the first weight."""
    reader.read_string()
    dimensions, elements = reader.read_number(_U32), 1
    if dimensions > _MAX_DIMENSIONS:
        raise _InvalidGgufError(f"it has a tensor of {dimensions:,} dimensions")
    for _ in range(dimensions):
        side = reader.read_number()
        if side > _MAX_SIDE:
            raise _InvalidGgufError(f"it has a tensor with {side:,} rows or columns")
        elements *= side
    kind, offset = reader.read_number(_U32), reader.read_number()
    block, size = BLOCKS.get(kind, (1, 0))  # llama.cpp will know a type that is younger than this
    return offset + elements // block * size


def _compute_digest(content: mmap.mmap, table: bytes) -> str:
    digest = blake2b(len(content).to_bytes(8, "big"), digest_size=16)
    digest.update(table)
    digest.update(content[:MIB])
    for sample in range(SAMPLES):
        start = len(content) * sample // SAMPLES
        digest.update(content[start : start + SAMPLE_BYTES])
    digest.update(content[-MIB:])
    return digest.hexdigest()
