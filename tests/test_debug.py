"""The debug log: statements, requests, retries and timings, and no word of a conversation."""

import pytest
from helpers.hostile_server import answer, serving
from helpers.mem_process import Mem
from helpers.small_exports import talk


@pytest.fixture
def mem(tmp_path):
    return Mem(tmp_path)


def test_without_the_variable_nothing_is_logged(mem):
    mem.remembers(talk("Nuts", "me: I must not eat hazelnuts."))

    assert "debug:" not in mem("search", "hazelnuts").err


def test_statements_are_logged_with_their_time_and_without_what_was_said(mem):
    mem.write("talks.json", [talk("Nuts", "me: I must not eat hazelnuts.", "ai: Noted, Mira.")])

    imported = mem("ingest", "talks.json", MEM_DEBUG="1").err
    searched = mem("search", "hazelnuts", MEM_DEBUG="1").err

    assert "sql seconds=0.0" in imported
    assert "insert into turns" in imported
    for word in ("hazelnut", "Noted", "Mira", "Nuts"):
        assert word not in imported + searched


def test_requests_are_logged_with_their_retries_and_without_what_was_said(mem):
    mem.remembers(talk("Nuts", "me: I must not eat hazelnuts."))

    with serving(answer({}, status=503)) as served:
        asked = mem("ask", "hazelnuts", "--reranker", f"{served.url}#judge", MEM_DEBUG="1").err

    assert f"request url={served.url}/" in asked
    assert "response url=" in asked
    assert "status=503" in asked
    assert "retry pause=" in asked
    debug = [line for line in asked.splitlines() if line.startswith("debug:")]
    assert not any("hazelnut" in line for line in debug)
