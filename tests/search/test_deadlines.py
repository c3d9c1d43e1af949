"""Questions with a deadline return the ranking so far and say what is missing."""

import time

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder, WordReranker, WordSifter
from helpers.ranking import WORDING, index_talks, titles

from memcli.deadline import check_deadline, deadline, seconds_left
from memcli.errors import BackendError
from memcli.protocols import SiftedOrder
from memcli.search.model_speed import ModelSpeeds
from memcli.search.stages import RankingModels, rank_sessions
from memcli.store import Filters, Store

TALKS = [talk(f"Talk {n}", f"me: hazelnut {'word ' * (n + 1)}") for n in range(20)]


class SlowReranker(WordReranker):
    """A reranker that is slow for every passage, and counts them."""

    name = fingerprint = "slow-0.001b"

    def __init__(self, seconds=0.02):
        self.seconds, self.judged = seconds, 0

    def judge(self, question, passages):
        for at, _ in enumerate(passages):
            time.sleep(self.seconds)
            self.judged += 1
            yield at, 0.1


class SlowSifter(WordSifter):
    """A sifter that is slow for every word of its thought."""

    name = fingerprint = "slow-0.001b"

    def __init__(self, seconds=0.02):
        self.seconds, self.asked = seconds, []

    def sift(self, message, *, shown, ranked, thought_tokens):
        self.asked.append((shown, thought_tokens))
        for _ in range(thought_tokens):
            time.sleep(self.seconds)
            yield "well "
        yield SiftedOrder(tuple(range(ranked)))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        index_talks(opened, *TALKS)
        yield opened


def put(store, seconds, *, speeds=None, thought_tokens=1024, **models):
    chosen = RankingModels(
        WordEmbedder(), sift_wording=WORDING, thought_tokens=thought_tokens, **models
    )
    with deadline(seconds):
        began = time.monotonic()
        answer = rank_sessions("hazelnut", store, chosen, Filters(), limit=5, speeds=speeds)
        return answer, time.monotonic() - began


def names(answer):
    return [stage.name for stage in answer.stages]


def test_a_reranker_that_is_too_slow_is_stopped_and_what_it_judged_counts(store):
    answer, seconds = put(store, 1, reranker=SlowReranker(0.1))

    [_, rerank] = answer.stages
    [told] = answer.left_out
    assert seconds < 2
    assert answer.out_of_time
    assert answer.stopped_by is None
    assert 0 < rerank.passages < 20
    assert told.startswith(f"rerank: {rerank.passages} of 20 passages judged, ")
    assert len(answer.results) == 5
    assert answer.verdict == "found"  # that nobody said yes so far tells little


def test_a_thought_that_takes_too_long_leaves_the_ranking_before_it(store):
    before, _ = put(store, 60)

    sifter, believed = SlowSifter(0.05), ModelSpeeds()
    believed.record_write(sifter, 1000, 1)
    believed.record_read(sifter, 100_000, 1)
    answer, seconds = put(store, 1, sifter=sifter, speeds=believed)

    assert seconds < 2
    assert answer.out_of_time
    assert names(answer) == ["retrieve"]
    assert titles(answer) == titles(before)
    assert answer.left_out[-1] == "sift: stopped before it had a ranking"
    assert answer.trace.startswith("No model thought about this.")


def test_a_ranking_that_was_stopped_is_not_remembered_as_one(store):
    put(store, 0.3, sifter=SlowSifter(0.05), thought_tokens=20)
    sifter = SlowSifter(0)

    answer, _ = put(store, 60, sifter=sifter, thought_tokens=20)

    assert len(sifter.asked) == 1
    assert names(answer) == ["retrieve", "sift"]


def test_what_was_judged_before_the_deadline_is_not_judged_again(store):
    first = SlowReranker(0.1)
    put(store, 1, reranker=first)
    second = SlowReranker(0)

    answer, _ = put(store, 60, reranker=second)

    assert first.judged > 0
    assert second.judged == 20 - first.judged
    assert answer.stages[1].cached == first.judged


