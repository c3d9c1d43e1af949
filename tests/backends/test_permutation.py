from hypothesis import given
from hypothesis import strategies as st

from memcli.backends.generation.ranking_constraint import Permutation

COMMA, END = 100, 101


def digits(count):
    """Ids as Qwen3 spells them, a token a digit."""
    return [[int(digit) for digit in str(id)] for id in range(count)]


def test_an_id_may_be_the_beginning_of_another():
    list_of_two = Permutation(digits(13), ranked=2, comma=COMMA, end=END)

    list_of_two.take(1)

    assert list_of_two.allowed() == [0, 1, 2, COMMA]
    list_of_two.take(2)
    assert list_of_two.allowed() == [COMMA]
    list_of_two.take(COMMA)
    assert list_of_two.order == [12]
    list_of_two.take(1)
    assert list_of_two.allowed() == [0, 1, END]
    list_of_two.take(END)
    assert list_of_two.order == [12, 1]
    assert list_of_two.complete


def test_an_id_is_named_once():
    ids = Permutation(digits(3), ranked=3, comma=COMMA, end=END)

    for token in (1, COMMA):
        ids.take(token)

    assert ids.allowed() == [0, 2]


def test_a_comma_after_the_short_id_takes_it_and_leaves_the_long_one():
    ids = Permutation(digits(13), ranked=13, comma=COMMA, end=END)

    for token in (1, COMMA, 1):
        ids.take(token)

    assert ids.order == [1]
    assert ids.allowed() == [0, 1, 2]


def test_the_last_id_completes_the_list_where_nothing_could_follow():
    ids = Permutation(digits(10), ranked=1, comma=COMMA, end=END)

    ids.take(7)

    assert (ids.complete, ids.order) == (True, [7])


def test_a_list_of_no_ids_is_complete():
    assert Permutation([], ranked=10, comma=COMMA, end=END).complete
    assert Permutation(digits(5), ranked=0, comma=COMMA, end=END).complete


@given(
    st.integers(1, 120),
    st.integers(1, 120),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_any_choice_of_allowed_tokens_makes_a_permutation(shown, ranked, whole, random):
    spelled = [[id] for id in range(200, 200 + shown)] if whole else digits(shown)
    ids = Permutation(spelled, ranked=ranked, comma=COMMA, end=END)

    while not ids.complete:
        ids.take(random.choice(ids.allowed()))

    assert len(ids.order) == len(set(ids.order)) == min(ranked, shown)
    assert set(ids.order) <= set(range(shown))
