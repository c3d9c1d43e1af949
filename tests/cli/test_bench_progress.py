"""Who waits is told how far it is, as often as suits where they read it."""

from memcli.cli import bench_progress
from memcli.cli.bench_progress import asking


def test_without_a_terminal_there_is_a_line_a_minute(monkeypatch, capsys):
    clock = iter([0, 30, 59, 61, 90, 130])
    monkeypatch.setattr(bench_progress, "monotonic", lambda: next(clock))

    with asking("set.json", 2000, quiet=False) as told:
        for done in (100, 200, 400, 500, 1200):
            told(done)

    assert capsys.readouterr().err.splitlines() == [
        "mem: set.json: 400 of 2,000 questions, about 4 min to go",
        "mem: set.json: 1,200 of 2,000 questions, about 1 min to go",
    ]


def test_the_quiet_are_told_nothing(monkeypatch, capsys):
    monkeypatch.setattr(bench_progress, "EVERY", 0.0)

    with asking("set.json", 2, quiet=True) as told:
        told(1)

    assert capsys.readouterr().err == ""
