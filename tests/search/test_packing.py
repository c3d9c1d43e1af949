"""Tests of the part of sessions that a sifter is shown if not all of it fits."""

import re

import pytest
from helpers.builders import BEGIN, MINUTE, session, talk
from hypothesis import given
from hypothesis import strategies as some

from memcli.domain import Passage
from memcli.search.evidence.candidates import Candidate
from memcli.search.evidence.turns import Evidence
from memcli.search.packing import MOST_SESSIONS, history_block, pack_sessions
from memcli.text.chunking import split_passages


def words(text):
    """Count words and punctuation marks, as a model would."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def candidate(*lines, evidence=(1,), title="Chat", terms=("hazelnut",), at=BEGIN, cut=True):
    made = session(talk(title, *lines, at=at))
    places = tuple(split_passages(made)) if cut else (Passage(evidence[0], evidence[0]),)
    return Candidate(
        abs(hash(title)), made, 1.0, {}, terms, places, tuple(Evidence(at, 1.0) for at in evidence)
    )


def filler(number, length=10):
    return f"me: filler{number} {'word ' * length}".rstrip()


def test_what_fits_is_shown_whole_and_oldest_first():
    new = candidate("me: new", "ai: yes", title="New")
    old = candidate("me: old", title="Old", at=BEGIN - 60 * MINUTE)

    shown = pack_sessions([new, old], words, 1000)

    assert [each.candidate for each in shown] == [old, new]
    assert "[…]" not in history_block(shown)
    assert history_block(shown).startswith(
        "<session0> <date>2024/03/01 (Fri) 11:00</date>\n<user0>old<"
    )


def test_a_long_session_is_cut_to_the_turns_around_its_evidence_and_that_is_marked():
    lines = [filler(number) for number in range(60)]
    lines[29] = "me: no hazelnut I beg you"
    long = candidate(*lines, evidence=(30,), cut=False)

    [shown] = pack_sessions([long], words, 150)

    first, *_, last = shown.positions
    assert 30 in shown.positions
    assert shown.positions == tuple(range(first, last + 1))
    assert abs((30 - first) - (last - 30)) <= 1
    text = history_block([shown])
    assert text.count("[…]") == 2
    assert "\n[…]\n<user" in text
    assert text.endswith("\n[…]\n</session>")


def test_a_turn_that_is_too_long_is_cut_around_the_words_that_match():
    text = f"{'before ' * 500}the hazelnut is what I must not eat {'after ' * 500}".strip()
    long = candidate(f"me: {text}", "ai: Noted.")

    [shown] = pack_sessions([long], words, 80)

    [line] = [line for line in history_block([shown]).splitlines() if line.startswith("<user0>")]
    assert re.fullmatch(
        r"<user0>\[…\] (before )+the hazelnut is what I must not eat( after)+ \[…\]</user>", line
    )
    assert words(history_block([shown])) > 60


def test_of_several_places_in_a_turn_the_one_with_most_of_the_words_is_shown():
    text = f"hazelnut {'x ' * 900} hazelnut cake {'y ' * 900}"
    long = candidate(f"me: {text}", terms=("hazelnut", "cake"), cut=False)

    [shown] = pack_sessions([long], words, 60)

    assert "hazelnut cake" in history_block([shown])


def test_a_turn_found_by_meaning_is_cut_around_its_best_passage():
    text = "one. " * 600 + "two. " * 600
    made = session(talk("Chat", f"me: {text}"))
    far = Passage(1, 1, 4000, 4900)
    long = Candidate(1, made, 1.0, {}, (), (far,), (Evidence(1, 0.0),))

    [shown] = pack_sessions([long], words, 80)

    assert "two" in history_block([shown])
    assert "one" not in history_block([shown])


def test_a_script_without_spaces_is_cut_too():
    long = candidate(f"me: {'日' * 500}榛子{'本' * 500}", terms=("榛子",))

    [shown] = pack_sessions([long], len, 200)

    assert "榛子" in history_block([shown])
    assert len(history_block([shown])) <= 200


def test_the_best_session_leaves_room_for_those_after_it():
    huge = candidate(*(filler(number) for number in range(500)), title="Huge")
    others = [candidate("me: hazelnut", title=f"T{number}") for number in range(MOST_SESSIONS + 5)]

    shown = pack_sessions([huge, *others], words, 2000)

    assert len(shown) == MOST_SESSIONS
    assert words(history_block(shown)) > 1800  # what the others do not need, the best has


def test_a_small_room_shows_few_sessions_well_and_not_many_badly():
    many = [candidate(*map(filler, range(60)), title=f"T{number}") for number in range(20)]

    shown = pack_sessions(many, words, 320)

    assert {each.candidate.number for each in shown} == {one.number for one in many[:2]}


@pytest.mark.parametrize("room", [-5, 0, 3])
def test_where_nothing_fits_nothing_is_shown(room):
    assert pack_sessions([candidate("me: hazelnut")], words, room) == []


def test_a_session_without_words_is_shown_as_its_date():
    chat = candidate("me: x", title="Empty")
    empty = Candidate(1, session(talk("Empty")), 1.0, {}, (), chat.passages, chat.evidence)

    assert history_block(pack_sessions([empty], words, 50)) == "<session0>\n</session>"


lines = some.lists(
    some.builds(
        "{}: {}".format,
        some.sampled_from(["me", "ai", "Ann"]),
        some.text(some.sampled_from("ab \n.hazelnut<>/日本"), min_size=1, max_size=400),
    ),
    min_size=1,
    max_size=30,
)
counts = some.sampled_from(
    [words, len, lambda text: len(text.encode()), lambda text: len(text) // 4 + text.count("\n")]
)


def make_candidate(number, said, evidence):
    return candidate(*said, evidence=(1 + evidence % len(said),), title=f"T{number}")


@given(some.lists(some.tuples(lines, some.integers(0, 50)), max_size=25), some.data(), counts)
def test_the_history_never_exceeds_its_room(talks, data, count):
    candidates = [make_candidate(number, *talk) for number, talk in enumerate(talks)]
    room = data.draw(some.integers(0, 5000))

    shown = pack_sessions(candidates, count, room)

    text = history_block(shown)
    assert not shown or count(text) <= room
    assert len(shown) <= MOST_SESSIONS
    assert re.findall(r"^<session(\d+)>", text, re.MULTILINE) == [
        str(number) for number in range(len(shown))
    ]
    assert {each.candidate.number for each in shown} <= {one.number for one in candidates}


def test_a_count_that_grows_when_texts_are_joined_is_respected():
    def strange(text):
        return len(text) * text.count("<session")

    candidates = [candidate(*map(filler, range(20)), title=f"T{number}") for number in range(6)]

    for room in range(0, 4000, 97):
        assert strange(history_block(pack_sessions(candidates, strange, room))) <= room
