"""Thoughts and rankings from streamed chats."""

import pytest
from helpers.hostile_server import answer, chat, serving

from memcli.backends.server import Limits, open_sifter, parse_endpoint
from memcli.backends.server.sifter import parse_ranking
from memcli.errors import BackendError
from memcli.protocols import Sampling, SiftedOrder, Sifter

QUICK = Limits(connect_timeout=1, idle_timeout=2, total_timeout=4, attempts=2, first_pause=0.01)
COOL = Sampling(temperature=0.5, top_p=0.9, top_k=7, seed=3)


def at(served):
    return parse_endpoint(f"{served.url}#m", limits=QUICK)


def sift(*behaviours, shown=5, ranked=5, thought_tokens=50):
    """Return the thought, the order, and the bodies of the requests."""
    with serving(*behaviours) as served:
        sifter = open_sifter(at(served), context=4096, sampling=COOL)
        *thought, ranking = sifter.sift(
            "the message", shown=shown, ranked=ranked, thought_tokens=thought_tokens
        )
    assert isinstance(ranking, SiftedOrder)
    return "".join(thought), ranking.order, [request.body for request in served.requests]


REFUSED = answer({"error": {"message": "extra fields not permitted"}}, 400)


@pytest.mark.parametrize(
    ("pieces", "thought"),
    [
        (["<think>", "hm", "</think>", "<ranking>2,0,1</ranking>"], "hm"),
        (["hm</think>\n\n<ranking>2,0,1</ranking>"], "hm"),  # the template opened it
        (["h", "m</th", "ink><rank", "ing>2,", "0,1</ran", "king>"], "hm"),
        (["<", "think>\nhm</think>", "<ranking>2,0,1</ranking>"], "hm"),
        ([" \n<think>a <b> </th c", "</think><ranking>2,0,1</ranking>"], "a <b> </th c"),
        (["hm ", "<ranking>2,0,1</ranking>"], "hm "),  # no tags of a thought at all
        (["<think>say <ranking>1</ranking>? ", "</think><ranking>2,0,1</ranking>"], None),
        (["say <ranking>1</ranking>? ", "</think><ranking>2,0,1</ranking>"], "say "),
        (
            [{"reasoning_content": "h"}, {"reasoning_content": "m"}, "<ranking>2,0,1</ranking>"],
            "hm",
        ),
        ([{"reasoning": "hm"}, "\n\n<ranking>", "2,0,1"], "hm"),
        ([{"role": "assistant", "content": None}, "<ranking>2,0,1</ranking>"], ""),
        ([{"reasoning_content": "hm", "content": "<ranking>2,0,1</ranking>"}], "hm"),
        (["<think></think>Here: <ranking> 2, 0 ,1 </ranking> Bye"], ""),
        (["hm</think><ranking>session2, 9, 2, 0, 0, 1, 77</ranking>"], "hm"),
        (['hm</think>{"ranking": [2, 0, 1]}'], "hm"),
    ],
)
def test_thought_and_ranking_are_told_apart_however_they_come(pieces, thought):
    written, order, bodies = sift(chat(*pieces))

    assert written == ("say <ranking>1</ranking>? " if thought is None else thought)
    assert order == (2, 0, 1)
    assert len(bodies) == 1


def test_the_request_says_how_to_sample_and_how_long():
    _, _, [body] = sift(chat("<ranking>1</ranking>"))

    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "the message"}],
        "stream": True,
        "max_tokens": 50 + 16 + 5 * 2,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "top_k": 7,
        "chat_template_kwargs": {"enable_thinking": True},
        "stream_options": {"include_usage": True},
    }


def test_a_server_that_refuses_what_openai_has_not_is_asked_without_and_remembered():
    with serving(REFUSED, chat("a</think><ranking>1</ranking>")) as served:
        sifter: Sifter = open_sifter(at(served), context=4096, sampling=COOL)
        for _ in range(2):
            assert list(sifter.sift("m", shown=2, ranked=2, thought_tokens=9)) == [
                "a",
                SiftedOrder((1,)),
            ]

    assert [("top_k" in request.body) for request in served.requests] == [True, False, False]


def test_an_answer_in_one_piece_is_read_as_well():
    message = {"content": "<ranking>1,0</ranking>", "reasoning_content": "hm"}
    whole = answer({"choices": [{"message": message, "finish_reason": "stop"}]})

    assert sift(whole)[:2] == ("hm", (1, 0))


