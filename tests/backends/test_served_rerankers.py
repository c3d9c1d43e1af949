"""A served reranker is believed only once it has scored known pairs rightly."""

import json
import math
from dataclasses import replace

import pytest
from helpers.hostile_server import answer, head, serving
from helpers.rerank_servers import (
    PUBLISHED,
    chat_server,
    documents_of,
    logit_of,
    rerank_server,
    results,
    sigmoid,
)

from memcli.backends.server import Limits, open_reranker, parse_endpoint
from memcli.backends.server.reranking.known_pairs import KNOWN_PAIRS
from memcli.errors import BackendError, ExitCode
from memcli.protocols import RerankPrompt

PROMPT = RerankPrompt(
    prefix="<|im_start|>system\nAnswer yes or no.<|im_end|>\n<|im_start|>user\n",
    body="<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}",
    suffix="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    instruction="Find what answers",
    context=600,
)
QUICK = Limits(connect_timeout=1, idle_timeout=3, total_timeout=9, attempts=2, first_pause=0.01)
MORE = {"strong": 3.0, "weak": 0.3, "faint": 0.9}


def reranker_at(served, limits=QUICK, **others):
    return open_reranker(parse_endpoint(f"{served.url}#m", limits=limits), PROMPT, **others)


def judged(behaviour, passages=("strong", "weak"), limits=QUICK, **others):
    with serving(behaviour) as served:
        found = dict(reranker_at(served, limits, **others).judge("why", passages))
    return [found[index] for index in range(len(passages))]


def near(*logits):
    return pytest.approx([sigmoid(logit) for logit in logits], abs=1e-3)


def near_one(logit):
    return pytest.approx(sigmoid(logit), abs=1e-3)


def judged_by(reranker, passage):
    return dict(reranker.judge("why", [passage]))[0]


def refusal(behaviour, **others):
    with pytest.raises(BackendError, match="is not believed") as raised:
        judged(behaviour, **others)
    assert raised.value.exit_code == ExitCode.BACKEND == 7
    return raised.value


@pytest.mark.parametrize("checks", [(), (PUBLISHED,)])
def test_probabilities_are_believed(checks):
    assert judged(rerank_server(more=MORE), checks=checks) == near(3.0, 0.3)


@pytest.mark.parametrize("checks", [(), (PUBLISHED,)])
def test_logits_are_told_once_and_stay_logits_where_all_of_a_reply_lie_between_0_and_1(checks):
    server = rerank_server(lambda logit: logit, MORE)

    assert judged(server, ("weak", "faint"), checks=checks) == near(0.3, 0.9)


@pytest.mark.parametrize("checks", [(), (PUBLISHED,)])
def test_a_sigmoid_of_a_sigmoid_is_undone(checks):
    server = rerank_server(lambda logit: sigmoid(sigmoid(logit)), MORE)

    assert judged(server, checks=checks) == near(3.0, 0.3)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (lambda _logit: 0.5, "nearly the same to everything"),
        (lambda _logit: 0.0, "nearly the same to everything"),
        (lambda _logit: -11.0, "nearly the same to everything"),
        (lambda logit: 0.0018 + logit / 5000, "nearly the same to everything"),
        (lambda logit: 1e-20 * sigmoid(logit), "nearly the same to everything"),
        (lambda logit: sigmoid(-logit), "scores what does not answer above what does"),
        (lambda logit: -logit, "scores what does not answer above what does"),
        (lambda logit: sigmoid(sigmoid(-logit)), "scores what does not answer above"),
        (lambda logit: 0.5 + logit / 25, "not the probabilities"),  # logits of .3 to .66
        (lambda logit: 0.6 + logit / 12, "not the probabilities"),  # of .18 to .93 for all
    ],
)
@pytest.mark.parametrize("checks", [(), (PUBLISHED,)])
def test_wrong_scores_are_refused(score, said, checks):
    error = refusal(rerank_server(score), checks=checks)

    assert "rerank: " in str(error)
    assert said in str(error)
    assert '" / "' in str(error)  # the pairs are named
    assert error.hint


def test_the_error_says_what_came_from_each_way_and_what_to_change():
    error = refusal(rerank_server(lambda _logit: 0.0012))

    assert "score 0.0012, p(yes) 0.001" in str(error)
    assert "chat/completions answers 404: Not Found" in str(error)
    assert "without `--reranking`" in error.hint

    swapped = refusal(rerank_server(lambda logit: sigmoid(-logit)))
    assert '"classifier_from_token": ["no", "yes"]' in swapped.hint


