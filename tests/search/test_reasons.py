"""The reasons of a ranking, as a person reads them."""

import pytest

from memcli.search.evidence.reasons import join_pairs


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (("大阪", "阪で", "で一", "一番"), ["大阪で一番"]),
        (("ラー", "ーメ", "メン", "大阪"), ["ラーメン", "大阪"]),
        (("door", "code"), ["door", "code"]),
        (("né", "été"), ["né", "été"]),
        ((), []),
    ],
)
def test_pairs_of_letters_that_overlap_are_one_word(terms, words):
    assert join_pairs(terms) == words
