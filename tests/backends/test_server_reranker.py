"""Answers of rerank endpoints, and of chats in their place."""

import math
from functools import partial

import pytest
from helpers.hostile_server import answer, serving

from memcli.backends.server import Limits, ServerReranker, parse_endpoint
from memcli.backends.server.reranking.score_client import Scoring
from memcli.errors import BackendError
from memcli.protocols import Reranker, RerankPrompt

PROMPT = RerankPrompt(
    prefix="<|im_start|>system\nAnswer yes or no.<|im_end|>\n<|im_start|>user\n",
    body="<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}",
    suffix="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    instruction="Find what answers",
    context=600,
)
BY_RERANK, BY_CHAT = Scoring(), Scoring("chat")
open_reranker = partial(ServerReranker, scoring=BY_RERANK)  # it is believed without a trial
QUICK = Limits(connect_timeout=1, idle_timeout=2, total_timeout=4, attempts=2, first_pause=0.01)


def reranker_at(served, model="m", prompt=PROMPT, scoring=BY_RERANK, **others):
    endpoint = parse_endpoint(f"{served.url}#{model}", limits=QUICK, **others)
    return ServerReranker(endpoint, prompt, scoring=scoring)


def judged(behaviour, passages=("a", "b"), **others):
    with serving(behaviour) as served:
        return dict(reranker_at(served, **others).judge("why", passages))


def sigmoid(logit):
    return pytest.approx(1 / (1 + math.exp(-logit)))


def top(**likely):
    tops = [{"token": token, "logprob": logprob} for token, logprob in likely.items()]
    return {"choices": [{"logprobs": {"content": [{"top_logprobs": tops}]}}]}


RESULTS = [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.25}]
SCORES = [{"index": 1, "score": 0.75, "document": "b"}, {"index": 0, "score": 0.25}]


@pytest.mark.parametrize(
    "reply",
    [
        {"results": RESULTS},
        {"data": SCORES},
        {"code": 0, "data": {"results": RESULTS}, "message": "ok"},
        {"code": 200, "data": SCORES, "message": "ok"},
        SCORES,
        {"model": "m", "results": RESULTS, "usage": {}},
    ],
)
def test_every_form_of_answer_is_read(reply):
    assert judged(answer(reply)) == {0: 0.25, 1: 0.75}


def test_the_request_is_what_the_api_says_and_the_fingerprint_tells_places_apart():
    with serving(answer({"results": RESULTS})) as served:
        reranker: Reranker = reranker_at(served, key="k", scheme="Token")
        list(reranker.judge("why", ["a", "b"]))
        prints = {each.fingerprint for each in (reranker, reranker_at(served, model="other"))} | {
            open_reranker(parse_endpoint("http://127.0.0.1:1/v1#m"), PROMPT).fingerprint
        }

    [request] = served.requests
    assert request.path == "/v1/rerank"
    assert request.headers["authorization"] == "Token k"
    assert request.body == {"model": "m", "query": "why", "documents": ["a", "b"], "top_n": 2}
    assert len(prints) == 3


def test_no_passage_asks_nothing():
    with serving(answer({})) as served:
        assert list(reranker_at(served).judge("why", [])) == []

    assert not served.requests


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ({"results": RESULTS[:1]}, "answers with 1 results for 2 passages"),
        ({"results": []}, "answers with 0 results for 2 passages"),
        ({"results": [RESULTS[0], RESULTS[0]]}, "an invalid result"),
        ({"results": [{"index": 2, "score": 1}, RESULTS[0]]}, "an invalid result"),
        ({"results": [{"index": -1, "score": 1}, RESULTS[0]]}, "an invalid result"),
        ({"results": [{"index": True, "score": 1}, RESULTS[1]]}, "an invalid result"),
        ({"results": [{"index": "0", "score": 1}, RESULTS[0]]}, "an invalid result"),
        ({"results": [{"index": 0, "score": None}, RESULTS[0]]}, "an invalid result"),
        ({"results": [{"index": 0, "score": "high"}, RESULTS[0]]}, "an invalid result"),
        (b'{"results": [{"index": 0, "score": NaN}]}', "an invalid result"),
        (b'{"results": [{"index": 0, "score": 1e999}]}', "an invalid result"),
        ({"results": ["a", "b"]}, "an invalid result"),
        ({"results": 7}, "answers with 0 results"),
        ({"code": 401, "message": "invalid token", "data": None}, "'invalid token'"),
        ({"object": "list"}, r"answers without results: .*object"),
        ("text", "answers with 0 results"),
        (None, "answers with 0 results"),
    ],
)
def test_an_answer_that_is_not_one_score_a_passage_is_an_error(reply, error):
    with pytest.raises(BackendError, match=rf"http://127\.0\.0\.1:\d+/v1 .*{error}"):
        judged(answer(reply))


