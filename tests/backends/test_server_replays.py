"""Servers as they really answer, in the roles that test_served_rerankers.py does not cover.

Each server is written after its documentation or its code: the routes that it lacks, the form of
its errors, the fields that it refuses or ignores, and how its streams end.
"""

import json

import pytest
from helpers.hostile_server import answer, serving, stream
from helpers.rerank_servers import chat_server, logit_of, yes_no

from memcli.backends.server import (
    Limits,
    open_chat,
    open_embedder,
    open_reader,
    open_reranker,
    open_sifter,
    parse_endpoint,
)
from memcli.backends.server.reranking.known_pairs import KNOWN_PAIRS
from memcli.errors import BackendError
from memcli.protocols import Message, RerankPrompt, Sampling, SiftedOrder, Thought, Tool, ToolCall

QUICK = Limits(connect_timeout=1, idle_timeout=2, total_timeout=4, attempts=2, first_pause=0.01)
COOL = Sampling(temperature=0.5, top_p=0.9, top_k=7, seed=3)
TOOLS = [
    Tool(
        "ignore",
        "Ignore it.",
        {"type": "object", "properties": {"why": {"type": "string"}}, "required": ["why"]},
    )
]
ASKED = [Message("system", "You keep memories."), Message("user", "Good morning")]
PROMPT = RerankPrompt(
    prefix="<|im_start|>system\nAnswer yes or no.<|im_end|>\n<|im_start|>user\n",
    body="<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}",
    suffix="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    instruction="Find what answers",
    context=600,
)


def at(served):
    return parse_endpoint(f"{served.url}#m", limits=QUICK)


def chunk(delta=None, finish=None, **others):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"object": "chat.completion.chunk", "choices": choices, **others}


def usage(prompt):
    return {"prompt_tokens": prompt, "completion_tokens": 9, "total_tokens": prompt + 9}


# Ollama


def ollama(*deltas, prompt_tokens=40, finish="stop"):
    """Ollama's chat: every delta has a role, thoughts are `reasoning`, and calls come whole.

    It ignores fields that it does not know, `tool_choice` too, and cuts a prompt that is longer
    than its context without a word.
    """

    def behave(request):
        if request.path != "/v1/chat/completions":
            return answer(b"404 page not found", 404, kind="text/plain")(request)
        if not request.body.get("stream"):
            text = request.body["messages"][-1]["content"]
            return answer(yes_no(logit_of(text)))(request)
        pieces = [chunk({"role": "assistant", "content": "", **delta}) for delta in deltas]
        last = chunk({"role": "assistant", "content": ""}, finish)
        asked = (request.body.get("stream_options") or {}).get("include_usage")
        counts = [chunk(usage=usage(prompt_tokens))] if asked else []
        return stream(*pieces, last, *counts)(request)

    return behave


def test_ollama_judges_by_chat():
    right = KNOWN_PAIRS[1].passages
    with serving(ollama()) as served:
        reranker = open_reranker(at(served), PROMPT)
        found = dict(reranker.judge("why", right))

    assert found[0] > 0.9 > 0.1 > found[1]


def test_an_ollama_without_log_probabilities_is_refused_and_the_hint_names_the_version():
    plain = answer({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]})

    def old(request):
        is_chat = request.path == "/v1/chat/completions"
        return (plain if is_chat else answer(b"404 page not found", 404, kind="text/plain"))(
            request
        )

    with serving(old) as served, pytest.raises(BackendError, match="no log-prob") as raised:
        dict(open_reranker(at(served), PROMPT).judge("why", ["a"]))

    assert "Ollama from 0.12.11 on" in (raised.value.hint or "")


def test_ollama_thinks_and_ranks():
    with serving(
        ollama({"reasoning": "h"}, {"reasoning": "m"}, {"content": "<ranking>1,0"})
    ) as one:
        sifter = open_sifter(at(one), context=4096, sampling=COOL)
        *thought, order = sifter.sift("the message", shown=2, ranked=2, thought_tokens=50)

    assert ("".join(thought), order) == ("hm", SiftedOrder((1, 0)))


