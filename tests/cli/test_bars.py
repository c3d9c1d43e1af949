"""How far something is: in a log a line a minute, on a terminal a bar, for the quiet nothing."""

import pytest

from memcli.cli.output import progress
from memcli.cli.output.numbers import short_number


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_a_log_gets_a_line_a_minute_with_rate_and_remaining_time(clock, capsys):
    with progress.progress_bars(quiet=False) as tell:
        for done in range(0, 1301, 10):
            tell("vectors", done, 36_000)
            clock(1)

    assert capsys.readouterr().err.splitlines() == [
        "mem: vectors: 600 of 36k, 10 a second, about 59 min to go",
        "mem: vectors: 1,200 of 36k, 10 a second, about 58 min to go",
    ]


def test_what_is_done_within_a_minute_is_not_in_the_log(clock, capsys):
    with progress.progress_bars(quiet=False) as tell:
        for done in range(50):
            tell("words", done, 50)
            clock(1)

    assert capsys.readouterr().err == ""


def test_where_nobody_knows_how_much_there_is_the_log_has_the_rate(clock, capsys):
    with progress.progress_bars(quiet=False) as tell:
        tell("chat.txt, turns", 0, 0)
        clock(60)
        tell("chat.txt, turns", 1_200_000, 0)

    assert capsys.readouterr().err == "mem: chat.txt, turns: 1.2M, 20k a second\n"


def test_the_quiet_hear_nothing(clock, capsys):
    with progress.progress_bars(quiet=True) as tell:
        tell("words", 0, 5)
        clock(600)
        tell("words", 5, 5)

    assert capsys.readouterr().err == ""


def test_who_interrupts_is_told_what_to_type(capsys):
    with pytest.raises(KeyboardInterrupt), progress.resume_hint("`mem index` goes on"):
        raise KeyboardInterrupt

    assert capsys.readouterr().err == "mem: interrupted; `mem index` goes on\n"


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0"), (0.25, "0.25"), (812, "812"), (9_999, "9,999"), (81_234, "81k"), (8.1e6, "8.1M"),
     (2.5e9, "2.5G")],
)  # fmt: skip
def test_numbers_are_told_at_a_glance(number, told):
    assert short_number(number) == told


def test_a_step_that_takes_minutes_has_a_rate_and_a_remaining_time(clock, capsys):
    with progress.progress_bars(quiet=False) as tell:
        for done in range(3):
            tell("questions", done, 10)
            clock(120)

    assert capsys.readouterr().err.splitlines() == [
        "mem: questions: 1 of 10, 0.0083 a second, about 18 min to go",
        "mem: questions: 2 of 10, 0.0083 a second, about 16 min to go",
    ]


def test_what_was_done_long_ago_at_once_does_not_make_the_rest_look_quick(clock, capsys):
    with progress.progress_bars(quiet=False) as tell:
        tell("questions", 0, 1100)
        tell("questions", 1000, 1100)
        clock(60)
        tell("questions", 1001, 1100)
        clock(60)
        tell("questions", 1002, 1100)

    assert capsys.readouterr().err.splitlines()[-1].endswith("about 1 h 38 min to go")