def test_where_the_rerank_endpoint_is_wrong_the_chat_is_asked_and_checked():
    tiny = rerank_server(lambda logit: 0.0018 + logit / 5000)

    assert judged(chat_server(tiny), ("strong", KNOWN_PAIRS[0].passages[0])) == near(0.0, 4.0)


def test_a_server_without_a_rerank_endpoint_is_asked_by_chat_and_only_that_from_then_on():
    with serving(chat_server()) as served:
        reranker = reranker_at(served)
        dict(reranker.judge("why", ["a"]))
        trial = len(served.requests)
        dict(reranker.judge("why", ["b", "c"]))

    assert [one.path for one in served.requests[trial:]] == ["/v1/chat/completions"] * 2


def test_a_chat_that_is_no_reranker_is_refused_with_its_words():
    def surely(_text):
        tops = [{"token": "Sure", "logprob": -0.1}]
        return {"choices": [{"logprobs": {"content": [{"top_logprobs": tops}]}}]}

    error = refusal(chat_server(words=surely))

    assert "answers 'Sure' instead of yes or no" in str(error)


def test_a_chat_without_log_probabilities_is_refused_and_the_hint_says_so():
    error = refusal(chat_server(words=lambda _text: {"choices": [{"message": {"content": "yes"}}]}))

    assert "sends no log-probabilities" in str(error)
    assert "log-probabilities" in error.hint


def test_a_completion_with_the_whole_prompt_is_the_last_way():
    def completions_alone(request):
        if not request.path.endswith("/completions") or "chat" in request.path:
            return answer({"error": "no"}, 404)(request)
        prompt = request.body["prompt"]
        assert prompt.startswith(PROMPT.prefix)
        assert prompt.endswith(PROMPT.suffix)
        logit = logit_of(prompt, MORE)
        tops = {"yes": math.log(sigmoid(logit)), "no": math.log(sigmoid(-logit))}
        return answer({"choices": [{"logprobs": {"top_logprobs": [tops]}}]})(request)

    assert judged(completions_alone) == near(3.0, 0.3)


def test_a_server_without_a_template_gets_the_prompt_that_the_model_was_trained_on():
    """vLLM puts query and document one after the other."""

    def vllm(request):
        if not request.path.endswith("/rerank"):
            return answer({"detail": "Not Found"}, 404)(request)
        body = request.body
        whole = [body["query"] + one for one in body["documents"]]
        trained = all(one.startswith(PROMPT.prefix) and PROMPT.suffix in one for one in whole)
        score = sigmoid if trained else lambda logit: 0.4 + logit / 100
        return answer({"results": results(body, score, MORE)})(request)

    with serving(vllm) as served:
        found = dict(reranker_at(served).judge("why", ["strong", "weak"]))

    assert [found[0], found[1]] == near(3.0, 0.3)
    last = served.requests[-1].body
    assert last["query"] + last["documents"][0] == (
        f"{PROMPT.prefix}<Instruct>: Find what answers\n<Query>: why\n<Document>: strong"
        f"{PROMPT.suffix}"
    )


def test_what_passed_is_remembered_for_a_day_by_address_and_model(tmp_path):
    file = tmp_path / "served.json"
    with serving(rerank_server(lambda logit: logit, MORE)) as served:
        for _ in range(2):
            assert dict(reranker_at(served, verdicts=file).judge("why", ["weak"])) == {
                0: near_one(0.3)
            }
        once = len(served.requests)
        known = json.loads(file.read_text())
        for entry in known.values():
            entry["at"] = "2020-01-01T00:00:00+00:00"
        file.write_text(json.dumps(known))
        dict(reranker_at(served, verdicts=file).judge("why", ["weak"]))
        dict(
            open_reranker(
                parse_endpoint(f"{served.url}#other", limits=QUICK), PROMPT, verdicts=file
            ).judge("why", ["weak"])
        )

    assert len(served.requests) == 3 * (once - 2) + 4
    assert file.stat().st_mode & 0o077 == 0


def test_what_failed_is_tried_again_and_a_damaged_memory_costs_only_a_trial(tmp_path):
    file = tmp_path / "served.json"
    with serving(rerank_server(lambda _logit: 0.5)) as served:
        for _ in range(2):
            with pytest.raises(BackendError, match="is not believed"):
                dict(reranker_at(served, verdicts=file).judge("why", ["weak"]))
    for damage in ("", "[]", "{", '{"a": 7}', '{"a": {"url": "u"}}'):
        file.write_text(damage)
        assert judged(rerank_server(more=MORE), verdicts=file) == near(3.0, 0.3)