def test_ollama_thinks_and_calls():
    called = {"id": "call_1", "index": 0, "type": "function"}
    called |= {"function": {"name": "ignore", "arguments": '{"why":"a greeting"}'}}
    server = ollama({"reasoning": "hm"}, {"tool_calls": [called]}, finish="tool_calls")
    with serving(server) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL)
        *thought, call = reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=50)

    assert ("".join(thought), call) == ("hm", ToolCall("ignore", {"why": "a greeting"}))
    assert len(served.requests) == 1


def test_an_ollama_model_whose_template_has_no_tools_is_named_with_what_it_lacks():
    told = "registry.ollama.ai/library/memreader:latest does not support tools"
    error = {"message": told, "type": "invalid_request_error", "param": None, "code": None}
    with serving(answer({"error": error}, 400)) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL)
        with pytest.raises(BackendError, match="does not support tools") as raised:
            list(reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=50))

    assert "chat template" in (raised.value.hint or "")
    assert len(served.requests) <= 2


def test_ollama_answers_in_words():
    with serving(ollama({"reasoning": "hm"}, {"content": "In "}, {"content": "May."})) as served:
        chat = open_chat(at(served), context=4096, sampling=COOL)
        pieces = list(chat.write(ASKED, thought_tokens=9, answer_tokens=9))

    assert pieces == [Thought("hm"), "In ", "May."]


def test_ollama_embeds():
    def embed(request):
        data = [
            {"object": "embedding", "embedding": [len(text), 1.0], "index": place}
            for place, text in enumerate(request.body["input"])
        ]
        body = {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 4}}
        return answer(body)(request)

    with serving(embed) as served:
        vectors = open_embedder(at(served)).embed(["a", "bb"])

    assert vectors[1][0] / vectors[1][1] == pytest.approx(2)


@pytest.mark.parametrize("counted", [2050, 4096])
def test_a_server_that_read_far_less_than_it_was_sent_is_named(counted):
    """Ollama cuts what exceeds its context, 4,096 tokens by default, and answers as if nothing."""
    message = "We talked about the garden and the long way home. " * 1500
    notes = []
    with serving(ollama({"content": "<ranking>1,0"}, prompt_tokens=counted)) as served:
        sifter = open_sifter(at(served), context=32_768, sampling=COOL, note=notes.append)
        for _ in range(2):
            list(sifter.sift(message, shown=2, ranked=2, thought_tokens=50))

    [said] = notes
    assert f"{counted:,} tokens" in said
    assert "OLLAMA_CONTEXT_LENGTH" in said


def test_a_server_that_read_what_it_was_sent_is_not_named():
    message = "We talked about the garden and the long way home. " * 1500
    notes = []
    with serving(ollama({"content": "<ranking>1,0"}, prompt_tokens=15_000)) as served:
        sifter = open_sifter(at(served), context=32_768, sampling=COOL, note=notes.append)
        list(sifter.sift(message, shown=2, ranked=2, thought_tokens=50))

    assert notes == []


# What was refused is not sent again, in later runs either.


def strict(request):
    """Refuse what OpenAI's own API has not, `required`, and continued messages."""
    body = request.body
    if {"chat_template_kwargs", "top_k", "continue_final_message"} & set(body):
        return answer({"error": {"message": "Unrecognized request argument"}}, 400)(request)
    if body.get("tool_choice") == "required":
        return answer({"error": {"message": "tool_choice: only auto and none"}}, 422)(request)
    call = {"index": 0, "function": {"name": "ignore", "arguments": '{"why": "x"}'}}
    tools = [{"tool_calls": [call]}] if "tools" in body else [{"content": "no ranking"}]
    pieces = [{"content": "<think>hm</think>"}, *tools]
    if body["messages"][-1]["content"].startswith("the message\n") or len(body["messages"]) > 2:
        pieces = [{"content": "<ranking>1,0</ranking>"}]
    return stream(*[chunk(piece) for piece in pieces], chunk({}, "stop"))(request)


