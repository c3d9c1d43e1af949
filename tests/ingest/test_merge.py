from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from helpers.builders import BEGIN, MINUTE, said, talk, turn, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.domain import Kind
from memcli.ingest.cutting import ENOUGH, FEW_DAYS, LONGEST, QUIET, cut_sessions
from memcli.ingest.merge import merge, turn_digest

HOUR = timedelta(hours=1)


def cut(stretch, *, endless=True):
    return cut_sessions("notes", "chat", "Chat", stretch, endless=endless)


def joined(*pieces):
    """What pieces become, each absorbed whole."""
    stored = ()
    for piece in pieces:
        stored = merge(stored, piece).turns
    return stored


def test_a_second_merge_changes_nothing():
    first = merge((), turns("me: Hi", "ai: Hello"))

    second = merge(first.turns, turns("me: Hi", "ai: Hello"))

    assert (first.new, first.changed, first.unchanged) == (2, 0, 0)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 2)
    assert second.turns == first.turns
    assert second.replaced == ()


def test_an_edited_turn_takes_the_place_of_the_stored_one():
    stored = turns("me: We fly on Monday.")

    merged = merge(stored, turns("me: We fly on Tuesday."))

    assert said(merged.turns) == ["We fly on Tuesday."]
    assert merged.replaced == stored
    assert merged.changed == 1


def test_an_older_export_does_not_bring_back_what_was_edited():
    old, new = turns("me: We fly on Monday."), turns("me: We fly on Tuesday.")

    merged = merge(new, old, revisions={turn_digest(old[0])})

    assert merged.turns == new
    assert merged.changed == 0


def test_an_empty_text_never_replaces_words():
    merged = merge(turns("me: Hi", "ai: Hello"), turns("me: ", "ai: Hello"))

    assert said(merged.turns) == ["Hi", "Hello"]
    assert merged.replaced == ()


def test_words_replace_an_empty_text():
    assert said(merge(turns("me: "), turns("me: Hi")).turns) == ["Hi"]


def test_what_an_export_no_longer_has_stays_where_it_was():
    stored = turns("me: one", "ai: two", "me: three")

    merged = merge(stored, (stored[0], stored[2]))

    assert merged.turns == stored


def test_of_turns_with_the_same_key_the_first_counts():
    one, other = turn("me: one", "1"), turn("me: other", "1")

    assert merge((), (one, other)).turns == (one,)
    assert merge((turn("me: x", "0"),), (one, other)).turns[-1:] == (one,)


def test_service_notices_are_kept_and_not_counted():
    notice = replace(turn("system: Ann joined"), kind=Kind.SERVICE)

    merged = merge((), (notice,))

    assert merged.turns == (notice,)
    assert merged.new == 0


def test_turns_of_two_exports_are_put_in_the_order_of_time():
    whole = turns("me: a", "ai: b", "me: c", "ai: d", "me: e")
    a, b, c, d, e = whole

    assert merge((a, b), (a, c)).turns == (a, b, c)
    assert merge((a, c), (a, b, d)).turns == (a, b, c, d)
    assert merge((b, d), (a, c, e)).turns == whole
    assert merge((d, e), (a, b)).turns == (a, b, d, e)


def test_exports_that_disagree_about_the_order_lose_and_repeat_nothing():
    a, b, c, d = turns("me: a", "ai: b", "me: c", "ai: d")

    assert sorted(said(merge((a, b, c), (c, d, a)).turns)) == ["a", "b", "c", "d"]


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), unique=True))
def test_merging_keeps_every_turn_once_whatever_the_orders(order, incoming):
    whole = turns(*(f"me: {number}" for number in range(12)))
    stored = [whole[at] for at in order[:7]]
    piece = [whole[at] for at in incoming]

    merged = merge(stored, piece).turns

    assert sorted(t.key for t in merged) == sorted({t.key for t in [*stored, *piece]})
    assert [t for t in merged if t in piece] == piece


@given(st.lists(st.booleans(), min_size=2, max_size=20), st.randoms())
@settings(max_examples=200)
def test_pieces_of_a_chat_in_any_order_make_the_whole(marks, random):
    whole = turns(*(f"me: {number}" for number in range(len(marks))))
    edges = [0, *(at for at, mark in enumerate(marks) if mark and at), len(whole)]
    pieces = [whole[max(first - 1, 0) : last] for first, last in pairwise(edges)]
    random.shuffle(pieces)

    assert joined(*pieces) == whole


@given(st.lists(st.sets(st.integers(0, 9), min_size=1), min_size=1, max_size=5))
@settings(max_examples=200)
def test_exports_that_each_lack_something_are_put_in_the_order_of_time(exports):
    whole = turns(*(f"me: {number}" for number in range(10)))
    pieces = [[whole[at] for at in sorted(export)] for export in exports]

    assert joined(*pieces) == tuple(whole[at] for at in sorted(set().union(*exports)))


def test_a_talk_with_an_assistant_is_one_session_however_long_it_lasts():
    whole = turns(*["me: x"] * 300, step=HOUR)

    [one] = cut(whole, endless=False)

    assert one.turns == whole
    assert (one.started_at, one.ended_at) == (BEGIN, BEGIN + 299 * HOUR)


def test_an_endless_chat_is_cut_after_a_quiet_time_and_not_before():
    stretch = turns(*["Ann: a"] * ENOUGH, step=MINUTE)
    later = BEGIN + (ENOUGH - 1) * MINUTE + QUIET
    more = [turn("Bob: b", f"b{at}", later + at * MINUTE) for at in range(ENOUGH)]
    last = [replace(one, sent_at=one.sent_at + MINUTE) for one in more]

    assert [len(one.turns) for one in cut((*stretch, *more))] == [2 * ENOUGH]
    assert [len(one.turns) for one in cut((*stretch, *last))] == [ENOUGH, ENOUGH]


def test_an_endless_chat_without_a_quiet_time_is_cut_after_so_many_turns():
    whole = turns(*["Ann: x"] * (2 * LONGEST + 1))

    assert [len(one.turns) for one in cut(whole)] == [LONGEST, LONGEST, 1]


def test_a_turn_without_a_time_ends_no_session():
    whole = (turn("Ann: a", "1"), turn("Ann: b", "2", None), turn("Ann: c", "3", BEGIN + MINUTE))

    assert [said(one.turns) for one in cut(whole)] == [["a", "b", "c"]]


def test_a_session_keeps_its_id_when_it_grows():
    a, b = turns("Ann: a", "Bob: b")

    assert cut((a, b))[0].id == cut((a,))[0].id


def test_a_reply_after_a_quiet_time_belongs_to_what_it_answers():
    asked, other = turn("Ann: a", "1"), turn("Bob: b", "2", BEGIN + MINUTE)
    answer = replace(turn("Bob: c", "3", BEGIN + FEW_DAYS + MINUTE), parent="1")
    late = replace(turn("Ann: d", "4", BEGIN + FEW_DAYS + 10 * HOUR), parent="9")

    sessions = cut((asked, other, answer, late))

    assert [said(one.turns) for one in sessions] == [["a", "b", "c"], ["d"]]


def test_participants_are_named_in_the_order_they_first_speak():
    [one] = cut(talk("Trip", "Bob: a", "Ann: b", "Bob: c").turns, endless=False)
    [other] = cut(talk("Trip", "ai: a", "me: b").turns, endless=False)

    assert one.participants == ("Bob", "Ann")
    assert other.participants == ("assistant", "user")
