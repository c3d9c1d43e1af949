"""Whether a GGUF file is whole, before a C++ library maps it into memory.

The header is walked without keeping any of it: a vocabulary has some hundred thousand strings,
and only the table of tensors matters here.

Source: the GGUF specification, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from memcli.errors import BackendError, ModelNotFoundError

MIB = 1024 * 1024
SAMPLES, SAMPLE_BYTES = 64, 4096

_U32, _U64 = Struct("<I"), Struct("<Q")
_HEAD = Struct("<4sIQQ")  # magic, version, tensors, key-value pairs
_VALUE_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_NUMBER, _STRING, _ARRAY = 4, 8, 9
_NUMBERS = (b"context_length", b"embedding_length", b"block_count")  # as `CheckedFile` has them
_NESTING = 4  # arrays of arrays: allowed by the format, used by nobody

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
    context: int | None  # tokens the model was trained on
    dimensions: int | None  # of what its layers pass on, which is what an embedder's vectors have
    layers: int | None  # without the output


def check_gguf(path: Path) -> CheckedFile:
    """Return the file once its header has been walked and every tensor found inside it.

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
            if path.stat().st_size < _HEAD.size:
                raise _BrokenError("it is too short for a GGUF file")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                table, numbers = _table_of_tensors(content)
                return CheckedFile(path, _digest(content, table), *map(numbers.get, _NUMBERS))
    except _BrokenError as error:
        raise BackendError(
            f"{path} cannot be used: {error}", hint="`mem models pull` fetches it again"
        ) from error
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from error


class _BrokenError(Exception):
    """What is wrong with a file."""


class _Walk:
    """A place in the file that only moves forward, and never past the end."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.size = len(content)
        self.place = 0

    def skip(self, size: int) -> None:
        """Go on by so many bytes."""
        self.place += size
        if self.place > self.size:
            raise _BrokenError("it is cut short, inside its header")

    def number(self, width: Struct = _U64) -> int:
        """Read one number."""
        self.skip(width.size)
        number: int = width.unpack_from(self.content, self.place - width.size)[0]
        return number

    def string(self) -> bytes:
        """Read one string."""
        size = self.number()
        self.skip(size)
        return self.content[self.place - size : self.place]

    def strings(self, count: int) -> None:
        """Go past so many strings: the loop that a big vocabulary spends its time in."""
        unpack, content, place, last = _U64.unpack_from, self.content, self.place, self.size - 8
        for _ in range(count):
            if place > last:
                raise _BrokenError("it is cut short, inside its vocabulary")
            place += 8 + unpack(content, place)[0]
        self.place = place
        self.skip(0)

    def value(self, kind: int, depth: int = 0) -> None:
        """Go past one value of a key-value pair."""
        if kind in _VALUE_BYTES:
            self.skip(_VALUE_BYTES[kind])
        elif kind == _STRING:
            self.strings(1)
        elif kind == _ARRAY and depth < _NESTING:
            kind, count = self.number(_U32), self.number()
            if kind in _VALUE_BYTES:
                self.skip(_VALUE_BYTES[kind] * count)
            elif kind == _STRING:
                self.strings(count)
            else:
                for _ in range(count):
                    self.value(kind, depth + 1)
        else:
            raise _BrokenError(f"its header has a value of unknown type {kind}")


def _table_of_tensors(content: mmap.mmap) -> tuple[bytes, dict[bytes, int | None]]:
    """Return the table's bytes, once every tensor lies inside the file, and some numbers."""
    magic, version, tensors, pairs = _HEAD.unpack_from(content)
    if magic != b"GGUF":
        raise _BrokenError("it is not a GGUF file")
    if version not in (2, 3):
        raise _BrokenError(f"its GGUF version is {version}, known are 2 and 3")
    walk = _Walk(content)
    walk.skip(_HEAD.size)
    alignment = 32
    numbers: dict[bytes, int | None] = {}
    for _ in range(pairs):
        key, kind = walk.string(), walk.number(_U32)
        if key == b"general.alignment" and kind == _NUMBER:
            alignment = walk.number(_U32) or alignment
        elif (name := key.rpartition(b".")[2]) in _NUMBERS and kind == _NUMBER:
            numbers[name] = walk.number(_U32) or None
        else:
            walk.value(kind)
    start = walk.place
    ends = [_end_of_tensor(walk) for _ in range(tensors)]
    weights = walk.place + -walk.place % alignment
    if weights + max(ends, default=0) > walk.size:
        missing = weights + max(ends) - walk.size
        raise _BrokenError(f"it is cut short, {missing:,} bytes are missing")
    return content[start : walk.place], numbers


def _end_of_tensor(walk: _Walk) -> int:
    """Read one line of the table; return where its weights end, counted from the first weight."""
    walk.string()
    elements = 1
    for _ in range(walk.number(_U32)):
        elements *= walk.number()
    kind, offset = walk.number(_U32), walk.number()
    block, size = BLOCKS.get(kind, (1, 0))  # a type from after our time: llama.cpp will know
    return offset + elements // block * size


def _digest(content: mmap.mmap, table: bytes) -> str:
    digest = blake2b(len(content).to_bytes(8, "big"), digest_size=16)
    digest.update(table)
    digest.update(content[:MIB])
    for sample in range(SAMPLES):
        place = len(content) * sample // SAMPLES
        digest.update(content[place : place + SAMPLE_BYTES])
    digest.update(content[-MIB:])
    return digest.hexdigest()