def test_refused_fields_are_remembered_across_runs_for_a_day(tmp_path):
    file = tmp_path / "state" / "refused.json"
    runs = []
    with serving(strict) as served:
        for _ in range(3):
            before = len(served.requests)
            reader = open_reader(at(served), context=4096, sampling=COOL, refusals=file)
            *_, call = reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=50)
            assert call == ToolCall("ignore", {"why": "x"})
            runs.append([one.body for one in served.requests[before:]])
            if len(runs) == 2:
                known = json.loads(file.read_text())
                for entry in known.values():
                    entry["at"] = "2020-01-01T00:00:00+00:00"
                file.write_text(json.dumps(known))

    first, second, after_a_day = runs
    assert [body["tool_choice"] for body in second] == ["auto"]
    assert "chat_template_kwargs" not in second[0]
    assert len(first) == len(after_a_day) > len(second)
    assert file.stat().st_mode & 0o077 == 0


def test_a_server_that_names_the_field_it_refuses_gets_the_others(tmp_path):
    """transformers serve refuses `top_k` and knows `chat_template_kwargs`."""

    def particular(request):
        unknown = {"top_k"} & set(request.body)
        if unknown:
            return answer({"detail": f"Unexpected fields in the request: {unknown}"}, 422)(request)
        return ollama({"content": "<ranking>1,0"})(request)

    with serving(particular) as served:
        for _ in range(2):
            sifter = open_sifter(
                at(served), context=4096, sampling=COOL, refusals=tmp_path / "refused.json"
            )
            list(sifter.sift("m", shown=2, ranked=2, thought_tokens=9))

    fields = [sorted({"top_k", "chat_template_kwargs"} & set(one.body)) for one in served.requests]
    assert fields == [["chat_template_kwargs", "top_k"], *[["chat_template_kwargs"]] * 2]


def test_a_sifter_does_not_try_again_what_was_refused(tmp_path):
    file = tmp_path / "refused.json"
    runs = []
    with serving(strict) as served:
        for _ in range(2):
            before = len(served.requests)
            sifter = open_sifter(at(served), context=4096, sampling=COOL, refusals=file)
            *_, order = sifter.sift("the message", shown=2, ranked=2, thought_tokens=50)
            assert order == SiftedOrder((1, 0))
            runs.append(len(served.requests) - before)

    assert runs[1] < runs[0]


def test_what_one_model_refuses_is_sent_to_another_and_a_damaged_file_costs_only_requests(tmp_path):
    file = tmp_path / "refused.json"
    for damage in ("", "[]", "{", '{"x": 7}', None):
        if damage is not None:
            file.write_text(damage)
        with serving(strict) as served:
            for model in ("one", "two"):
                endpoint = parse_endpoint(f"{served.url}#{model}", limits=QUICK)
                reader = open_reader(endpoint, context=4096, sampling=COOL, refusals=file)
                list(reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=50))
        choices = [one.body["tool_choice"] for one in served.requests]
        assert choices.count("required") == 2 * choices.count("required") // 2 >= 2


def test_a_reranker_asked_by_chat_does_not_send_a_refused_field_with_every_question(tmp_path):
    def openai(request):
        if "chat_template_kwargs" in (request.body or {}):
            return answer({"error": {"message": "Unrecognized request argument"}}, 400)(request)
        return chat_server()(request)

    file = tmp_path / "refused.json"
    with serving(openai) as served:
        for _ in range(2):
            reranker = open_reranker(
                at(served), PROMPT, verdicts=tmp_path / "served.json", refusals=file
            )
            trial = len(served.requests)
            dict(reranker.judge("why", ["a", "b"]))

    assert len(served.requests) - trial == 2


