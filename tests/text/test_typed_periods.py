"""Periods as people type them into `--since` and `--until`."""

from datetime import UTC, datetime

import pytest

from memcli.text.typed_periods import parse_period

NOW = datetime(2025, 5, 14, 15, 30, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-03-01", "2024-03-01", "2024-03-02"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024", "2024-01-01", "2025-01-01"),
        ("7d", "2025-05-07", "2025-05-15"),
        ("2w", "2025-04-30", "2025-05-15"),
        ("3m", "2025-02-14", "2025-05-15"),
        ("1y", "2024-05-14", "2025-05-15"),
        ("10 days", "2025-05-04", "2025-05-15"),
        ("last 10 days", "2025-05-04", "2025-05-15"),
        ("10 days ago", "2025-05-04", "2025-05-05"),
        ("today", "2025-05-14", "2025-05-15"),
        ("yesterday", "2025-05-13", "2025-05-14"),
        ("the day before yesterday", "2025-05-12", "2025-05-13"),
        ("last week", "2025-05-05", "2025-05-12"),
        ("this week", "2025-05-12", "2025-05-15"),
        ("last month", "2025-04-01", "2025-05-01"),
        ("this month", "2025-05-01", "2025-05-15"),
        ("This Year", "2025-01-01", "2025-05-15"),
        ("last year", "2024-01-01", "2025-01-01"),
        ("last friday", "2025-05-09", "2025-05-10"),
        ("March 2024", "2024-03-01", "2024-04-01"),
        ("may", "2025-05-01", "2025-06-01"),
        ("november", "2024-11-01", "2024-12-01"),
        ("last summer", "2024-06-01", "2024-09-01"),
        ("gestern", "2025-05-13", "2025-05-14"),
        ("letzte Woche", "2025-05-05", "2025-05-12"),
        ("昨日", "2025-05-13", "2025-05-14"),
        ("2025-03..2025-05", "2025-03-01", "2025-06-01"),
        ("2025-03 .. last week", "2025-03-01", "2025-05-12"),
        ("2025-03..", "2025-03-01", None),
        ("..2025-03", None, "2025-04-01"),
    ],
)
def test_a_period_is_understood(text, start, end):
    found = parse_period(text, NOW)

    def day(moment):
        return moment and f"{moment:%Y-%m-%d}"

    assert (day(found.start), day(found.end)) == (start, end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "soon",
        "passport yesterday",
        "yesterday and last week",
        "7x",
        "2025-05..2025-03",
        "2024-13",
        "this passport",
        "99999w",
    ],
)
def test_anything_else_is_not_a_period(text):
    with pytest.raises((ValueError, OverflowError)):
        parse_period(text, NOW)


def test_the_last_month_of_a_short_month_is_its_last_day():
    found = parse_period("1m", datetime(2025, 3, 31, 12, tzinfo=UTC))

    assert f"{found.start:%Y-%m-%d}" == "2025-02-28"
