"""Resampling gives what is known from theory, and the same every time."""

import numpy as np
import pytest

from memcli.evaluation.confidence import EXACT, confidence_interval, sign_flip


def column(*values):
    return np.array(values, dtype=float).reshape(-1, 1)


def test_the_interval_of_a_share_is_the_one_from_theory():
    answers = column(*[1] * 300 + [0] * 100)

    (low,), (high,) = confidence_interval(answers)

    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.005)


def test_where_all_questions_score_alike_the_interval_has_no_width():
    low, high = confidence_interval(column(1, 1, 1))

    assert (low, high) == (1, 1)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 1, 1, 1, 1], 2 / 32),  # only all plus and all minus are as far from 0
        ([1, 1, 1, 1, -1], 12 / 32),  # and those with one sign that differs from the others
        ([1, -1], 1),
        ([0, 0, 0], 1),
        ([0, 1, 0], 1),
        ([-0.1, -0.2, -0.3], 2 / 8),  # sums of decimals in another order are no nearer to 0
    ],
)
def test_few_differences_are_flipped_in_every_way(differences, p):
    [found] = sign_flip(column(*differences), column(*[0] * len(differences)))

    assert found == pytest.approx(p)


def test_many_differences_are_flipped_at_random_with_the_same_result():
    draws = np.random.default_rng(1)
    before = draws.random((400, 2))
    after = before + draws.normal((0.05, 0.0), 0.3, (400, 2))

    sure, by_chance = sign_flip(after, before)

    z = (after - before)[:, 0].mean() / ((after - before)[:, 0].std() / 20)
    assert z > 2.6
    assert sure == pytest.approx(2 * (1 - _normal(z)), abs=0.01)
    assert by_chance > 0.05
    assert sign_flip(after, before).tolist() == [sure, by_chance]


def test_exact_and_random_flips_agree_where_they_meet():
    draws = np.random.default_rng(2)
    few = draws.normal(0.5, 1, (EXACT, 1))
    tiny = np.full((1, 1), 1e-9)  # one more question, too many for every flip to be tried

    [exact], [random] = (sign_flip(one, 0 * one) for one in (few, np.concatenate([few, tiny])))

    assert exact == pytest.approx(random, abs=0.02)


def _normal(z):
    from math import erf, sqrt

    return (1 + erf(z / sqrt(2))) / 2
