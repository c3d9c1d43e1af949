"""Grouping of sequences into batches that llama.cpp computes in one go."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from memcli.backends.llama.gpu_offload import LlamaMemoryError

T = TypeVar("T")
R = TypeVar("R")

MAX_BATCH_TOKENS = 512  # tokens computed in one go: the longest time that Ctrl-C has to wait
MAX_SEQUENCES = 64  # sequences that a context may hold beside its first


def pack_batches(sizes: Sequence[int], *, longest_first: bool) -> Iterator[list[int]]:
    """Yield batches of indices of sequences, in the order of their sizes.

    A batch has at most `MAX_SEQUENCES`, and at most `MAX_BATCH_TOKENS` unless it has only one.

    Args:
        sizes: the tokens of each sequence.
        longest_first: True if the first batch is to be the one that needs the most room.
    """
    batch: list[int] = []
    tokens = 0
    for index in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=longest_first):
        full = tokens + sizes[index] > MAX_BATCH_TOKENS or len(batch) == MAX_SEQUENCES
        if batch and full:
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += sizes[index]
    if batch:
        yield batch


def compute_in_halves(
    sequences: Sequence[T],
    compute: Callable[[Sequence[T]], Sequence[R]],
    shrink: Callable[[LlamaMemoryError], None],
) -> list[R]:
    """Return the results of a batch; where memory gives out, of its halves one after the other.

    Args:
        sequences: the batch, at least one.
        compute: computes a batch.
        shrink: takes layers off the GPU where not even one sequence can be computed; it raises
            the error if none is there.
    """
    while True:
        try:
            return list(compute(sequences))
        except LlamaMemoryError as error:
            if len(sequences) > 1:
                half = len(sequences) // 2
                parts = (sequences[:half], sequences[half:])
                return [one for part in parts for one in compute_in_halves(part, compute, shrink)]
            shrink(error)
