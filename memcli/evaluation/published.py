"""What others publish, for `mem bench --compare`.

From the peers' own repositories, papers and issue threads; `by us` are those that we computed with
the definitions of `metrics`, from what they publish or with their method. Where a protocol is not
ours the row says so: its figures stand beside ours, and cannot be compared with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from memcli.evaluation.datasets import Shape

Protocol = Literal["haystack", "pooled"]


@dataclass(frozen=True, slots=True)
class Published:
    """A system's figures on a data set."""

    system: str
    figures: Mapping[str, float]  # by the names of `metrics.scores`
    note: str = ""  # where its protocol differs from ours, or who computed it


LOCOMO = (  # 1,982 questions with evidence, each among the 19 to 32 sessions of its conversation
    Published(
        "BM25, stemmed",
        {"any@1": 0.729, "all@5": 0.844, "recall@5": 0.888, "recall@10": 0.941, "mrr": 0.818,
         "ndcg@10": 0.834},
        "by us",
    ),
    Published("deja-vu 0.18", {"any@1": 0.696, "any@5": 0.857, "mrr": 0.766}),
    Published(
        "MemPalace hybrid v5",
        {"any@1": 0.542, "any@5": 0.834, "all@5": 0.737, "recall@5": 0.783, "recall@10": 0.889,
         "mrr": 0.666, "ndcg@10": 0.706},
        "by us, from its committed rankings",
    ),
    Published(
        "MemPalace raw",
        {"any@1": 0.265, "any@5": 0.508, "all@5": 0.420, "recall@5": 0.461, "recall@10": 0.602,
         "mrr": 0.368, "ndcg@10": 0.412},
        "by us, from its committed rankings",
    ),
    Published("mnem", {"any@5": 0.726, "any@10": 0.855}),
    Published("graph-memory, two FTS", {"all@5": 0.829}),
)  # fmt: skip
_CARD = "MemReranker's model card: another protocol, not published in detail"
LOCOMO_RERANKED = tuple(
    Published(name, dict(zip(("map", "mrr", "ndcg@10"), figures, strict=True)), _CARD)
    for name, figures in {
        "BGE-v2-m3": (0.671, 0.699, 0.714),
        "Qwen3-Reranker-0.6B": (0.643, 0.673, 0.689),
        "Qwen3-Reranker-4B": (0.689, 0.716, 0.732),
        "MemReranker-0.6B": (0.715, 0.738, 0.754),
        "MemReranker-4B": (0.737, 0.760, 0.773),
        "Gemini-3-Flash": (0.777, 0.797, 0.807),
    }.items()
)
LONGMEMEVAL = (  # LongMemEval-S: 500 questions, about 48 sessions each
    Published("QMG, gte-large", {"any@1": 0.906, "any@5": 0.986, "ndcg@10": 0.943}),
    Published(
        "lotl, BM25 + mxbai-xsmall",
        {"any@5": 0.984, "recall@5": 0.937, "mrr": 0.917, "ndcg@10": 0.913},
        "the best of several runs",
    ),
    Published(
        "lotl + cross-encoder",
        {"any@5": 0.982, "recall@5": 0.948, "mrr": 0.922, "ndcg@10": 0.916},
        "the best of several runs",
    ),
    Published(
        "deja-vu, lexical", {"any@1": 0.853, "any@5": 0.955, "recall@5": 0.864, "mrr": 0.895}
    ),
    Published("MemPalace raw", {"any@5": 0.966, "all@5": 0.870}),
)
_HUNDRED = "100 questions"
LONGMEMEVAL_POOLED = (  # all 19,195 sessions of LongMemEval-S
    Published("deja-vu", {"any@1": 0.18, "any@5": 0.35, "any@50": 0.67}, _HUNDRED),
    Published("MemPalace", {"any@1": 0.14, "any@5": 0.20, "any@50": 0.46}, _HUNDRED),
    Published("cass", {"any@1": 0.05, "any@5": 0.08, "any@50": 0.16}, _HUNDRED),
)

_ROWS: Mapping[tuple[Shape, Protocol], tuple[Published, ...]] = {
    ("locomo", "haystack"): LOCOMO + LOCOMO_RERANKED,
    ("longmemeval", "haystack"): LONGMEMEVAL,
    ("longmemeval", "pooled"): LONGMEMEVAL_POOLED,
}


def published(shape: Shape, protocol: Protocol) -> tuple[Published, ...]:
    """Return the rows for a data set whose sessions are ranked; nothing where there are none."""
    return _ROWS.get((shape, protocol), ())