def test_passages_are_cut_to_the_context_and_sent_in_batches():
    def even(request):
        return [{"index": at, "score": 0.5} for at in range(len(request.body["documents"]))]

    with serving(answer(even)) as served:
        found = dict(reranker_at(served).judge("why", ["long " * 999] + ["p"] * 35))

    assert found.keys() == set(range(36))
    assert [len(request.body["documents"]) for request in served.requests] == [16, 16, 4]
    assert 2000 < len(served.requests[0].body["documents"][0]) < 3000  # of 600 tokens


def test_a_question_that_fills_the_context_is_an_error():
    with pytest.raises(BackendError, match="the question leaves no room"):
        list(
            open_reranker(parse_endpoint("http://127.0.0.1:1/v1#m"), PROMPT).judge(
                "why " * 999, ["a"]
            )
        )


def chat_only(reply, status=404, told="Not Found"):
    """Answer as a server without a rerank endpoint."""

    def behave(request):
        if request.path.endswith("/rerank"):
            return answer({"error": {"message": told}}, status)(request)
        return reply(request)

    return behave


def test_a_chat_says_yes_or_no():
    with serving(chat_only(answer(top(yes=-0.2, no=-1.7)))) as served:
        reranker = reranker_at(served, scoring=BY_CHAT)
        assert dict(reranker.judge("why", ["{query}", "b"])) == {0: sigmoid(1.5), 1: sigmoid(1.5)}
        assert dict(reranker.judge("why", ["c"])) == {0: sigmoid(1.5)}

    paths = [request.path for request in served.requests]
    assert paths == ["/v1/chat/completions"] * 3
    assert {request.body["messages"][1]["content"] for request in served.requests[:2]} == {
        "<Instruct>: Find what answers\n<Query>: why\n<Document>: {query}",
        "<Instruct>: Find what answers\n<Query>: why\n<Document>: b",
    }
    body = served.requests[1].body
    assert body["messages"][0] == {"role": "system", "content": "Answer yes or no."}
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_chat_that_refuses_unknown_fields_is_asked_without():
    def strict(request):
        if "chat_template_kwargs" in request.body:
            return answer({"error": {"message": "Unrecognized argument"}}, 400)(request)
        return answer(top(yes=-1, no=-1))(request)

    assert judged(chat_only(strict), scoring=BY_CHAT) == {0: 0.5, 1: 0.5}


@pytest.mark.parametrize(
    ("likely", "margin"),
    [
        ({"yes": -0.1, "no": -3.1}, 3.0),
        ({"yes": -0.1, "Yes": -0.2, "no": -3.1}, 3.0),  # as taught, before any other spelling
        ({"Yes": math.log(0.25), " yes": math.log(0.25), "No": math.log(0.25)}, math.log(2)),
        ({"Yes": math.log(0.4), "yes": math.log(0.2), "No": math.log(0.3)}, math.log(2)),
        ({"yes": -0.1, "maybe": -4.0, "so": -6.1}, 6.0),  # no is less likely than the last
        ({"no": -0.1, "maybe": -7.1}, -7.0),
        ({"yes": 0.0, "no": -9999.0}, 500.0),
        ({"yes": -1.0}, 0.0),
    ],
)
def test_the_share_of_yes_is_taken_from_the_likeliest_tokens(likely, margin):
    assert judged(chat_only(answer(top(**likely))), passages=["a"], scoring=BY_CHAT) == {
        0: sigmoid(margin)
    }


def test_likelihoods_as_completions_have_them_are_read_too():
    reply = {"choices": [{"logprobs": {"top_logprobs": [{"yes": -0.2, "no": -1.7}]}}]}

    assert judged(chat_only(answer(reply)), passages=["a"], scoring=BY_CHAT) == {0: sigmoid(1.5)}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (top(Sure=-0.1, well=-2), "answers 'Sure' instead of yes or no"),
        ({"choices": [{"message": {"content": "yes"}}]}, "sends no log-probabilities"),
        ({"choices": [{"logprobs": None}]}, "sends no log-probabilities"),
        ({"choices": [{"logprobs": {"content": []}}]}, "sends no log-probabilities"),
        (
            {"choices": [{"logprobs": {"content": [{"top_logprobs": [7]}]}}]},
            "sends no log-probabilities",
        ),
        (top(yes=math.nan, no=math.nan), "sends no log-probabilities"),
        (top(yes="high"), "sends no log-probabilities"),
        ({"choices": []}, "sends no log-probabilities"),
        ([], "sends no log-probabilities"),
    ],
)
def test_a_chat_that_does_not_tell_is_an_error(reply, error):
    with pytest.raises(BackendError, match=error):
        judged(chat_only(answer(reply)), scoring=BY_CHAT)


def test_a_server_that_is_nothing_of_the_kind_is_an_error_with_the_address():
    with pytest.raises(BackendError, match=r"/v1/chat/completions answers 404: nothing here"):
        judged(answer({"message": "nothing here"}, 404), scoring=BY_CHAT)
