"""The metrics are what their definitions say, and what another implementation of them gives."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.evaluation.metrics import KS, NDCG_KS, rank_by_score, ranking_metrics

RANKING = list("abcdef")


def peer(ranking, gold):
    """The same metrics, written down in another way: from the ranks of the gold alone."""
    ranks = sorted(ranking.index(one) + 1 for one in gold if one in ranking)
    total = len(gold)

    def within(k):
        return len([rank for rank in ranks if rank <= k])

    def gain(positions):
        return math.fsum(math.log(2) / math.log(position + 1) for position in positions)

    def ndcg(k):
        return gain(rank for rank in ranks if rank <= k) / gain(range(1, min(k, total) + 1))

    returned = min(total, len(ranking))
    precision = within(total) / returned if returned else 0
    recall = within(total) / total
    return {
        "mrr": 1 / ranks[0] if ranks else 0,
        "map": math.fsum((at + 1) / rank for at, rank in enumerate(ranks)) / total,
        **{f"ndcg@{k}": ndcg(k) for k in NDCG_KS},
        "ndcg": ndcg(10**9),
        "f1": 2 * precision * recall / (precision + recall) if ranks and within(total) else 0,
        **{f"any@{k}": 1 if within(k) else 0 for k in KS},
        **{f"all@{k}": 1 if within(k) == total else 0 for k in KS},
        **{f"recall@{k}": within(k) / total for k in KS},
    }


@pytest.mark.parametrize(
    ("gold", "by_hand"),
    [
        ("a", {"mrr": 1, "map": 1, "any@1": 1, "all@1": 1, "recall@1": 1, "ndcg@3": 1, "f1": 1}),
        ("b", {"mrr": 1 / 2, "any@1": 0, "any@3": 1, "ndcg@10": 1 / math.log2(3), "f1": 0}),
        ("f", {"mrr": 1 / 6, "any@5": 0, "any@10": 1, "recall@5": 0, "ndcg@3": 0}),
        ("ab", {"mrr": 1, "map": 1, "all@1": 0, "all@3": 1, "recall@1": 1 / 2, "f1": 1}),
        ("ce", {"mrr": 1 / 3, "map": (1 / 3 + 2 / 5) / 2, "all@5": 1, "f1": 0,
                "ndcg": (1 / 2 + 1 / math.log2(6)) / (1 + 1 / math.log2(3))}),
        ("bf", {"map": (1 / 2 + 2 / 6) / 2, "all@5": 0, "recall@5": 1 / 2, "f1": 1 / 2}),
        ("z", dict.fromkeys(ranking_metrics(RANKING, {"z"}), 0)),
        ("az", {"mrr": 1, "map": 1 / 2, "any@5": 1, "all@20": 0, "recall@20": 1 / 2, "f1": 1 / 2,
                "ndcg@1": 1, "ndcg": 1 / (1 + 1 / math.log2(3))}),
        ("abcdef", {"any@1": 1, "all@5": 0, "all@10": 1, "recall@5": 5 / 6, "f1": 1}),
    ],
)  # fmt: skip
def test_metrics_are_what_one_gets_by_hand(gold, by_hand):
    found = ranking_metrics(RANKING, set(gold))

    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, abs=1e-9)
    assert found == pytest.approx(peer(RANKING, set(gold)), abs=1e-9)


@given(
    ranking=st.lists(st.integers(0, 60).map(str), unique=True, max_size=60),
    gold=st.sets(st.integers(0, 80).map(str), min_size=1, max_size=30),
)
def test_metrics_agree_with_another_implementation(ranking, gold):
    assert ranking_metrics(ranking, gold) == pytest.approx(peer(ranking, gold), abs=1e-9)


@given(
    scored=st.dictionaries(st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0]), max_size=30),
    gold=st.sets(st.integers(0, 40).map(str), min_size=1, max_size=10),
)
def test_ties_are_broken_the_same_way_whatever_the_order_of_the_scores(scored, gold):
    backwards = dict(reversed(scored.items()))

    ranking = [str(key) for key in rank_by_score(scored)]

    assert ranking == [str(key) for key in rank_by_score(backwards)]
    tied = [str(key) for _, key in sorted((-score, key) for key, score in scored.items())]
    assert ranking_metrics(ranking, gold) == pytest.approx(peer(tied, gold), abs=1e-9)


def test_ndcg_of_one_gold_in_second_place_is_the_known_number():
    assert round(ranking_metrics(["x", "gold"], {"gold"})["ndcg@10"], 6) == 0.630930


def test_an_empty_ranking_scores_nothing():
    assert set(ranking_metrics([], {"a"}).values()) == {0.0}


def test_all_is_never_reached_with_more_gold_than_places():
    assert ranking_metrics(["a"], {"a", "b"})["all@20"] == 0


def test_what_cannot_be_measured_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="without gold"):
        ranking_metrics(["a"], set())
    with pytest.raises(ValueError, match="once"):
        ranking_metrics(["a", "b", "a"], {"a"})
