"""Grouping of sequences into batches that llama.cpp computes in one go."""

from collections.abc import Iterator, Sequence

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
