"""Metrics of a ranking, with binary relevance.

A ranking is best first and without repeats; gold is every place that answers, found or not, at
least one. A k beyond the end of a ranking is its end, so no metric counts places that do not exist.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from math import log2
from typing import TypeVar

KS = (1, 3, 5, 10, 20)
NDCG_KS = (1, 3, 10)

_Key = TypeVar("_Key", str, int, tuple[int, int])


def ranking_metrics(
    ranking: Sequence[str], gold: AbstractSet[str], ks: Sequence[int] = KS
) -> dict[str, float]:
    """Return every metric by its name in `mem bench --json`, each in [0, 1], more is better.

    Raises:
        ValueError: there is no gold, or something is ranked twice.
    """
    hits = mark_hits(ranking, gold)
    size = len(gold)
    return {
        "mrr": reciprocal_rank(hits),
        "map": average_precision(hits, size),
        **{f"ndcg@{k}": ndcg(hits[:k], size, k) for k in NDCG_KS},
        "ndcg": ndcg(hits, size),
        "f1": f1(hits, size),
        **{f"any@{k}": float(any(hits[:k])) for k in ks},
        **{f"all@{k}": all_found(hits[:k], size) for k in ks},
        **{f"recall@{k}": recall(hits[:k], size) for k in ks},
    }


def mark_hits(ranking: Sequence[str], gold: AbstractSet[str]) -> list[bool]:
    """Return for every place of a ranking, first place first, whether it is gold.

    Raises:
        ValueError: there is no gold, or something is ranked twice.
    """
    if not gold:
        raise ValueError("nothing is measured without gold")
    if len(set(ranking)) < len(ranking):
        raise ValueError("a ranking has each place once")
    return [place in gold for place in ranking]


def rank_by_score(scored: Mapping[_Key, float]) -> list[_Key]:
    """Return a ranking: the greatest score first, of equal scores the smallest key."""
    return sorted(scored, key=lambda key: (-scored[key], key))


def all_found(hits: Sequence[bool], gold: int) -> float:
    """Return 1 where all of the gold is among the hits, else 0; with more gold than places 0.

    Over the first k places this is LongMemEval's recall_all@k; `any` is its recall_any@k.

    Args:
        hits: of the first k places.
        gold: number of gold places, found or not.

    Source:
        Wu et al., LongMemEval, ICLR 2025.
    """
    return float(sum(hits) == gold)


def recall(hits: Sequence[bool], gold: int) -> float:
    """Return the share of the gold among the hits; below 1 with more gold than places.

    Source:
        Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, 8.3.
    """
    return sum(hits) / gold


def f1(hits: Sequence[bool], gold: int) -> float:
    """Return the F1 of the set of the first places, as many as there is gold.

    F1 is 2PR / (P + R), here equal to precision, recall and R-precision, because the set is as
    large as the gold: 1 where the gold fills the first places. A shorter ranking is the set.

    Source:
        van Rijsbergen, Information Retrieval, 1979, chapter 7; R-precision: Manning, Raghavan and
        Schütze, 2008, 8.4. MemReranker's table does not publish the size of its F1.
    """
    returned = hits[:gold]
    return 2 * sum(returned) / (len(returned) + gold)


def reciprocal_rank(hits: Sequence[bool]) -> float:
    """Return 1 / rank of the first gold, rank counting from 1; 0 where none is ranked.

    Its mean over questions is the MRR.

    Source:
        Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    return next((1 / rank for rank, hit in enumerate(hits, start=1) if hit), 0.0)


def average_precision(hits: Sequence[bool], gold: int) -> float:
    """Return the mean over the gold of the precision at its rank; gold not ranked counts 0.

    Its mean over questions is the MAP.

    Source:
        Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, 8.4.
    """
    counts = accumulate(hits)
    precisions = (so_far / rank for rank, so_far in enumerate(counts, start=1) if hits[rank - 1])
    return sum(precisions) / gold


def ndcg(hits: Sequence[bool], gold: int, k: int | None = None) -> float:
    """Return the discounted gain of the places over that of the best ranking there can be.

    Gold at rank r gains 1 / log2(1 + r). The best ranking has all of the gold first, found or
    not, as far as k reaches; without a k, all of it.

    Source:
        Järvelin and Kekäläinen, TOIS 20(4), 2002, with binary gains and the usual log2(1 + r).
    """
    ideal = gold if k is None else min(gold, k)
    gains = _gains(rank for rank, hit in enumerate(hits, start=1) if hit)
    return gains / _gains(range(1, ideal + 1))


def _gains(ranks: Iterable[int]) -> float:
    return sum(1 / log2(1 + rank) for rank in ranks)