def test_a_server_that_changed_since_its_trial_is_not_believed_either(tmp_path):
    file = tmp_path / "served.json"
    changed = []

    def server(request):
        score = (lambda logit: logit) if changed else sigmoid
        return rerank_server(score, MORE)(request)

    with serving(server) as served:
        reranker = reranker_at(served, verdicts=file)
        dict(reranker.judge("why", ["strong"]))
        changed.append(True)
        with pytest.raises(BackendError, match="the server has changed"):
            dict(reranker.judge("why", ["strong"]))
        assert dict(reranker_at(served, verdicts=file).judge("why", ["strong"])) == {
            0: near_one(3.0)
        }


def test_a_server_that_is_down_or_refuses_the_key_is_an_error_of_its_own():
    with serving(answer({"error": {"message": "bad key"}}, 401)) as served:
        with pytest.raises(BackendError, match="answers 401: bad key"):
            dict(reranker_at(served).judge("why", ["a"]))
        assert len(served.requests) == 1


def test_one_language_that_a_model_does_not_know_is_no_fault():
    german_only = {one.passages[0]: 0.0 for one in KNOWN_PAIRS[2:]}
    with serving(rerank_server(more={**german_only, **MORE})) as served:
        verdict = reranker_at(served).verify()

    assert verdict.passed
    assert sum("apart" in fact for fact in verdict.facts) == 2


# What each server answers, as documented or as seen.


def tei(request):
    """Text Embeddings Inference: no `/v1`, `texts`, plain text in errors."""
    if request.path != "/rerank":
        return answer(b"", 404, kind="text/plain")(request)
    if "texts" not in request.body:
        fault = b"Failed to deserialize the JSON body into the target type: missing field `texts`"
        return answer(fault, 422, kind="text/plain; charset=utf-8")(request)
    found = results(request.body, sigmoid, MORE)
    return answer([{"index": one["index"], "score": one["relevance_score"]} for one in found])(
        request
    )


def infinity(request):
    """Infinity: `/rerank`, beside `/v1` where only its other routes are."""
    if request.path != "/rerank":
        return answer({"detail": "Not Found"}, 404)(request)
    body = {"object": "rerank", "results": results(request.body, sigmoid, MORE), "usage": {}}
    return answer(body)(request)


def sglang(request):
    """SGLang: a list, sorted by score, each with its document and `meta_info`."""
    if request.path != "/v1/rerank":
        return answer({"detail": "Not Found"}, 404)(request)
    found = [
        {
            "score": one["relevance_score"],
            "document": request.body["documents"][one["index"]],
            "index": one["index"],
            "meta_info": {"prompt_tokens": 9},
        }
        for one in results(request.body, sigmoid, MORE)
    ]
    return answer(sorted(found, key=lambda one: -one["score"]))(request)


def vllm_score_alone(request):
    """An older vLLM: `/v1/score` and no `/v1/rerank`."""
    if request.path != "/v1/score":
        return answer({"detail": "Not Found"}, 404)(request)
    found = results(request.body, sigmoid, MORE)
    data = [{"index": o["index"], "object": "score", "score": o["relevance_score"]} for o in found]
    return answer({"object": "list", "data": data, "usage": {}})(request)


def lm_studio(request):
    """LM Studio: status 200 with an error inside for every route that it does not have."""
    if request.path == "/v1/chat/completions":
        return chat_server(words=None)(request)
    return answer({"error": f"Unexpected endpoint or method. (POST {request.path})"})(request)


def llama_server(request):
    """llama-server without `--reranking`: its chat is exact."""
    if "rerank" in request.path or "score" in request.path:
        told = "This server does not support reranking. Start it with `--reranking`"
        error = {"code": 501, "message": told, "type": "not_supported_error"}
        return answer({"error": error}, 501)(request)
    return chat_server()(request)


def strict(request):
    """A server that refuses fields that it does not know."""
    if set(request.body) - {"model", "query", "documents", "top_n"}:
        return answer({"error": {"message": "Unrecognized request argument"}}, 400)(request)
    return rerank_server(more=MORE)(request)


def memos(request):
    """The Memos Rerank API: results inside `{"code", "data", "message"}`."""
    data = {"results": results(request.body, sigmoid, MORE)}
    return answer({"code": 0, "data": data, "message": "ok"})(request)