def test_a_thought_beyond_its_budget_is_closed_and_the_model_goes_on_behind_it():
    long = chat(*["word "] * 30)

    thought, order, bodies = sift(long, chat("3,1</ranking>"), thought_tokens=10)

    assert thought.split() == ["word"] * 11
    assert order == (3, 1)
    [_, begun] = bodies[1]["messages"]
    assert begun == {
        "role": "assistant",
        "content": f"<think>\n{thought.strip()}\n</think>\n\n<ranking>",
    }
    assert (bodies[1]["continue_final_message"], bodies[1]["add_generation_prompt"]) == (
        True,
        False,
    )
    assert bodies[1]["max_tokens"] == 16 + 5 * 2


@pytest.mark.parametrize(
    "continued",
    ["3, 1</ranking>", "3,1", " 3,1\n", "<think>\nword\n</think>\n\n<ranking>3,1</ranking>"],
)
def test_what_comes_behind_an_open_ranking_is_read_with_and_without_it(continued):
    assert sift(chat("word " * 99), chat(continued), thought_tokens=10)[1] == (3, 1)


@pytest.mark.parametrize(
    "instead",
    [REFUSED, chat("Session 3 is about cats"), chat("1 cat and 2 dogs"), chat("", finish="length")],
)
def test_a_server_that_cannot_go_on_is_asked_once_more(instead):
    schema = chat('{"ranking": [3, 1, 3]}')
    refusals = [instead] * (2 if instead is REFUSED else 1)

    thought, order, bodies = sift(chat("hm " * 99), *refusals, schema, thought_tokens=10)

    assert order == (3, 1)
    asked, said, closing = bodies[-1]["messages"]
    assert asked == bodies[0]["messages"][0]  # unchanged: read already
    assert said == {"role": "assistant", "content": thought.strip()}
    assert closing["role"] == "user"
    form = bodies[-1]["response_format"]["json_schema"]["schema"]["properties"]["ranking"]
    assert form["items"]["enum"] == [0, 1, 2, 3, 4]


def test_a_model_that_thinks_and_stops_is_asked_for_its_ranking():
    assert sift(chat("hm", "</think>", "cats"), chat("2</ranking>"))[:2] == ("hm", (2,))


def test_no_thought_allowed_is_none_asked_for():
    thought, order, bodies = sift(chat("2,1</ranking>"), thought_tokens=0)

    assert (thought, order) == ("", (2, 1))
    assert "continue_final_message" in bodies[0]


def test_a_model_that_never_ranks_is_an_error():
    with pytest.raises(BackendError, match=r"m at http://127.* gave no ranking"):
        sift(chat("I would rather not"))


def test_nothing_shown_asks_nothing():
    assert sift(chat(""), shown=0) == ("", (), [])


def test_no_more_is_ranked_than_asked_for():
    assert sift(chat("<ranking>4,3,2,1,0</ranking>"), ranked=2)[1] == (4, 3)


def test_a_message_too_long_for_the_context_is_an_error_with_the_numbers():
    sifter = open_sifter(parse_endpoint("http://127.0.0.1:1/v1#m"), context=100, sampling=COOL)

    with pytest.raises(BackendError, match=r"takes about 100 tokens.* than the context of 100"):
        list(sifter.sift("x" * 400, shown=3, ranked=3, thought_tokens=9))


@pytest.mark.parametrize(
    ("text", "cut_short", "order"),
    [
        ("<ranking>1,2</ranking>", False, (1, 2)),
        ("<ranking>1,2", False, (1, 2)),
        ("<ranking>1,2", True, (1,)),  # may have been 23
        ("<ranking>1,2,", True, (1, 2)),
        ("<ranking></ranking>", False, ()),
        ("<ranking>9</ranking>", False, ()),
        ("<ranking>-1</ranking>", False, (1,)),
        ("<ranking>" + "9" * 5000 + "</ranking>", False, ()),
        ("<ranking>①,٣,1</ranking>", False, (1,)),
        ('{"ranking": []}', False, ()),
        ('{"ranking": [2, 1', True, (2,)),
        ("1,2", False, ()),
        ("", False, ()),
    ],
)
def test_rankings_are_read_leniently(text, cut_short, order):
    assert parse_ranking(text, 5, cut=cut_short) == order
