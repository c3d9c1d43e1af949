"""Models that run elsewhere: what is sent to whom, and what is said about it."""

import pytest
from helpers.hostile_server import answer, serving
from helpers.rerank_servers import LOGITS, chat_server, rerank_server, sigmoid
from helpers.small_exports import talk

MEMOS = "memos-reranker-4b"


@pytest.fixture
def archive(mem):
    mem.remembers(
        talk("Dinner", "me: I must not eat hazelnuts.", "ai: Noted."),
        talk("Cake", "me: The cake was without nuts.", "ai: Good."),
    )
    return mem


def hazelnuts_alone(request):
    documents = request.body["documents"]
    known = {text: sigmoid(logit) for text, logit in LOGITS.items()}
    results = [
        {"index": at, "relevance_score": known.get(text, 0.9 if "hazelnuts" in text else 0.1)}
        for at, text in enumerate(documents)
    ]
    return {"code": 0, "data": {"results": results}, "message": "ok"}


def test_the_memos_api_is_asked_by_the_name_of_its_model(archive):
    with serving(answer(hazelnuts_alone)) as served:
        asked = archive(
            *("ask", "which nuts can I not eat", "--json", "--reranker", MEMOS),
            MEMOS_BASE_URL=served.url,
            MEMOS_API_KEY="secret",
        )

    assert [one["scores"]["rerank"] for one in asked.json["sessions"]] == [0.9, 0.1]
    assert {(one.path, one.headers["authorization"]) for one in served.requests} == {
        ("/v1/rerank", "Token secret")
    }
    assert {one.body["model"] for one in served.requests} == {MEMOS}
    assert "secret" not in asked.out + asked.err


def test_without_a_key_it_is_not_asked(archive):
    with serving(answer(hazelnuts_alone)) as served:
        asked = archive("ask", "nuts", "--reranker", MEMOS, MEMOS_BASE_URL=served.url)

    assert (asked.code, asked.out, served.requests) == (4, "", [])
    assert asked.err.startswith("mem: MEMOS_API_KEY is not set\nhint: ")


NUTS = {"hazelnuts": 3.0}


def test_a_server_whose_scores_are_wrong_is_not_believed_and_the_ranking_so_far_is_printed(archive):
    with serving(rerank_server(lambda _logit: 0.002)) as served:
        asked = archive("ask", "which nuts can I not eat", "--reranker", f"{served.url}#tiny")

    assert asked.code == 7
    assert "Dinner" in asked.out
    assert f"{served.url} does not score passages as tiny should, and is not believed" in asked.err
    assert "nearly the same to everything" in asked.err
    assert "nothing relevant" not in asked.err


def test_a_server_is_put_to_trial_once_and_then_only_asked(archive):
    with serving(rerank_server(lambda logit: logit, NUTS)) as served:
        archive("ask", "which nuts can I not eat", "--reranker", f"{served.url}#m")
        first = len(served.requests)
        asked = archive("ask", "are there nuts to avoid", "--json", "--reranker", f"{served.url}#m")

    assert asked.json["sessions"][0]["scores"]["rerank"] == pytest.approx(sigmoid(3), abs=1e-3)
    assert len(served.requests) - first == 1


def test_verify_says_by_which_way_a_server_is_right_and_doctor_remembers(archive):
    with serving(chat_server(rerank_server(lambda _logit: 0.0))) as served:
        address = f"{served.url}#m"
        archive("config", "set", "models.reranker", address)
        before = archive("doctor", "--json")
        verified = archive("models", "verify", address)
        listed = archive("models", "verify", address, "--json")
        sent = len(served.requests)
        after = archive("doctor", "--json")

    [note] = [one for one in before.json["checks"] if one["name"] == "reranker"]
    [good] = [one for one in after.json["checks"] if one["name"] == "reranker"]
    assert (note["state"], note["remedy"]) == ("note", f"`mem models verify {address}`")
    assert verified.code == 0
    assert f"{address}: verified" in verified.out
    assert "asked by chat, which sends probabilities" in verified.out
    [model] = listed.json["models"]
    assert (model["name"], model["role"], model["state"]) == (address, "reranker", "verified")
    assert good["state"] == "ok"
    assert "asked by chat" in good["told"]
    assert len(served.requests) == sent  # doctor sends nothing


def test_verify_and_doctor_say_what_is_wrong_with_a_server(archive):
    with serving(rerank_server(lambda logit: -logit)) as served:
        address = f"{served.url}#m"
        archive("config", "set", "models.reranker", address)
        verified = archive("models", "verify", address)
        found = archive("doctor", "--json")

    assert verified.code == 7
    assert "scores what does not answer above what does" in verified.err
    assert "change the server: yes and no are swapped" in verified.err
    [bad] = [one for one in found.json["checks"] if one["name"] == "reranker"]
    assert (found.code, bad["state"]) == (7, "fault")
    assert "yes and no are swapped" in bad["remedy"]


def test_a_server_that_is_down_is_named_by_verify(mem):
    verified = mem("models", "verify", "http://127.0.0.1:9/v1#m")
    unknown = mem("models", "verify", "http://127.0.0.1:9/v1#m", "--role", "cook")

    assert verified.code == 7
    assert "http://127.0.0.1:9/v1 cannot be reached" in verified.err
    assert (unknown.code, "`cook` is not one of" in unknown.err) == (2, True)