@pytest.mark.parametrize("server", [tei, infinity, sglang, vllm_score_alone, strict, memos])
def test_every_rerank_endpoint_is_found_and_read(server):
    assert judged(server) == near(3.0, 0.3)


@pytest.mark.parametrize("server", [lm_studio, llama_server])
def test_every_server_without_one_is_asked_by_chat(server):
    right = KNOWN_PAIRS[1].passages

    assert judged(server, right) == near(4.0, -5.0)


def test_plain_text_errors_are_shown():
    server = answer(b"Model is overloaded", 413, kind="text/plain")

    with pytest.raises(BackendError, match="answers 413: Model is overloaded"):
        judged(server)


def test_all_documents_of_a_request_stay_within_the_limit_of_the_memos_api():
    limits = replace(QUICK, max_request_tokens=200)
    with serving(memos) as served:
        reranker = reranker_at(served, limits)
        reranker.verify()
        trial = len(served.requests)
        found = dict(reranker.judge("why", ["word " * 60] * 5 + ["word " * 900]))

    sent = [documents_of(one.body) for one in served.requests[trial:]]
    assert found.keys() == set(range(6))
    assert [len(each) for each in sent] == [3, 2, 1]
    assert all(sum(len(text.split()) for text in each) <= 200 for each in sent)


def test_special_tokens_in_chats_are_broken_up_on_every_route():
    passage = "he wrote <|im_end|> and </think> and <tool_call>"
    for server in (rerank_server(more=MORE), chat_server()):
        with serving(server) as served:
            dict(reranker_at(served).judge("what is <|im_start|>?", [passage]))
        sent = json.dumps(served.requests[-1].body)
        assert "he wrote < |im_end|> and < /think> and < tool_call>" in sent
        assert "what is < |im_start|>?" in sent


def reranking(make, score=sigmoid):
    """Answer rerank requests with what `make` makes of the right results and of the scores."""

    def behave(request):
        if not request.path.endswith("/rerank"):
            return answer({"error": {"message": "Not Found"}}, 404)(request)
        found = make(results(request.body, score, {**MORE, **UNLIKE}))
        return answer(found if isinstance(found, dict) else {"results": found})(request)

    return behave


UNLIKE = {  # no two texts of a model have quite the same score
    one.passages[-1]: -5.0 - place / 9 for place, one in enumerate((*KNOWN_PAIRS, PUBLISHED))
}


def rescored(score):
    """Return a change of results to which `score` gives, of all scores and a place, a score."""

    def change(found):
        scores = [one["relevance_score"] for one in found]
        return [{**one, "relevance_score": score(scores, at)} for at, one in enumerate(found)]

    return change


def each(**fields):
    return lambda found: [{**one, **fields} for one in found]


@pytest.mark.parametrize(
    ("change", "score", "said"),
    [
        (each(relevance_score=math.nan), sigmoid, "invalid result"),
        (each(relevance_score=math.inf), sigmoid, "invalid result"),
        (each(relevance_score=None), sigmoid, "invalid result"),
        (each(relevance_score="0.98"), sigmoid, "invalid result"),
        (each(index=None), sigmoid, "invalid result"),
        (each(index=0), sigmoid, "invalid result"),
        (each(index=0.0), sigmoid, "invalid result"),
        (each(index=-1), sigmoid, "invalid result"),
        (lambda found: found[:-1], sigmoid, "1 results for 2 passages"),
        (lambda found: [*found, {"index": 9, "score": 0.5}], sigmoid, "invalid result"),
        (lambda _found: [], sigmoid, "0 results for 2 passages"),
        (lambda _found: {"error": {"message": "model crashed"}}, sigmoid, "model crashed"),
        (lambda _found: {"code": 500, "message": "quota", "data": None}, sigmoid, "quota"),
        (lambda _found: {"detail": "boom"}, sigmoid, "without results"),
        (lambda found: found, lambda logit: logit / 6 + 0.3, "not the probabilities"),
        (lambda found: found, lambda logit: 100 * sigmoid(logit), "not the probabilities"),
        (lambda found: found, lambda logit: sigmoid(sigmoid(sigmoid(logit))), "not the prob"),
        (rescored(lambda scores, at: at / (len(scores) - 1)), sigmoid, "on its place"),
        (rescored(lambda scores, at: 1 - at / (len(scores) - 1)), sigmoid, "above what does"),
        (rescored(lambda scores, at: scores[at] / sum(scores)), math.exp, "on the other passages"),
        (
            rescored(lambda found, at: (found[at] - min(found)) / (max(found) - min(found))),
            sigmoid,
            "on the other passages",
        ),
    ],
)
def test_replies_that_only_look_like_scores_are_refused(change, score, said):
    error = refusal(reranking(change, score))

    assert said in str(error)
    assert error.hint


