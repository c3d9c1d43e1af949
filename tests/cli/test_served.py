"""Models that run elsewhere: what is sent to whom, and what is said about it."""

import pytest
from helpers.hostile_server import answer, serving
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
    results = [
        {"index": at, "relevance_score": 0.9 if "hazelnuts" in text else 0.1}
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
