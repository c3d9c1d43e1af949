import pytest

from memcli.store.index.spelling import nearest_spelling

STEMS = [("carolin", 9), ("carol", 2), ("camp", 5), ("bibliothek", 1), ("wanderung", 3)]


@pytest.mark.parametrize(
    ("typed", "stem"),
    [
        ("carolni", "carolin"),  # two swapped
        ("crolin", "carolin"),  # one too few
        ("carollin", "carolin"),  # one too many
        ("karolin", "carolin"),  # one wrong; the caller gives stems that begin alike
        ("biblotek", None),  # two slips, but eight letters
        ("biblotheck", "bibliothek"),  # two slips, ten letters
        ("wandern", "wanderung"),  # another ending
        ("umbrella", None),
    ],
)
def test_a_mistyped_stem_is_taken_for_the_nearest(typed, stem):
    assert nearest_spelling(typed, STEMS) == stem


def test_of_stems_equally_near_the_most_frequent_is_meant():
    assert nearest_spelling("marin", [("maris", 1), ("maria", 7)]) == "maria"


def test_among_no_stems_none_is_meant():
    assert nearest_spelling("anything", []) is None
