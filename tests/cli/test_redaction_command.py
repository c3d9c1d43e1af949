"""Secrets are masked where text leaves: in contexts, for agents, and for models elsewhere."""

import json
from contextlib import suppress

import pytest
from helpers.hostile_server import answer, chat, serving
from helpers.small_exports import talk

from memcli.backends.server import (
    open_chat,
    open_embedder,
    open_reader,
    open_sifter,
    parse_endpoint,
)
from memcli.backends.server.reranking.score_client import ScoreClient, Scoring
from memcli.cli.agent_tools.memory_tools import MemoryTools
from memcli.errors import BackendError
from memcli.protocols import Message, RerankPrompt, Sampling, Tool
from memcli.search.stages import RankingModels

PASSWORD, KEY, CARD = (
    "gr33n&tulip",
    "ghp_" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA2bC4",
    "4111 1111 1111 1111",
)
SECRETS = (PASSWORD, KEY, CARD)
SAID = f"the wifi password of the cabin is {PASSWORD}, key {KEY}, card {CARD}"
MASKED = (
    "the wifi password of the cabin is [password masked], key [API key masked], card"
    " [card number masked]"
)


@pytest.fixture
def cabin(mem):
    mem.write("chats.json", [talk("Cabin", f"me: {SAID}", "ai: Noted: the cabin by the lake.")])
    assert mem("ingest", "chats.json").code == 0
    return mem


def test_a_context_is_masked_and_says_so(cabin):
    result = cabin("ask", "what is the wifi password of the cabin", "--format", "context")

    assert result.code == 0
    assert MASKED in result.out
    assert "secrets are masked in 3 places; `--no-redact` prints them" in result.err
    assert not any(secret in result.out for secret in SECRETS)


def test_a_context_is_whole_with_no_redact(cabin):
    result = cabin("search", "wifi cabin", "--format", "context", "--no-redact")

    assert SAID in result.out
    assert "masked" not in result.err


@pytest.mark.parametrize("shape", ["text", "json", "markdown", "csv"])
def test_other_formats_are_masked_on_request_only(cabin, shape):
    whole = cabin("ask", "wifi password cabin", "--format", shape)
    masked = cabin("ask", "wifi password cabin", "--format", shape, "--redact")

    assert PASSWORD in whole.out
    assert not any(secret in masked.out for secret in SECRETS)
    assert "[password masked]" in masked.out


def test_the_store_is_unchanged_and_doctor_counts_without_printing(cabin):
    cabin("ask", "wifi cabin", "--format", "context")

    report = cabin("doctor", "--secrets")
    as_json = cabin("doctor", "--secrets", "--json").json
    assert SAID in cabin("search", "wifi", "--json").json["sessions"][0]["evidence"][0]["text"]
    assert "1 API key, 1 password, 1 card number; they are masked where text leaves" in report.out
    assert as_json["secrets"] == {
        "private key": 0, "API key": 1, "token": 0, "password": 1, "card number": 1, "IBAN": 0,
        "account number": 0,
    }  # fmt: skip
    assert not any(secret in report.out + json.dumps(as_json) for secret in SECRETS)
    assert cabin("doctor", "--json").json["secrets"] is None


def test_agents_get_masked_text(cabin, embedder):
    cabin("memories", "add", "cabin", SAID)
    for redact in (True, False):
        tools = MemoryTools(cabin.database, lambda _store: RankingModels(embedder), redact=redact)
        found = tools.search({"query": "wifi cabin"})
        answers = [
            tools.ask({"question": "what is the wifi password of the cabin"}),
            found,
            tools.show({"id": found["sessions"][0]["id"]}),
            tools.memories({}),
        ]
        for document in answers:
            text = json.dumps(document)
            assert redact != any(secret in text for secret in SECRETS), text


@pytest.fixture
def embedder():
    from memcli.backends.static_embedder import WordLlamaEmbedder

    return WordLlamaEmbedder()


PROMPT = RerankPrompt(
    prefix="<|im_start|>user\n", instruction="Judge.", body="{instruction} {question} {passage}",
    suffix="<|im_end|>\n", context=2000,
)  # fmt: skip
TOOL = Tool("ignore_memory", "Ignore.", {"type": "object", "properties": {}})


def use_chat(endpoint):
    model = open_chat(endpoint, context=4000, sampling=Sampling())
    list(model.write([Message("user", SAID)], thought_tokens=0, answer_tokens=10))


def use_sifter(endpoint):
    model = open_sifter(endpoint, context=4000, sampling=Sampling())
    list(model.sift(SAID, shown=2, ranked=2, thought_tokens=10))


def use_reader(endpoint):
    model = open_reader(endpoint, context=4000, sampling=Sampling())
    list(model.call([Message("user", SAID)], [TOOL], thought_tokens=10, call_tokens=10))


def use_embedder(endpoint):
    open_embedder(endpoint).embed([SAID, SAID])


def use_reranker(endpoint):
    list(ScoreClient(endpoint, PROMPT).score(Scoring(), SAID, [SAID]))


@pytest.mark.parametrize("use", [use_chat, use_sifter, use_reader, use_embedder, use_reranker])
@pytest.mark.parametrize("redact", [True, False])
def test_every_model_elsewhere_gets_masked_text_unless_the_settings_say_otherwise(use, redact):
    vectors = {"data": [{"index": 0, "embedding": [1.0, 0.0]}]}
    behaviours = [answer(vectors), chat("no")] if use is use_embedder else [chat("no")]
    with serving(*behaviours) as served:
        endpoint = parse_endpoint(f"{served.url}#{KEY}", redact=redact)
        with suppress(BackendError):  # what the server answers does not matter here
            use(endpoint)

    bodies = [request.body for request in served.requests]
    assert bodies
    for body in bodies:
        assert body.pop("model") == KEY  # the name of a model is no text of a chat
        text = json.dumps(body)
        if '"dimensions"' not in text:  # the embedder's first request
            assert redact != any(secret in text for secret in SECRETS)
            assert redact == ("[API key masked]" in text)


def test_text_for_a_model_on_this_machine_is_not_masked_and_elsewhere_it_is():
    def masks(address, **options):
        return parse_endpoint(address, **options).masks_secrets

    assert not masks("http://127.0.0.1:8080/v1#m")
    assert not masks("http://localhost:8080/v1#m")
    assert masks("https://models.example/v1#m")
    assert not masks("https://models.example/v1#m", redact=False)
    assert masks("http://127.0.0.1:8080/v1#m", redact=True)


def test_the_settings_say_whether_secrets_are_masked_for_a_server(mem):
    key = "servers.https://models.example/v1.redact"
    assert mem("config", "set", key, "false").code == 0
    assert mem("config", "get", key).out == "false\n"
    refused = mem("config", "set", key, "perhaps")
    assert (refused.code, "not true or false" in refused.err) == (4, True), refused
    assert "redact = false" in (mem.folder / "home" / ".config/mem/config.toml").read_text()
