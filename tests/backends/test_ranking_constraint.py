from hypothesis import given
from hypothesis import strategies as st

from memcli.backends.generation.ranking_constraint import RankingConstraint

COMMA, END = 100, 101


def digits(count):
    """Ids as Qwen3 spells them, a token a digit."""
    return [[int(digit) for digit in str(id)] for id in range(count)]


def test_an_id_may_be_the_beginning_of_another():
    list_of_two = RankingConstraint(digits(13), count=2, comma=COMMA, end=END)

    list_of_two.accept(1)

    assert list_of_two.allowed_tokens() == [0, 1, 2, COMMA]
    list_of_two.accept(2)
    assert list_of_two.allowed_tokens() == [COMMA]
    list_of_two.accept(COMMA)
    assert list_of_two.order == [12]
    list_of_two.accept(1)
    assert list_of_two.allowed_tokens() == [0, 1, END]
    list_of_two.accept(END)
    assert list_of_two.order == [12, 1]
    assert list_of_two.is_complete


def test_an_id_is_named_once():
    ids = RankingConstraint(digits(3), count=3, comma=COMMA, end=END)

    for token in (1, COMMA):
        ids.accept(token)

    assert ids.allowed_tokens() == [0, 2]


def test_a_comma_after_the_short_id_takes_it_and_leaves_the_long_one():
    ids = RankingConstraint(digits(13), count=13, comma=COMMA, end=END)

    for token in (1, COMMA, 1):
        ids.accept(token)

    assert ids.order == [1]
    assert ids.allowed_tokens() == [0, 1, 2]


def test_the_last_id_completes_the_list_where_nothing_could_follow():
    ids = RankingConstraint(digits(10), count=1, comma=COMMA, end=END)

    ids.accept(7)

    assert (ids.is_complete, ids.order) == (True, [7])


def test_a_list_of_no_ids_is_complete():
    assert RankingConstraint([], count=10, comma=COMMA, end=END).is_complete
    assert RankingConstraint(digits(5), count=0, comma=COMMA, end=END).is_complete


@given(
    st.integers(1, 120),
    st.integers(1, 120),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_any_choice_of_allowed_tokens_makes_a_permutation(shown, ranked, whole, random):
    spelled = [[id] for id in range(200, 200 + shown)] if whole else digits(shown)
    ids = RankingConstraint(spelled, count=ranked, comma=COMMA, end=END)

    while not ids.is_complete:
        ids.accept(random.choice(ids.allowed_tokens()))

    assert len(ids.order) == len(set(ids.order)) == min(ranked, shown)
    assert set(ids.order) <= set(range(shown))
