"""Words out of streamed chats; where thoughts end; how many tokens a text is."""

import pytest
from hostile_server import chat, says, serving, stream

from memcli.backends.server import Limits, endpoint, open_chat
from memcli.backends.server.thought import Split
from memcli.backends.server.tokens import cut, estimated
from memcli.protocols import Message, Sampling

QUICK = Limits(connect=1, silence=2, whole=4, attempts=2, pause=0.01)
COOL = Sampling(temperature=0.5, top_p=0.9, top_k=7, seed=3)
ASKED = [Message("system", "You keep memories."), Message("user", "I like tea")]


def at(served):
    return endpoint(f"{served.url}#m", limits=QUICK)


@pytest.mark.parametrize(
    "pieces",
    [
        ["Tea", " is", " <b>nice</b>"],
        ["<think>hm, tea</think>\n\n", "Tea is", " <b>nice</b>"],
        [{"reasoning_content": "hm"}, "Tea is ", "<b>nice</b>"],
        ["<th", "ink>hm</thi", "nk>Tea is <b>nice</b>"],
    ],
)
def test_a_chat_streams_words_without_the_thought(pieces):
    with serving(chat(*pieces)) as served:
        words = list(open_chat(at(served), sampling=COOL).write(ASKED, tokens=99))

    assert "".join(words) == "Tea is <b>nice</b>"
    assert all(words)


def test_a_text_that_looks_like_a_tag_to_its_end_is_shown():
    with serving(chat("<th")) as served:
        assert list(open_chat(at(served), sampling=COOL).write(ASKED, tokens=9)) == ["<th"]


def test_words_come_while_they_are_written():
    with serving(stream(*says("a", "b", "c"), pause=0.1)) as served:
        words = open_chat(at(served), sampling=COOL).write(ASKED, tokens=9)

        assert next(words) == "a"
        assert list(words) == ["b", "c"]


@pytest.mark.parametrize("size", range(1, 12))
def test_tags_are_found_however_a_text_is_cut(size):
    text = "a < b </thin k> é <rank</think>\n<ranking>1</ranking></think>"
    split = Split("<ranking>")
    thought = "".join(split.take(text[at : at + size]) for at in range(0, len(text), size))

    assert thought + split.end() == "a < b </thin k> é <rank"
    assert split.answer == "<ranking>1</ranking></think>"


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("word a wonderful", 5), ("2023", 4), ("日本語", 3)]
)
def test_tokens_are_estimated_from_letters(text, tokens):
    assert estimated(text) == tokens
    assert cut(text, tokens) == text


@pytest.mark.parametrize("text", ["word " * 50, "12" * 50, "日本" * 50, "a1日" * 50])
@pytest.mark.parametrize("tokens", [-1, 0, 1, 7, 49])
def test_a_text_is_cut_to_so_many_tokens(text, tokens):
    short = cut(text, tokens)

    assert text.startswith(short)
    assert estimated(short) <= max(tokens, 0)
    assert estimated(text[: len(short) + 3]) >= tokens  # not much shorter than it could be