def test_without_time_what_is_remembered_still_counts(store):
    models = {"reranker": SlowReranker(0), "sifter": SlowSifter(0)}
    whole, _ = put(store, 60, reranker=WordReranker(), sifter=models["sifter"])

    again, _ = put(store, 0.0, reranker=WordReranker(), sifter=SlowSifter(99))

    assert names(again) == names(whole) == ["retrieve", "rerank", "sift"]
    assert titles(again) == titles(whole)
    assert not again.out_of_time


def test_without_time_no_model_is_asked_and_it_is_said(store):
    reranker, sifter = SlowReranker(), SlowSifter()

    answer, _ = put(store, 0.0, reranker=reranker, sifter=sifter)

    assert (reranker.judged, sifter.asked) == (0, [])
    assert answer.results
    assert answer.left_out == (
        "rerank: none of 20 passages judged, there were 0.0 s for it",
        "sift: left out, there was no time for it",
    )


def test_stages_that_ctrl_c_prevents_are_named(store):
    class Interrupted(SlowReranker):
        def judge(self, question, passages):
            raise KeyboardInterrupt
            yield

    answer, _ = put(store, 60, reranker=Interrupted(), sifter=SlowSifter())

    assert isinstance(answer.stopped_by, KeyboardInterrupt)
    assert answer.left_out == ("rerank: left out, stopped", "sift: left out, stopped")


def test_a_model_nobody_knows_is_tried_with_one_passage(store):
    class Batches(SlowReranker):
        """A reranker that yields its probabilities only when it has all of them."""

        def judge(self, question, passages):
            yield from list(super().judge(question, passages))

    speeds = ModelSpeeds()

    answer, seconds = put(store, 0.5, reranker=Batches(0.05), speeds=speeds)

    assert answer.stages[1].passages >= 3
    assert seconds < 0.7


def test_what_was_too_slow_is_known_to_be_slow_the_next_time(store):
    class Endless(SlowSifter):
        def sift(self, message, *, shown, ranked, thought_tokens):
            while True:
                time.sleep(0.01)
                check_deadline()
            yield

    sifter, speeds = Endless(), ModelSpeeds()
    speeds.record_read(sifter, 3000, 1)
    speeds.record_write(sifter, 1000, 1)

    first, _ = put(store, 1.5, speeds=speeds, sifter=sifter)
    for _ in range(9):
        again, _ = put(store, 1.5, speeds=speeds, sifter=sifter)
        if not again.out_of_time:
            break

    assert first.out_of_time
    assert not again.out_of_time
    assert again.left_out[0].startswith("sift: left out, ")


def test_the_speed_learned_decides_how_much_is_begun(store):
    speeds = ModelSpeeds()
    sifter = SlowSifter(0.01)
    speeds.record_load(sifter, 0.01)
    speeds.record_read(sifter, 10_000, 1)
    speeds.record_write(sifter, 100, 1)

    answer, seconds = put(store, 3, speeds=speeds, sifter=sifter)

    [(_, thought)] = sifter.asked
    assert 16 <= thought < 160  # a third of the time at most, and some of it is kept
    assert seconds < 3
    assert names(answer) == ["retrieve", "sift"]
    assert (answer.plan.history_tokens, answer.plan.thought_tokens) == (8000, thought)
    assert answer.left_out[0].startswith("sift: at most 8,000 of 8,000 tokens read and ")


def test_a_request_whose_time_out_was_the_deadline_is_out_of_time_and_no_failure(store):
    class Remote(SlowReranker):
        def judge(self, question, passages):
            time.sleep(max(seconds_left(), 0) + 0.01)
            raise BackendError("no answer")
            yield

    answer, _ = put(store, 0.3, reranker=Remote())

    assert (answer.out_of_time, answer.stopped_by) == (True, None)


def test_the_earlier_of_two_deadlines_holds():
    assert seconds_left() == float("inf")
    with deadline(10):
        with deadline(5):
            assert 4 < seconds_left() <= 5
        with deadline(20):
            assert 9 < seconds_left() <= 10
        check_deadline()
    assert seconds_left() == float("inf")
