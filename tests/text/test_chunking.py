from dataclasses import replace

from helpers.builders import session, talk, turn
from hypothesis import given
from hypothesis import strategies as st

from memcli.domain import Kind, Passage
from memcli.text.chunking import PASSAGE_LENGTH, passage_text, split_passages


def cut(*lines, length=PASSAGE_LENGTH):
    return split_passages(session(talk("Chat", *lines)), length)


def test_a_short_session_is_one_passage():
    assert cut("me: Hi", "ai: Hello") == [Passage(1, 2)]


def test_windows_share_a_turn():
    assert cut(*(f"me: {'x' * 40}" for _ in range(4)), length=90) == [
        Passage(1, 2),
        Passage(2, 3),
        Passage(3, 4),
    ]


def test_a_session_without_words_has_no_passage():
    assert cut("me: ", "ai:  ") == []
    assert cut() == []


def test_a_turn_that_is_not_searched_takes_no_room():
    chat = talk("Chat", "me: a", "ai: " + "x" * 500, "me: b")
    first, second, third = chat.turns
    whole = session(replace(chat, turns=(first, replace(second, kind=Kind.SERVICE), third)))

    assert split_passages(whole, 100) == [Passage(1, 3)]
    assert passage_text(whole, Passage(1, 3)) == "user: a\nuser: b"


def test_a_long_turn_is_cut_at_sentences():
    text = "One two three. " * 5
    parts = cut("me: a", f"Ann: {text}", "me: b", length=40)

    assert [(part.first, part.start, part.stop) for part in parts] == [
        (1, 0, None),
        (2, 0, 30),
        (2, 30, 60),
        (2, 60, 75),
        (3, 0, None),
    ]


def test_a_part_of_a_turn_is_quoted_with_its_speaker():
    whole = session(talk("Chat", "Ann: Hello there. How are you?"))

    assert passage_text(whole, Passage(1, 1, 13, 25)) == "Ann: How are you?"


def test_a_character_of_an_unspaced_script_counts_for_three():
    assert cut("me: 東京", "ai: 京都", length=11) == [Passage(1, 1), Passage(2, 2)]
    assert cut("me: 東京", "ai: 京都", length=12) == [Passage(1, 2)]
    assert [part.stop - part.start for part in cut("me: " + "東" * 900)] == [300, 300, 300]


@given(st.lists(st.text("ab .。東\n", max_size=60), max_size=12), st.integers(5, 50))
def test_passages_cover_every_searched_character(texts, length):
    turns = tuple(replace(turn("me: x", str(n)), text=text) for n, text in enumerate(texts))
    whole = session(replace(talk("Chat"), turns=turns))

    covered = set()
    for part in split_passages(whole, length):
        for at in range(part.first, part.last + 1):
            text = texts[at - 1]
            stop = len(text) if part.stop is None else part.stop
            covered |= {(at, character) for character in range(part.start, stop)}

    wanted = {(n, at) for n, text in enumerate(texts, 1) if text.strip() for at in range(len(text))}
    assert wanted <= covered


@given(st.lists(st.integers(1, 30), max_size=12))
def test_no_window_of_several_turns_is_longer_than_asked_for(lengths):
    for part in cut(*(f"me: {'x' * length}" for length in lengths), length=40):
        assert part.first == part.last or sum(lengths[part.first - 1 : part.last]) <= 40
