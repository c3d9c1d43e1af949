"""Answers from streamed chats, the ends of thoughts, and estimated numbers of tokens."""

import pytest
from helpers.hostile_server import chat, says, serving, stream

from memcli.backends.server import Limits, open_chat, parse_endpoint
from memcli.backends.server.thought_splitter import ThoughtSplitter
from memcli.backends.server.token_estimate import estimate_tokens, truncate_to_estimate
from memcli.errors import BackendError
from memcli.protocols import Chat, Message, Sampling, Thought

QUICK = Limits(connect_timeout=1, idle_timeout=2, total_timeout=4, attempts=2, first_pause=0.01)
COOL = Sampling(temperature=0.5, top_p=0.9, top_k=7, seed=3)
ASKED = [Message("system", "You keep memories."), Message("user", "I like tea")]


def at(served):
    return parse_endpoint(f"{served.url}#m", limits=QUICK)


def opened(served) -> Chat:
    return open_chat(at(served), context=4096, sampling=COOL)


def written(served, thought_tokens=50):
    """Return the thought and the answer."""
    pieces = list(opened(served).write(ASKED, thought_tokens=thought_tokens, answer_tokens=49))
    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    words = [piece for piece in pieces if isinstance(piece, str)]
    assert all(words)
    return thought, "".join(words)


@pytest.mark.parametrize(
    "pieces",
    [
        ["Tea", " is", " <b>nice</b>"],
        ["<think>hm, tea</think>\n\n", "Tea is", " <b>nice</b>"],
        [{"reasoning_content": "hm"}, "Tea is ", "<b>nice</b>"],
        ["<th", "ink>hm</thi", "nk>Tea is <b>nice</b>"],
    ],
)
def test_a_chat_streams_the_thought_apart_from_the_words(pieces):
    with serving(chat(*pieces)) as served:
        thought, words = written(served)

    assert words == "Tea is <b>nice</b>"
    assert thought in ("", "hm", "hm, tea")
    assert bool(thought) == (len(pieces) > 3 or "hm" in str(pieces))


def test_a_text_that_looks_like_a_tag_to_its_end_is_shown():
    with serving(chat("<th")) as served:
        assert written(served) == ("", "<th")


def test_words_come_while_they_are_written():
    with serving(stream(*says("a", "b", "c"), pause=0.1)) as served:
        words = opened(served).write(ASKED, thought_tokens=0, answer_tokens=9)

        assert next(words) == "a"
        assert list(words) == ["b", "c"]


def test_thought_and_answer_share_what_is_asked_for():
    with serving(chat("Tea")) as served:
        written(served, thought_tokens=50)
        written(served, thought_tokens=0)

    thinking, at_once = (request.body for request in served.requests)
    assert (thinking["max_tokens"], at_once["max_tokens"]) == (99, 49)
    assert thinking["chat_template_kwargs"] == {"enable_thinking": True}
    assert at_once["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_model_that_thought_too_long_is_asked_to_answer_at_once():
    endless = {"reasoning_content": "hm, " * 9}
    with serving(chat(endless), chat("Tea")) as served:
        assert written(served) == ("hm, " * 9, "Tea")


def test_a_model_that_says_nothing_is_an_error():
    with serving(chat({"reasoning_content": "hm"})) as served, pytest.raises(BackendError):
        written(served)


@pytest.mark.parametrize("size", range(1, 12))
def test_tags_are_found_however_a_text_is_cut(size):
    text = "a < b </thin k> é <rank</think>\n<ranking>1</ranking></think>"
    split = ThoughtSplitter("<ranking>")
    thought = "".join(split.feed(text[at : at + size]) for at in range(0, len(text), size))

    assert thought + split.finish() == "a < b </thin k> é <rank"
    assert split.answer == "<ranking>1</ranking></think>"


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("word a wonderful", 5), ("2023", 4), ("日本語", 3)]
)
def test_tokens_are_estimated_from_letters(text, tokens):
    assert estimate_tokens(text) == tokens
    assert truncate_to_estimate(text, tokens) == text


@pytest.mark.parametrize("text", ["word " * 50, "12" * 50, "日本" * 50, "a1日" * 50])
@pytest.mark.parametrize("tokens", [-1, 0, 1, 7, 49])
def test_a_text_is_cut_to_so_many_tokens(text, tokens):
    short = truncate_to_estimate(text, tokens)

    assert text.startswith(short)
    assert estimate_tokens(short) <= max(tokens, 0)
    assert estimate_tokens(text[: len(short) + 3]) >= tokens  # not much shorter than it could be


def test_limits_of_sampling_that_limit_nothing_are_left_to_the_server():
    free = Sampling(temperature=0.6, top_p=1.0, top_k=0)
    with serving(chat("Paris")) as served:
        opened = open_chat(parse_endpoint(f"{served.url}#m"), context=999, sampling=free)
        list(opened.write([Message("user", "hi")], thought_tokens=0, answer_tokens=9))

    assert not {"top_p", "top_k"} & served.requests[0].body.keys()
