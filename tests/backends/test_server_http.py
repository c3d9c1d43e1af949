"""Misbehaving servers: each request ends in time, as an answer or as an error with the address."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from dataclasses import replace
from functools import partial

import pytest
from helpers import hostile_server as hostile
from helpers.hostile_server import answer, chat, serving, stream

from memcli.backends.server import Limits, ServerReranker, open_sifter, parse_endpoint
from memcli.backends.server.http import EndpointClient, RefusedError
from memcli.backends.server.reranking.score_client import Scoring
from memcli.errors import BackendError, ExitCode
from memcli.protocols import RerankPrompt, Sampling, SiftedOrder

QUICK = Limits(
    connect_timeout=1,
    idle_timeout=0.5,
    total_timeout=1.0,
    attempts=3,
    first_pause=0.01,
    longest_pause=0.1,
)
PROMPT = RerankPrompt("", "{instruction}{query}{document}", "", "", 512)
GOOD = answer({"results": [{"index": 0, "relevance_score": 0.25}]})
KEY = "sk-4f7a-secret"
open_reranker = partial(ServerReranker, scoring=Scoring())  # it is believed without a trial


def reranker_at(served, limits=QUICK, key=None, **others):
    return open_reranker(
        parse_endpoint(f"{served.url}#m", key=key, limits=limits), PROMPT, **others
    )


def sifter_at(served, limits=QUICK):
    found = parse_endpoint(f"{served.url}#m", limits=limits)
    return open_sifter(found, context=4096, sampling=Sampling())


def judge(reranker):
    return list(reranker.judge("why", ["because"]))


def sift(sifter):
    return list(sifter.sift("m", shown=3, ranked=3, thought_tokens=20))


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (hostile.reset, "cannot be reached: "),
        (hostile.half_an_answer, "cannot be reached: peer closed connection"),
        (hostile.half_a_head, "cannot be reached: "),
        (hostile.no_http, "cannot be reached: "),
        (hostile.silence, r"did not answer within 0\.5 s|too slow to read"),
        (hostile.silence_after_the_head, r"did not answer within 0\.5 s|too slow to read"),
        (hostile.dripping_head, r"did not answer within 0\.5 s"),
        (hostile.dripping_body, r"did not answer within 0\.5 s"),
        (hostile.ten_megabytes, "answers with more than 8,388,608 bytes"),
        (hostile.page(), "answers with something that is not JSON: '<!doctype html>"),
        (hostile.page(502), "answers 502: with text/html"),
        (answer(b'{"results": [{"ind'), "not JSON: "),
        (answer(b"[" * 100_000), "not JSON: "),
        (answer(b"1" * 5000), "not JSON: "),
        (answer({"error": {"message": "out of memory"}}, 500), "answers 500: out of memory"),
        (answer({"object": "error", "message": "no such model"}, 400), "answers 400: no such"),
        (answer({"detail": [{"msg": "Field required"}]}, 422), "answers 422: .*Field required"),
        (answer({}, 302, location="http://elsewhere.example/v1"), r"elsewhere \(http://elsewhere"),
        (answer(b"", 204), "not JSON: ''"),
        (answer(b"x" * 99, content_encoding="gzip"), "cannot be reached: "),
    ],
)
def test_a_server_that_misbehaves_is_an_error_with_its_address_in_time(behaviour, error):
    with serving(behaviour) as served:
        began = time.monotonic()

        with pytest.raises(BackendError, match=error) as raised:
            judge(reranker_at(served))

        assert time.monotonic() - began < 3
        assert served.url in str(raised.value)
        assert raised.value.exit_code == ExitCode.BACKEND
        assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (hostile.reset, "cannot be reached: "),
        (hostile.silence, "did not answer|too slow"),
        (hostile.dripping_stream, r"did not answer within 0\.5 s"),
        (hostile.one_long_line, "answers with more than 1,048,576 bytes"),
        (hostile.ten_megabytes, "answers with more than 8,388,608 bytes"),
        (hostile.page(), "answers with text/html, not with JSON: is the address right?"),
        (stream({"choices": "none"}), "an event that has no choices"),
        (stream({"choices": [7]}), "an event that has no choices"),
        (stream({"choices": [{"delta": "text"}]}), "a choice that is not a message"),
        (stream([1, 2]), "an event that has no choices"),
        (stream(b"data: {'single'}"), "not JSON: "),
        (stream({"error": {"message": "slot unavailable"}}), "failed .* 'slot unavailable'"),
        (stream(*hostile.says("half a th")[:1], done=False), "broke off in the middle"),
        (answer({"choices": []}), "broke off in the middle"),
    ],
)
def test_a_stream_that_misbehaves_is_an_error_in_time(behaviour, error):
    with serving(behaviour) as served:
        began = time.monotonic()

        with pytest.raises(BackendError, match=error) as raised:
            sift(sifter_at(served))

        assert time.monotonic() - began < 3
        assert served.url in str(raised.value)


def test_an_endless_stream_is_left_when_the_budget_is_spent():
    with serving(hostile.endless_stream, chat("<ranking>2,0,1</ranking>")) as served:
        *thought, ranking = sift(sifter_at(served))

    assert "".join(thought).split() == ["word"] * 21
    assert ranking == SiftedOrder((2, 0, 1))


def test_a_stream_that_never_ends_in_time_is_an_error():
    words = stream(*hostile.says(*["word "] * 100), pause=0.05)
    with serving(words) as served:
        began = time.monotonic()

        with pytest.raises(BackendError, match="did not answer within 1 s"):
            list(sifter_at(served).sift("m", shown=3, ranked=3, thought_tokens=500))

        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "behaviour",
    [
        answer({}, 429),
        answer({}, 429, retry_after="0"),
        answer({}, 429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        answer({}, 429, retry_after="99999"),  # longer than anybody waits
        answer({}, 503, retry_after="soon"),
        answer({"error": {"message": "Loading model"}}, 503),
        hostile.reset,
        hostile.half_an_answer,
    ],
)
def test_what_may_pass_is_tried_again(behaviour):
    with serving(behaviour, behaviour, GOOD) as served:
        assert judge(reranker_at(served)) == [(0, 0.25)]

    assert len(served.requests) == 3


def test_a_stream_is_tried_again_as_long_as_nothing_was_shown():
    with serving(answer({}, 503), hostile.reset, chat("a</think><ranking>1</ranking>")) as served:
        assert sift(sifter_at(served)) == ["a", SiftedOrder((1,))]

    broken = stream(*hostile.says("half a th")[:1], hostile.RESET)
    with serving(broken) as served, pytest.raises(BackendError):
        sift(sifter_at(served))
    assert len(served.requests) == 1


@pytest.mark.parametrize(("status", "tried"), [(503, 3), (500, 2), (401, 1), (400, 1), (403, 1)])
def test_attempts_are_bounded_and_refusals_final(status, tried):
    with serving(answer({}, status)) as served, pytest.raises(RefusedError) as raised:
        judge(reranker_at(served))

    assert len(served.requests) == tried
    assert raised.value.status == status
    assert bool(raised.value.hint) == (status in (401, 403))


def test_pauses_grow_and_follow_the_server_up_to_a_bound():
    slow = replace(QUICK, first_pause=0.05, longest_pause=0.2, total_timeout=5, idle_timeout=5)
    with serving(answer({}, 429, retry_after="60"), answer({}, 429), GOOD) as served:
        began = time.monotonic()

        judge(reranker_at(served, slow))

        assert 0.2 + 0.05 <= time.monotonic() - began < 1


def test_nobody_there_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        named = parse_endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}/v1#m", limits=QUICK)

        with pytest.raises(BackendError, match=r"http://127\.0\.0\.1:\d+/v1 cannot be reached"):
            judge(open_reranker(named, PROMPT))


@pytest.mark.parametrize(
    "host", ["a" * 300 + ".example", "a..b", "-", "%41", "0.0.0.0:1", "[fe80::1]", "127.0.0.1:0"]
)
def test_a_host_that_cannot_be_is_an_error(host):
    found = parse_endpoint(
        f"http://{host}/v1#m", limits=replace(QUICK, attempts=1, total_timeout=2)
    )

    with pytest.raises(BackendError):
        judge(open_reranker(found, PROMPT))


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "nonsense://x"])
def test_a_proxy_that_cannot_be_used_is_an_error(monkeypatch, proxy):
    for other in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv("all_proxy", proxy)

    with pytest.raises(BackendError, match="cannot be reached"):
        judge(open_reranker(parse_endpoint("http://models.example/v1#m", limits=QUICK), PROMPT))


def test_several_requests_are_under_way_at_a_time_and_no_more_than_allowed():
    def slowly(request):
        yield 0.2
        yield from answer({"said": request.body["n"]})(request)

    with serving(slowly) as served:
        server = EndpointClient(
            parse_endpoint(
                f"{served.url}#m", limits=replace(QUICK, parallel_requests=3, total_timeout=5)
            )
        )
        began = time.monotonic()

        answers = dict(server.post_each("x", [{"n": n} for n in range(6)], dict))

        assert answers == {n: {"said": n} for n in range(6)}
        assert 0.4 <= time.monotonic() - began < 0.9


def test_one_of_several_that_fails_ends_them_all():
    with serving(answer({}), answer({}, 400)) as served:
        server = EndpointClient(
            parse_endpoint(f"{served.url}#m", limits=replace(QUICK, parallel_requests=1))
        )

        with pytest.raises(RefusedError):
            list(server.post_each("x", [{}] * 9, dict))

    assert len(served.requests) == 2


def test_leaving_a_stream_closes_the_connection():
    closed = []

    def talk(request):
        try:
            yield from hostile.endless_stream(request)
        finally:
            closed.append(True)

    with serving(talk) as served:
        pieces = sifter_at(served).sift("m", shown=3, ranked=3, thought_tokens=3000)
        assert next(pieces)
        pieces.close()

        end = time.monotonic() + 3
        while not closed and time.monotonic() < end:
            time.sleep(0.02)
    assert closed


def test_the_key_goes_along_and_nothing_else_that_tells_on_us(monkeypatch):
    with serving(answer({"results": [{"index": 0, "score": 1}]}, Set_Cookie="a=b")) as served:
        reranker = reranker_at(served, key=KEY)
        judge(reranker)
        judge(reranker)

    headers = served.requests[1].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "cookie" not in headers
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "behaviour",
    [
        answer({"error": {"message": f"Incorrect API key provided: {KEY}"}}, 401),
        answer({"error": {"message": f"Busy with {KEY}"}}, 429),
        answer({"error": {"message": f"no {KEY}"}}, 307, location="http://elsewhere.example/"),
        answer(f"no JSON but {KEY}".encode()),
        answer({"code": 401, "message": f"bad {KEY}", "data": None}),
        answer({"results": [{"index": KEY}]}),
        hostile.reset,
    ],
)
def test_the_key_is_in_no_error_no_log_and_no_repr(behaviour, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with serving(behaviour) as served:
        reranker = reranker_at(served, key=KEY)
        with pytest.raises(BackendError) as raised:
            judge(reranker)
        told = "".join(traceback.format_exception(raised.value))
        shown = [told, repr(raised.value), raised.value.hint or "", repr(reranker._client.endpoint)]

    assert served.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert not [text for text in [*shown, caplog.text, *capfd.readouterr()] if KEY in text]


def test_words_of_a_server_cannot_reach_the_terminal_as_they_are():
    with (
        serving(answer({"error": {"message": "\x1b[2J\x07red\n\u202eevil" + "x" * 999}}, 400)) as s,
        pytest.raises(BackendError) as raised,
    ):
        judge(reranker_at(s))

    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 300


def test_loopback_meets_no_proxy_and_the_rest_does(monkeypatch):
    with serving(GOOD) as served, serving(answer({}, 418)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert judge(reranker_at(served)) == [(0, 0.25)]
        assert not proxy.requests

        away = parse_endpoint("http://models.example/v1#m", limits=QUICK)
        with pytest.raises(BackendError, match="answers 418"):
            judge(open_reranker(away, PROMPT))
        assert proxy.requests[0].path == "http://models.example/v1/rerank"


def test_text_that_leaves_the_machine_is_announced_before_it_does(monkeypatch):
    said = []
    with serving(GOOD) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        away = parse_endpoint("http://models.example/v1#big", limits=QUICK)
        reranker = open_reranker(
            away, PROMPT, note=lambda text: said.append((text, len(proxy.requests)))
        )

        assert not said
        judge(reranker)
        judge(reranker)

    assert said == [("text goes to http://models.example/v1 (big), unencrypted", 0)]


def test_text_that_stays_is_not_announced():
    said = []
    with serving(GOOD) as served:
        judge(reranker_at(served, note=said.append))

    assert not said


def test_lone_surrogates_and_nuls_are_sent_as_something_readable():
    with serving(GOOD) as served:
        list(reranker_at(served).judge("\ud800", ["a\0b"]))

    assert served.requests[0].body["query"] == "?"
    assert served.requests[0].body["documents"] == ["a\0b"]


def test_http_is_not_even_imported_before_there_is_something_to_ask():
    code = """if True:
        import sys
        from memcli.backends.server import parse_endpoint, open_embedder, open_sifter
        from memcli.protocols import Sampling
        found = parse_endpoint("http://127.0.0.1:1/v1#m", key="k")
        open_embedder(found)
        open_sifter(found, context=9, sampling=Sampling())
        assert not {"httpx2", "numpy"} & set(sys.modules)
    """

    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_while_a_server_is_silent_leaves_at_once():
    code = """if True:
        import sys
        from memcli.backends.server import parse_endpoint, open_sifter
        from memcli.protocols import Sampling
        found = parse_endpoint(sys.argv[1], key="k")
        sifter = open_sifter(found, context=999, sampling=Sampling())
        print("asking", flush=True)
        try:
            list(sifter.sift("m", shown=3, ranked=3, thought_tokens=9))
        except KeyboardInterrupt:
            raise SystemExit(130)
    """
    with serving(hostile.silence) as served:
        running = subprocess.Popen(
            [sys.executable, "-c", code, f"{served.url}#m"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        end = time.monotonic() + 20
        while not served.requests and time.monotonic() < end:
            time.sleep(0.02)
        began = time.monotonic()

        running.send_signal(signal.SIGINT)

        _, said = running.communicate(timeout=20)
        assert (running.returncode, said) == (130, "")
        assert time.monotonic() - began < 3
