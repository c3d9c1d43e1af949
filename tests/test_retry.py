"""Pauses between the attempts at a request."""

import time
from email.utils import formatdate

import pytest

from memcli.retry import Retries, parse_retry_after


@pytest.fixture
def slept(monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def test_a_request_is_attempted_again_after_each_pause_and_no_more(slept):
    retries = Retries([1.0, 2.0])

    assert [retries.wait() for _ in range(4)] == [True, True, False, False]
    assert slept == [1.0, 2.0]


def test_a_server_may_ask_for_a_longer_pause_within_reason(slept):
    retries = Retries([1.0, 1.0, 1.0], longest_pause=10.0)

    for requested_pause in (0.5, 5.0, 3600.0):
        retries.wait(requested_pause)

    assert slept == [1.0, 5.0, 10.0]


def test_progress_grants_all_attempts_anew(slept):
    retries = Retries([1.0])
    retries.wait()

    retries.reset()

    assert retries.wait()
    assert not retries.wait()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("soon", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(header, seconds):
    assert parse_retry_after(header) == seconds


def test_a_date_to_come_is_waited_for():
    header = formatdate(time.time() + 100, usegmt=True)

    assert 90 < parse_retry_after(header) <= 100
