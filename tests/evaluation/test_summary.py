"""Figures are means over questions, by stage and by category."""

import pytest

from memcli.evaluation.runner import QuestionResult, StageRanking
from memcli.evaluation.summary import POOLED_KS, summarize


def outcome(before, after, *, category="x", found=True, gold="a", **kind):
    return QuestionResult(
        category,
        frozenset(gold),
        {
            "bm25": StageRanking(tuple(before), 0.010),
            "retrieve": StageRanking(tuple(after), 0.030, found),
        },
        **kind,
    )


def test_means_categories_latencies_and_the_stage_before():
    summary = summarize(
        [outcome("ab", "ab"), outcome("ba", "ab"), outcome("ba", "ba", category="y")]
    )

    bm25, retrieve = summary.stages["bm25"], summary.stages["retrieve"]
    assert summary.questions == {"x": 2, "y": 1}
    assert bm25.overall["mrr"] == pytest.approx(2 / 3)
    assert retrieve.overall["mrr"] == pytest.approx(5 / 6)
    assert retrieve.by_category["x"]["mrr"] == 1
    assert retrieve.by_category["y"]["mrr"] == 0.5
    assert (bm25.latency_ms.p50, retrieve.latency_ms.p95) == pytest.approx((10, 30))
    low, high = bm25.interval["mrr"]
    assert low <= bm25.overall["mrr"] <= high
    assert bm25.against is None
    assert retrieve.against.stage == "bm25"
    assert retrieve.against.difference["mrr"] == pytest.approx(1 / 6)
    assert retrieve.against.p["mrr"] == 1  # one question differs


def test_verdicts_count_nothing_as_the_positive_class():
    summary = summarize(
        [
            *[outcome("a", "a") for _ in range(3)],
            outcome("a", "a", found=False),
            outcome("b", "b", found=False, abstention=True),
            outcome("b", "b", abstention=True),
            *[outcome("b", "b", found=False, gold="", stranger=True) for _ in range(4)],
        ]
    )

    abstention, strangers = (summary.verdicts[kind] for kind in ("abstention", "strangers"))
    assert set(abstention) == {"retrieve"}  # BM25 says nothing about it
    one = abstention["retrieve"]
    assert (one.precision, one.recall, one.f1) == (1 / 2, 1 / 2, 1 / 2)
    assert strangers["retrieve"].f1 == pytest.approx(2 * 0.8 / 1.8)


def test_a_verdict_that_is_never_given_has_no_precision():
    verdict = summarize([outcome("a", "a"), outcome("b", "b", abstention=True)]).verdicts

    assert verdict["abstention"]["retrieve"].precision is None
    assert verdict["abstention"]["retrieve"].f1 == 0


def test_pooled_archives_are_looked_at_deeper():
    places = [str(number) for number in range(49)] + ["a"]

    overall = summarize([outcome(places, places)], POOLED_KS).stages["bm25"].overall

    assert (overall["any@20"], overall["any@50"]) == (0, 1)


def test_where_nothing_can_be_measured_there_are_no_stages():
    summary = summarize([outcome("a", "a", gold="")])

    assert (summary.stages, summary.count, summary.without_gold) == ({}, 0, 1)
