"""Vectors as they are kept: a byte a number, of which sqlite-vec makes bits, too.

Only directions are compared, so a vector is stretched until its largest number is 127: cosines of
text are then off by .0005 on average. Bits come by eight, so zeros make it as wide.
"""

from array import array
from math import isfinite

from memcli.protocols import Vectors

LARGEST = 127


def width(dimensions: int) -> int:
    """Return how many numbers are kept of a vector."""
    return -(-dimensions // 8) * 8


def quantized(vectors: Vectors) -> list[bytes]:
    """Return each vector as it is kept; zeros for one that is infinite or no number somewhere."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True)
    sound = np.isfinite(largest) & (largest > 0)
    stretched = np.divide(vectors, largest, out=np.zeros_like(vectors), where=sound)
    rows = (stretched * LARGEST).round().astype(np.int8)
    return [row.tobytes().ljust(width(vectors.shape[1]), b"\0") for row in rows]


def quantized_one(vector: bytes) -> bytes:
    """Return a vector of float32 numbers as it would be kept, without loading numpy."""
    numbers = array("f", vector)
    largest = max(map(abs, numbers), default=0.0)
    if not (largest and all(map(isfinite, numbers))):
        return bytes(width(len(numbers)))
    kept = array("b", [round(one / largest * LARGEST) for one in numbers])
    return kept.tobytes().ljust(width(len(numbers)), b"\0")
