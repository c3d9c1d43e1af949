"""Quantization of vectors to one byte per number; sqlite-vec makes bits of these.

Only directions are compared, so a vector is stretched until its largest number is 127: cosines of
text are then off by .0005 on average. Bits come in bytes, so zeros fill a vector up to a multiple
of eight numbers.
"""

from array import array
from math import isfinite

from memcli.protocols import Vectors

_LARGEST = 127


def stored_width(dimensions: int) -> int:
    """Return the number of bytes that are stored of a vector."""
    return (dimensions + 7) // 8 * 8


def quantize_vectors(vectors: Vectors) -> list[bytes]:
    """Return each vector as bytes; zeros for a vector with a number that is not finite."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True)
    usable = np.isfinite(largest) & (largest > 0)
    stretched = np.divide(vectors, largest, out=np.zeros_like(vectors), where=usable)
    rows = (stretched * _LARGEST).round().astype(np.int8)
    return [row.tobytes().ljust(stored_width(vectors.shape[1]), b"\0") for row in rows]


def quantize_vector(vector: bytes) -> bytes:
    """Return one vector of float32 numbers as bytes, without loading numpy."""
    numbers = array("f", vector)
    largest = max(map(abs, numbers), default=0.0)
    if not (largest and all(map(isfinite, numbers))):
        return bytes(stored_width(len(numbers)))
    stretched = array("b", [round(one / largest * _LARGEST) for one in numbers])
    return stretched.tobytes().ljust(stored_width(len(numbers)), b"\0")
