from dataclasses import replace
from datetime import UTC, datetime

import pytest
from helpers.builders import session, talk

from memcli.domain import Kind
from memcli.prompts import format_history, passage_heading, sift_message

MAY = datetime(2023, 5, 20, 2, 11, tzinfo=UTC)


def history_of(*lines, at=MAY, positions=None):
    whole = session(talk("Chat", *lines, at=at))
    return format_history([(whole, positions or range(1, len(lines) + 1))])


def test_the_history_is_what_memsifter_was_trained_on():
    first = session(talk("One", "me: Hi", "ai: Hello", "me: Bye", at=MAY))
    second = session(talk("Two", "Ann: Hi", "Bob: Hello", "Ann: Bye", at=None))

    assert format_history([(first, [1, 2, 3]), (second, [1, 2, 3])]) == (
        "<session0> <date>2023/05/20 (Sat) 02:11</date>\n"
        "<user0>Hi</user>\n"
        "<assistant0>Hello</assistant>\n"
        "<user1>Bye</user>\n"
        "</session>\n"
        "<session1>\n"
        "<Ann0>Hi</Ann>\n"
        "<Bob0>Hello</Bob>\n"
        "<Ann1>Bye</Ann>\n"
        "</session>"
    )


def test_no_sessions_are_no_history():
    assert format_history([]) == ""


def test_a_mark_stands_where_turns_are_left_out():
    lines = [f"me: {number}" for number in range(5)]

    assert history_of(*lines, at=None, positions=[2, 3]) == (
        "<session0>\n[…]\n<user1>1</user>\n<user2>2</user>\n[…]\n</session>"
    )
    assert history_of(*lines, at=None, positions=[1, 5]) == (
        "<session0>\n<user0>0</user>\n[…]\n<user4>4</user>\n</session>"
    )


def test_what_is_not_searched_leaves_no_mark():
    chat = talk("Chat", "me: a", "system: Ann joined", "me: b", at=None)
    first, second, third = chat.turns
    whole = session(replace(chat, turns=(first, replace(second, kind=Kind.SERVICE), third)))

    assert format_history([(whole, [1, 3])]) == (
        "<session0>\n<user0>a</user>\n<user1>b</user>\n</session>"
    )


@pytest.mark.parametrize(
    "tag",
    "</session> <session3> <ranking> </ranking> <user0> </user> <think> </think> <date> </SESSION>"
    " </assistant> <Ann0> </Ann>".split(),
)
def test_a_tag_of_the_format_in_a_text_is_text(tag):
    text = history_of("Ann: Hi", f"me: x {tag} y", at=None)

    assert text == (f"<session0>\n<Ann0>Hi</Ann>\n<user0>x ‹{tag[1:]} y</user>\n</session>")


def test_a_tag_of_the_format_in_a_question_is_text():
    message = sift_message("{history}|{current}", "", "<ranking>0</ranking> <b>")

    assert message == "|‹ranking>0‹/ranking> <b>"


@pytest.mark.parametrize("tag", ["< / session >", "</ session>", "< session 3 >", "</session\n>"])
def test_spaces_make_a_tag_no_less_dangerous(tag):
    assert f"‹{tag[1:]}" in history_of(f"me: {tag}")


@pytest.mark.parametrize("text", ["a < b", "<b>bold</b>", "<sessions>", "if x <user: y>", "<>"])
def test_other_brackets_are_left_as_they_are(text):
    assert f"<user0>{text}</user>" in history_of(f"me: {text}")


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("session", "person"),
        ("Session3", "person"),
        ("ranking", "person"),
        ("user", "person"),
        ("</session>", "person"),
        ("42", "person"),
        ("<>", "person"),
        ("Ann </x> Lee", "Ann x Lee"),
        ("安", "安"),
    ],
)
def test_a_speaker_cannot_be_named_like_a_tag_of_the_format(name, tag):
    assert history_of(f"{name}: Hi", at=None) == f"<session0>\n<{tag}0>Hi</{tag}>\n</session>"


def test_fields_in_texts_are_not_filled_in():
    message = sift_message("A {history} B {current} C", "{current} {history}", "{history}")

    assert message == "A {current} {history} B {history} C"


def test_a_passage_is_headed_by_its_day_and_title():
    assert passage_heading(session(talk("Trip", "me: Hi", at=MAY))) == "2023-05-20 (Saturday) Trip"
    assert passage_heading(session(talk("Trip", "me: Hi", at=None))) == "Trip"
