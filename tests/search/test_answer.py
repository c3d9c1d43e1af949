"""Tests of answers that a chat model writes from ranked sessions."""

import pytest
from helpers.builders import session, talk
from helpers.keyword_models import WordChat

from memcli.deadline import DeadlineExceededError, deadline
from memcli.errors import BackendError
from memcli.protocols import Thought
from memcli.search.answer import ANSWER_TOKENS, AnswerStage, TurnReference
from memcli.search.dialogue import Dialogue, Exchange
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import QuotedTurn, RankedSession, RankingListener

DINNER = talk("Dinner", "me: I must not eat hazelnuts.", "ai: Noted.")


class ScriptedChat(WordChat):
    """A chat model that writes given pieces and keeps its messages."""

    def __init__(self, *pieces, context=32_768):
        self.pieces, self.context, self.asked = pieces, context, []

    def write(self, messages, *, thought_tokens, answer_tokens):
        self.asked.append((messages, thought_tokens, answer_tokens))
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece


def result(conversation, *evidence):
    one = session(conversation)
    return RankedSession(
        one, 0.5, None, None, {}, (), tuple(QuotedTurn(at, one.turns[at - 1]) for at in evidence)
    )


def answering(chat, question="What must I not eat?", **how):
    return AnswerStage(question, [result(DINNER, 1)], chat, **how)


def test_an_answer_streams_and_its_references_are_checked():
    chat = ScriptedChat(Thought("hm"), "Hazelnuts ", "[s_din", "ner:1]", ", nuts [s_dinner:9]")
    heard = []
    work = answering(chat, listener=RankingListener(on_thought=heard.append))

    pieces = list(work.stream())

    reply = work.answer
    assert "".join(pieces) == reply.text == "Hazelnuts [s_dinner:1], nuts [s_dinner:9?]"
    assert pieces[0] == "Hazelnuts "
    assert reply.references == (
        TurnReference("s_dinner:1", True),
        TurnReference("s_dinner:9", False),
    )
    assert (heard, reply.out_of_time, reply.stopped_by) == (["hm"], False, None)
    assert (reply.stage.name, reply.stage.tokens_written) == ("answer", 5)


def test_the_model_reads_the_turns_with_their_references_and_the_question_last():
    chat = ScriptedChat("x")
    list(answering(chat, thought_tokens=7).stream())

    [([message], thought, answer)] = chat.asked
    assert "\n[s_dinner:1] 12:00 user: I must not eat hazelnuts.\n" in message.text
    assert message.text.endswith("\n\nWhat must I not eat?")
    assert (message.role, thought, answer) == ("user", 7, ANSWER_TOKENS)


def test_what_was_asked_before_goes_along():
    chat = ScriptedChat("x")
    list(answering(chat, dialogue=Dialogue((Exchange("Who?", "Me."),))).stream())

    assert chat.asked[0][0][0].text.endswith(
        "\n\nuser: Who?\nassistant: Me.\nuser: What must I not eat?"
    )


def test_braces_in_a_chat_are_text():
    chat = ScriptedChat("x")
    braces = talk("Braces", "me: {shown} {0} {question!r} }{")

    list(AnswerStage("{shown}?", [result(braces, 1)], chat).stream())

    assert "user: {shown} {0} {question!r} }{" in chat.asked[0][0][0].text
    assert chat.asked[0][0][0].text.endswith("\n\n{shown}?")


def test_a_model_that_fails_leaves_what_it_said():
    work = answering(ScriptedChat("Half ", BackendError("broke off")))

    assert "".join(work.stream()) == "Half "
    assert work.answer.text == "Half"
    assert str(work.answer.stopped_by) == "broke off"


def test_ctrl_c_leaves_what_was_said():
    work = answering(ScriptedChat("Half of s", KeyboardInterrupt()))

    assert "".join(work.stream()) == "Half of s"
    assert isinstance(work.answer.stopped_by, KeyboardInterrupt)


def test_the_deadline_leaves_what_was_said():
    work = answering(ScriptedChat("Half ", DeadlineExceededError()))

    assert "".join(work.stream()) == "Half "
    assert (work.answer.out_of_time, work.answer.stopped_by) == (True, None)


def test_without_time_nothing_is_asked():
    chat = ScriptedChat("x")

    with deadline(0.5):
        work = answering(chat)
        assert list(work.stream()) == []

    assert (chat.asked, work.answer.text, work.answer.out_of_time) == ([], "", True)


def test_with_little_time_less_is_read_and_thought():
    chat = ScriptedChat("x")
    speeds = ModelSpeeds()
    speeds.record_read(chat, 100, 1.0)  # tokens a second
    speeds.record_write(chat, 100, 1.0)
    speeds.record_load(chat, 0.001)
    lines = [f"me: turn {number} {'word ' * 40}" for number in range(200)]

    with deadline(30):
        work = AnswerStage("word", [result(talk("Long", *lines), 1)], chat, speeds=speeds)
        list(work.stream())

    [([message], thought, _)] = chat.asked
    assert 500 < chat.count(message.text) < 2500
    assert 0 < thought < 1024


def test_a_context_too_small_for_any_turn_is_told():
    work = answering(ScriptedChat("x", context=ANSWER_TOKENS + 1100))

    assert list(work.stream()) == []
    assert "no turn fits" in str(work.answer.stopped_by)


@pytest.mark.parametrize(
    ("question", "says"), [("hazelnuts?", "I must"), ("zebra?", "Nobody said.")]
)
def test_the_fake_quotes_what_shares_a_word(question, says):
    work = answering(WordChat(), question)

    assert "".join(work.stream()).startswith(says)
