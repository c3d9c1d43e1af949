import json
import math
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as some

from memcli.search.budget import (
    HISTORY_TOKENS,
    PASSAGE_TOKENS,
    PASSAGES,
    RANKING_TOKENS,
    plan_sift,
    plan_stages,
)
from memcli.search.model_speed import MOST_MODELS, ModelSpeeds, Speed

LAPTOP = Speed(load=2.0, read=100.0, write=10.0)
FAST = Speed(load=0.1, read=5000.0, write=100.0)
speeds_of_any_kind = some.builds(
    Speed, some.floats(0, 100), some.floats(0.1, 1e5), some.floats(0.1, 1e4)
)


class Named:
    def __init__(self, name="memsifter-4b", fingerprint="f"):
        self.name, self.fingerprint = name, fingerprint


def test_without_a_deadline_there_is_time_for_everything():
    whole = plan_stages(math.inf, LAPTOP, LAPTOP, thought_tokens=1024)

    assert (whole.passages, whole.history_tokens, whole.thought_tokens) == (32, 8000, 1024)
    assert whole.rerank_seconds == math.inf


def test_a_stage_without_a_model_gets_no_time():
    neither = plan_stages(60, None, None, thought_tokens=1024)

    assert (neither.passages, neither.history_tokens, neither.thought_tokens) == (0, 0, 0)


def test_where_there_is_no_time_for_both_the_reranker_comes_first():
    short = plan_stages(20, LAPTOP, LAPTOP, thought_tokens=1024)

    assert short.passages >= 3
    assert (short.history_tokens, short.rerank_seconds) == (0, 20)


def test_with_more_time_the_sifter_reads_and_thinks_more():
    minute, hour = (plan_stages(s, LAPTOP, LAPTOP, thought_tokens=1024) for s in (90, 3600))

    assert 0 < minute.history_tokens < hour.history_tokens == HISTORY_TOKENS
    assert 0 < minute.thought_tokens < hour.thought_tokens == 1024
    assert minute.passages < hour.passages == PASSAGES


def test_no_time_is_enough_for_nothing():
    assert plan_stages(0, FAST, FAST, thought_tokens=1024).passages == 0
    assert plan_sift(-5, FAST, 1024) == (0, 0)


@given(some.floats(-10, 10_000), speeds_of_any_kind, some.integers(0, 4096))
def test_a_sift_as_planned_ends_in_time_at_the_speed_that_is_known(seconds, speed, most):
    history, thought = plan_sift(seconds, speed, most)

    assert 0 <= thought <= most
    assert history <= HISTORY_TOKENS
    if history:
        took = speed.load + history / speed.read + (thought + RANKING_TOKENS) / speed.write
        assert took <= seconds


@given(some.floats(-10, 10_000), speeds_of_any_kind, speeds_of_any_kind)
def test_judging_as_planned_ends_in_its_share(seconds, reranker, sifter):
    made = plan_stages(seconds, reranker, sifter, thought_tokens=1024)

    assert 0 <= made.passages <= PASSAGES
    if made.passages:
        took = reranker.load + made.passages * PASSAGE_TOKENS / reranker.read
        assert took <= made.rerank_seconds <= seconds


def test_speeds_are_learned_and_kept(tmp_path):
    path = tmp_path / "state" / "speeds.json"
    learning = ModelSpeeds(path)
    learning.record_load(Named(), 3)
    learning.record_read(Named(), 500, 2)
    learning.record_write(Named(), 30, 10)
    learning.save()

    assert ModelSpeeds(path).of(Named()) == Speed(3, 250, 3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["speeds.json"]


def test_a_new_measurement_moves_the_average_and_does_not_replace_it():
    speeds = ModelSpeeds()
    speeds.record_read(Named(), 100, 1)
    speeds.record_read(Named(), 200, 1)

    assert speeds.of(Named()).read == pytest.approx(130)


def test_what_was_stopped_before_its_end_is_slower_than_was_thought():
    speeds = ModelSpeeds()
    speeds.record_unfinished_read(Named(), 1000, 1)  # it would have been no wonder
    assert not speeds.knows(Named())

    speeds.record_unfinished_read(Named(), 100, 10)
    assert speeds.of(Named()).read == 10


def test_on_a_machine_slower_than_guessed_other_models_are_thought_slower_too():
    speeds = ModelSpeeds()
    known, other = Named("small-1b", "known"), Named("large-4b", "other")
    before = speeds.of(other)

    speeds.record_read(known, 40, 1)  # half of what was guessed
    after = speeds.of(other)
    assert (after.load, after.read, after.write) == (8, before.read / 2, before.write / 2)

    speeds.record_read(known, 40_000, 1)  # a fast one may be a server's
    assert speeds.of(other) == before


def test_a_model_that_is_loaded_need_not_be_loaded_again():
    speeds = ModelSpeeds()
    speeds.record_load(Named(), 3)
    speeds.record_load(Named(), 0.0001)

    assert speeds.of(Named()).load == 0


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("memsifter-4b-Q4_K_M", 20),
        ("Qwen3-Reranker-0.6B", 400 / 3),
        ("SmolLM2-135M-Instruct", 80 / 0.135),
        ("my-model", 20),
        ("q4bits", 20),
    ],
)
def test_what_was_not_measured_is_guessed_by_the_size_in_the_name(name, read):
    assert ModelSpeeds().of(Named(name)).read == pytest.approx(read)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"models": 3}',
        b'{"models": {"f": 3, "g": {"read": "fast"}, "h": {"read": -1, "load": NaN}}}',
        b'{"models": {"f": {"read": 1e400, "write": true}}}',
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path, content):
    path = tmp_path / "speeds.json"
    path.write_bytes(content)
    speeds = ModelSpeeds(path)

    assert speeds.of(Named()) == ModelSpeeds().of(Named())
    speeds.record_read(Named(), 100, 1)
    speeds.save()
    assert ModelSpeeds(path).of(Named()).read == 100


def test_only_so_many_models_are_kept_the_latest(tmp_path):
    path = tmp_path / "speeds.json"
    for number in range(MOST_MODELS + 5):
        speeds = ModelSpeeds(path)
        speeds.record_read(Named(fingerprint=f"f{number}"), 100, 1)
        speeds.save()

    kept = list(json.loads(path.read_bytes())["models"])
    assert kept == [f"f{number}" for number in range(5, MOST_MODELS + 5)]


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    speeds = ModelSpeeds(tmp_path / "file" / "speeds.json")
    speeds.record_read(Named(), 100, 1)

    speeds.save()
    assert speeds.of(Named()).read == 100
