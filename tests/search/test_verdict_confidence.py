"""The confidence that a session has to do with a question: what adds to it, and what does not."""

import pytest
from helpers.builders import keep, talk
from helpers.keyword_models import WordEmbedder

from memcli.lazy_dataclasses import replace
from memcli.search.evidence.confidence import measure_confidence
from memcli.search.query import SignalWeights, prepare_query
from memcli.search.question.wording import find_names
from memcli.search.signals import find_matches
from memcli.store import Filters, Store


@pytest.fixture
def measure(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        tea = talk("Tea", "Mara: the green tea is in the tin", "Tom: which green tea, the old one?")
        boat = talk("Boat", "Tom: the boat leaks", "Ida: then paint the boat")
        numbers = keep(store, tea, boat)
        for number in numbers:
            store.index.add(number, store.sessions.by_number(number), [])

        def measured(question):
            query = prepare_query(
                question, store, WordEmbedder(), Filters(), now=None, weights=SignalWeights()
            )
            return measure_confidence(numbers[0], query, find_matches(query))

        yield measured


def test_a_name_counts_as_far_as_something_else_is_found(measure):
    assert measure("which green tea did Mara buy").person == 1
    assert 0 < measure("did Mara buy green umbrellas, lanterns, curtains and shoelaces").person < 1
    assert measure("which shoelaces did Mara buy").person == 0
    assert measure("Mara").person == 1


def test_a_name_that_no_session_has_speaks_against_it(measure):
    known, unknown = measure("did Mara sell tea"), measure("did Mara sell Zanzibar tea")

    assert (known.unknown_name, unknown.unknown_name) == (False, True)
    assert replace(known, unknown_name=True).confidence < known.confidence


def test_a_day_is_no_unknown_name(measure):
    assert not measure("was there tea in August 2023").unknown_name


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What did Ida give Tom?", {"ida", "tom"}),
        ("Boats? Did we paint one. Really: Never", set()),
        ("where is the tin", set()),
        ("am I in Nuuk", {"nuuk"}),
        ("Wie hoch war die Miete für das Haus", set()),
        ("THE BOAT IN NUUK", set()),
    ],
)
def test_names_have_a_capital_letter_inside_a_sentence(question, names):
    assert find_names(question) == names