# vLLM, SGLang, llama-server


def test_an_old_vllm_with_score_alone_gets_the_whole_prompt():
    def vllm(request):
        if request.path != "/v1/score":
            return answer({"detail": "Not Found"}, 404)(request)
        head, texts = request.body["text_1"], request.body["text_2"]
        trained = all((head + one).startswith(PROMPT.prefix) for one in texts)
        trained = trained and all(one.endswith(PROMPT.suffix) for one in texts)
        data = [
            {"index": place, "object": "score", "score": score}
            for place, score in enumerate(
                1 / (1 + 2.718281828 ** -logit_of(one)) if trained else 0.4 for one in texts
            )
        ]
        return answer({"object": "list", "data": data, "usage": {}})(request)

    with serving(vllm) as served:
        reranker = open_reranker(at(served), PROMPT)
        found = dict(reranker.judge("why", KNOWN_PAIRS[0].passages))

    assert found[0] > 0.9 > 0.1 > found[1]
    assert "<Instruct>: Find what answers\n<Query>: why" in served.requests[-1].body["text_1"]


def test_the_instruction_arrives_where_the_server_fills_the_template():
    """SGLang names it `instruct`, llama-server `instruction`."""

    def templated(request):
        if request.path != "/v1/rerank":
            return answer({"detail": "Not Found"}, 404)(request)
        body = request.body
        assert body["instruct"] == body["instruction"] == PROMPT.instruction
        found = [
            {"index": place, "score": 1 / (1 + 2.718281828 ** -logit_of(one)), "document": one}
            for place, one in enumerate(body["documents"])
        ]
        return answer(found)(request)

    with serving(templated) as served:
        assert open_reranker(at(served), PROMPT).verify().passed


def test_a_llama_server_with_reranking_is_asked_by_chat_and_the_flag_is_named_once(tmp_path):
    def with_reranking(request):
        documents = (request.body or {}).get("documents")
        found = [
            {"index": place, "relevance_score": 0.0012 + logit_of(one) / 9000}
            for place, one in enumerate(documents or ())
        ]
        return answer({"model": "m", "object": "list", "results": found})(request)

    notes = []
    with serving(chat_server(with_reranking)) as served:
        for _ in range(2):
            reranker = open_reranker(
                at(served), PROMPT, verdicts=tmp_path / "served.json", note=notes.append
            )
            found = dict(reranker.judge("why", KNOWN_PAIRS[0].passages))
        verdict = reranker.verify()

    assert found[0] > 0.9 > 0.1 > found[1]
    assert "without `--reranking`" in notes[0]
    assert len(notes) == 2  # at each trial
    assert verdict.passed
    assert any(fact.startswith("not asked by rerank: ") for fact in verdict.facts)


@pytest.mark.parametrize("finish", [[], [chunk({}, "stop")]])
def test_streams_end_in_done_with_and_without_a_reason_in_every_role(finish):
    call = {"index": 0, "function": {"name": "ignore", "arguments": '{"why": "x"}'}}
    with serving(stream(chunk({"content": "<think>hm</think><ranking>1,0"}), *finish)) as served:
        sifter = open_sifter(at(served), context=4096, sampling=COOL)
        assert list(sifter.sift("m", shown=2, ranked=2, thought_tokens=9))[-1] == SiftedOrder(
            (1, 0)
        )
    with serving(stream(chunk({"tool_calls": [call]}), *finish)) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL)
        *_, made = reader.call(ASKED, TOOLS, thought_tokens=0, call_tokens=9)
        assert made == ToolCall("ignore", {"why": "x"})
    with serving(stream(chunk({"content": "In May."}), *finish)) as served:
        chat = open_chat(at(served), context=4096, sampling=COOL)
        assert list(chat.write(ASKED, thought_tokens=0, answer_tokens=9)) == ["In May."]
