"""Two ways of judging in turns, and commands as a person waits for them."""

import sys
from time import sleep

import pytest
from helpers.keyword_models import WordEmbedder

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.demo.questions import DEMO_QUESTIONS
from memcli.errors import BackendError
from memcli.evaluation import latency, speed
from memcli.evaluation.latency import measure_archive
from memcli.evaluation.speed import (
    HEAD,
    PROMPT,
    ROUND,
    SECONDS,
    ElapsedTime,
    Ratio,
    Stopwatch,
    compare_reranking,
    make_text,
    measure_embedder,
    measure_rate,
)

pytestmark = pytest.mark.slow


def count(words):
    return len(words.split())


class Clock:
    """Goes on when somebody works, and only then."""

    def __init__(self):
        self.seconds = self.cpu_seconds = 0.0

    def work(self, seconds):
        self.seconds += seconds
        self.cpu_seconds += 2 * seconds  # on two cores


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(speed, "perf_counter", lambda: clock.seconds)
    monkeypatch.setattr(speed, "process_time", lambda: clock.cpu_seconds)
    return clock


class Judge:
    """Takes its time for every passage, and remembers what it was asked."""

    def __init__(self, clock, seconds=1.0, answer=0.5):
        self.clock, self.seconds, self.answer = clock, seconds, answer
        self.asked = []

    def __call__(self, question, passages):
        self.asked.append((question, tuple(passages)))
        for index in reversed(range(len(passages))):
            self.clock.work(self.seconds)
            yield index, self.answer + index / 100


@pytest.mark.parametrize("tokens", [1, 20, 64, 256])
@pytest.mark.parametrize("number", [0, 1, 32])
def test_a_text_has_the_tokens_asked_for_and_is_always_the_same(tokens, number):
    assert count(make_text(count, tokens, number)) == tokens
    assert make_text(count, tokens, number) == make_text(count, tokens, number)


def test_texts_of_two_numbers_begin_differently():
    begins = {make_text(count, 64, number).split()[0] for number in range(32)}

    assert len(begins) == 32


def test_a_text_is_never_shorter_where_words_take_several_tokens():
    def letters(words):
        return len(words)

    sizes = [letters(make_text(letters, 64, number)) for number in range(32)]

    assert min(sizes) >= 64
    assert max(sizes) < 64 + 10


def test_both_ways_judge_the_same_passages_and_take_turns_in_beginning(clock):
    ours, plain = Judge(clock), Judge(clock, answer=0.4)

    result = compare_reranking(ours, plain, count, tokens=64, passages=2 * ROUND + 1)

    assert ours.asked == plain.asked
    first, *turns = ours.asked
    assert len(first[1]) == 1  # to warm up
    [question] = {question for question, _ in turns}
    assert abs(count(question) - HEAD) < 10
    assert [len(passages) for _, passages in turns] == [ROUND, ROUND, 1]
    assert {count(one) for _, passages in ours.asked for one in passages} == {64}
    assert (result.tokens, result.passages) == (64, 2 * ROUND + 1)
    assert result.apart == pytest.approx(0.1)


def test_the_ratio_says_how_many_times_as_long_the_plain_way_took(clock):
    ours, plain = Judge(clock, 2.0), Judge(clock, 5.0)

    result = compare_reranking(ours, plain, count, tokens=8, passages=ROUND + 1)

    assert result.ours == ElapsedTime(2.0 * (ROUND + 1), 4.0 * (ROUND + 1))
    assert result.plain == ElapsedTime(5.0 * (ROUND + 1), 10.0 * (ROUND + 1))
    assert result.times == result.cpu_times == Ratio(2.5, 2.5, 2.5)


def test_a_ratio_is_the_median_of_the_turns_and_tells_their_spread(clock):
    ours, plain = Judge(clock), Judge(clock)

    def tiring(question, passages):
        plain.seconds *= 2
        yield from plain(question, passages)

    plain.seconds = 0.5  # it is 1 after the warm-up
    result = compare_reranking(ours, tiring, count, tokens=8, passages=3 * ROUND)

    assert result.times == Ratio(4.0, 2.0, 8.0)


def test_without_a_number_of_passages_it_ends_in_time(clock):
    each = SECONDS / ROUND / 4

    result = compare_reranking(
        Judge(clock, each), Judge(clock, each), count, tokens=8, passages=None
    )

    assert result.passages == 3 * ROUND  # the third turn began in time


def test_with_time_enough_it_judges_32(clock):
    assert (
        compare_reranking(Judge(clock), Judge(clock, 0.1), count, tokens=8, passages=32).passages
        == 32
    )
    assert (
        compare_reranking(
            Judge(clock, 0.1), Judge(clock, 0.1), count, tokens=8, passages=None
        ).passages
        == 32
    )


def test_the_prompt_can_be_used_by_a_reranker():
    assert PROMPT.body.endswith("{document}")
    assert PROMPT.context > HEAD + 256 + 100


def test_a_rate_is_what_was_done_over_seconds(clock):
    steps = iter((1.0, 4.0, 2.0))

    def ten():
        clock.work(next(steps))
        return 10

    assert measure_rate(ten) == 5.0


def test_an_embedder_is_opened_and_embeds():
    measured = measure_embedder(WordEmbedder)

    assert measured.name == WordEmbedder.name
    assert measured.load > 0 < measured.texts


def test_a_stopwatch_tells_the_clock_from_the_processor():
    watch = Stopwatch()
    sleep(0.03)
    slept = watch.elapsed

    sum(range(1_000_000))
    worked = watch.elapsed

    assert slept.seconds >= 0.03
    assert worked.cpu_seconds > slept.cpu_seconds


def test_an_archive_is_imported_and_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(latency, "WARM_RUNS", 1)  # once more is enough
    exports = tmp_path / "notes.json"
    exports.write_text('[{"title": "Door", "messages": [{"role": "user", "content": "3826"}]}]')

    measured = measure_archive(
        exports,
        DEMO_QUESTIONS[0].question,
        ["--reranker", "none", "--sifter", "none"],
        zone="UTC",
        embedder=WordLlamaEmbedder(),
    )

    assert (measured.sessions, measured.turns) == (1, 1)
    for seconds in (measured.ingest, measured.search.cold, measured.search.warm, measured.ask.cold):
        assert 0.05 < seconds < 60


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(BackendError, match=r"^`mem ingest` failed: .*Nowhere"):
        measure_archive(tmp_path, "q", [], zone="Nowhere", embedder=WordEmbedder())


def test_a_command_that_says_nothing_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", "false")

    with pytest.raises(BackendError, match="`mem ingest` failed: it said nothing"):
        measure_archive(tmp_path, "q", [], zone="UTC", embedder=WordEmbedder())
