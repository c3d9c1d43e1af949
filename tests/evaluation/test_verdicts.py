import pytest

from memcli.evaluation.verdicts import Verdicts, verdicts


def test_a_threshold_is_judged_by_what_it_finds_and_what_it_should_not():
    table = verdicts([0.9, 0.5, 0.2, 0.5], [0.1, 0.5], [0.0, 0.5, 0.95])

    assert table == [
        Verdicts(0.0, found=1, stranger=1, precision=pytest.approx(4 / 6)),
        Verdicts(0.5, found=0.75, stranger=0.5, precision=0.75),
        Verdicts(0.95, found=0, stranger=0, precision=1),
    ]
