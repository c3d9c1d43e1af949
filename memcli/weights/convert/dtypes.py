"""Conversion of floating-point numbers between F32, F16 and BF16.

numpy has no bfloat16, so its bits are kept as uint16. There are 65,536 numbers of 16 bits: they
are looked up, which is ten times as fast as numpy's own conversion to float16.
"""

from functools import cache
from typing import Any, Literal

import numpy as np
from gguf import GGMLQuantizationType, quants
from numpy.typing import NDArray

Dtype = Literal["F32", "F16", "BF16"]

NUMPY: dict[str, str] = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_BITS = {4: "<u4", 2: "<u2"}  # by bytes of a number
_EXPONENT = {"F32": 0x7F800000, "F16": 0x7C00, "BF16": 0x7F80}


def convert_dtype(numbers: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
    """Return the numbers in another type, rounded to the nearest, ties to even.

    Args:
        numbers: shape (numbers,), of a type in `NUMPY`.
        dtype: the new type; a number too large for it becomes infinite.
    """
    if numbers.dtype == NUMPY[dtype]:
        return numbers
    if numbers.itemsize == 2:
        return _lookup_table(numbers.dtype.str, dtype).take(numbers.view("<u2"))
    return _compute(numbers, dtype)


def all_finite(numbers: NDArray[Any], dtype: Dtype) -> bool:
    """Return whether no number is infinite or undefined."""
    bits = numbers.view(_BITS[numbers.itemsize])
    return bool(((bits & _EXPONENT[dtype]) != _EXPONENT[dtype]).all())


@cache
def _lookup_table(source: str, dtype: Dtype) -> NDArray[Any]:
    """Return every number of 16 bits in another type, by its bits."""
    return _compute(np.arange(1 << 16, dtype="<u2").view(source), dtype)


def _compute(numbers: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
    if numbers.dtype == NUMPY["BF16"]:
        wide: NDArray[Any] = quants.dequantize(numbers.view("u1"), GGMLQuantizationType.BF16)
    else:
        wide = numbers.astype("<f4")
    with np.errstate(over="ignore", invalid="ignore"):
        narrow: NDArray[Any] = quants.quantize(wide, GGMLQuantizationType[dtype])
    return narrow.view(NUMPY[dtype])