@pytest.mark.parametrize(
    ("change", "score"),
    [
        (lambda found: found[::-1], sigmoid),
        (lambda found: sorted(found, key=lambda one: -one["relevance_score"]), lambda logit: logit),
        (lambda found: {"code": 0, "data": {"data": found}}, sigmoid),
    ],
)
def test_results_in_another_order_or_wrapped_twice_are_understood(change, score):
    assert judged(reranking(change, score)) == near(3.0, 0.3)


def html(request):
    return answer(b"<html>Bad gateway</html>", 502, kind="text/html")(request)


def cut_short(_request):
    yield head(200)
    yield b'{"results": [{"index": 0,'


def cut_within_its_length(_request):
    yield head(200, length=500)
    yield b'{"results": ['


def slow_with_headers(_request):
    yield b"HTTP/1.1 200 OK\r\n"
    yield 3.0


@pytest.mark.parametrize("server", [html, cut_short, cut_within_its_length, slow_with_headers])
def test_broken_replies_end_in_an_error_of_the_backend_in_bounded_time(server):
    with pytest.raises(BackendError) as raised:
        judged(server, limits=replace(QUICK, idle_timeout=1, total_timeout=2))

    assert "127.0.0.1" in str(raised.value)


def test_the_wrong_pairs_are_named_not_the_right_ones():
    wrong = {KNOWN_PAIRS[0].passages[-1]: -5.0, PUBLISHED.passages[-1]: 4.0}

    error = refusal(rerank_server(more=wrong), checks=[replace(PUBLISHED, scores=())])

    assert "Bread is 2 euros" in str(error)
    assert KNOWN_PAIRS[0].question not in str(error)


def test_a_name_that_the_server_does_not_have_is_what_the_hint_asks_about():
    def unknown(request):
        if request.path.endswith("/rerank"):
            return answer({"error": {"message": "Engine for model name `m` not found"}}, 400)(
                request
            )
        return answer({"detail": "Not Found"}, 404)(request)

    assert "the name after the `#`" in refusal(unknown).hint


def changing(*servers):
    """Return a list with the number of the server that answers now, and a server."""
    now = [0]
    return now, lambda request: servers[now[0]](request)


def test_a_server_that_answers_the_same_to_everything_after_its_trial_is_tried_again():
    now, server = changing(rerank_server(more=MORE), rerank_server(lambda _logit: 0.93))
    with serving(server) as served:
        reranker = reranker_at(served)
        assert judged_by(reranker, "strong") == near_one(3.0)
        now[0] = 1
        with pytest.raises(BackendError, match="nearly the same to everything"):
            dict(reranker.judge("why", ["a", "b", "c"]))


def test_an_honest_server_may_give_many_passages_one_score():
    with serving(rerank_server(more=MORE)) as served:
        found = dict(reranker_at(served).judge("why", ["a", "b", "c"]))

    assert found == {0: 0.5, 1: 0.5, 2: 0.5}


def test_scores_of_another_model_under_the_same_name_are_not_mixed_with_the_old_ones(tmp_path):
    """A name of a served model stays while its weights are exchanged."""
    file = tmp_path / "served.json"
    other = {KNOWN_PAIRS[0].passages[0]: 2.0, "strong": 1.0}
    now, server = changing(rerank_server(more=MORE), rerank_server(more=other))
    with serving(server) as served:
        first = reranker_at(served, verdicts=file)
        dict(first.judge("why", ["strong"]))
        assert reranker_at(served, verdicts=file).fingerprint == first.fingerprint
        now[0] = 1
        known = json.loads(file.read_text())
        file.write_text(json.dumps({key: {**one, "at": ""} for key, one in known.items()}))
        with pytest.raises(BackendError, match="serves another model as m than before"):
            dict(reranker_at(served, verdicts=file).judge("why", ["strong"]))
        second = reranker_at(served, verdicts=file)
        assert judged_by(second, "strong") == near_one(1.0)

    assert second.fingerprint != first.fingerprint
