"""`mem forget`."""

import pytest
from helpers.small_exports import talk


@pytest.fixture
def archive(mem):
    mem.write("notes.json", [talk("Lisbon", "me: We fly in May."), talk("Diet", "me: No nuts.")])
    assert mem("ingest", "notes.json").code == 0
    return mem


def titles(mem):
    return [one["title"] for one in mem("sessions", "--jsonl").lines]


def key_of(mem, title):
    [key] = [one["id"] for one in mem("sessions", "--jsonl").lines if one["title"] == title]
    return key


def test_a_forgotten_session_is_gone_and_stays_away(archive):
    assert archive("forget", key_of(archive, "Diet"), "--yes").code == 0

    archive("ingest", "notes.json")

    assert titles(archive) == ["Lisbon"]


def test_a_dry_run_shows_what_would_go(archive):
    result = archive("forget", key_of(archive, "Diet")[:5], "--dry-run", "--json")

    assert [one["title"] for one in result.json["sessions"]] == ["Diet"]
    assert result.json["schema"] == "mem.forget/1"
    assert result.json["forgotten"] is False
    assert sorted(titles(archive)) == ["Diet", "Lisbon"]


def test_a_whole_source_can_be_forgotten(archive):
    [source] = {one["source"] for one in archive("sessions", "--jsonl").lines}

    assert archive("forget", "--source", source, "--yes").code == 0

    assert archive("sessions").code == 3


def test_without_a_terminal_and_without_yes_nothing_is_forgotten(archive):
    result = archive("forget", key_of(archive, "Diet"))

    assert (result.code, result.err) == (
        2,
        "mem: would delete 1 session permanently; add `--yes`\n",
    )
    assert sorted(titles(archive)) == ["Diet", "Lisbon"]


@pytest.mark.parametrize("arguments", [(), ("s_1", "--source", "x")])
def test_either_sessions_or_a_source_are_named(archive, arguments):
    assert archive("forget", *arguments).code == 2


def test_what_is_not_there_cannot_be_forgotten(archive):
    assert archive("forget", "s_zzz", "--yes").code == 3
    assert archive("forget", "--source", "nobody", "--yes").code == 3


def test_a_deletion_is_told_apart_from_a_dry_run(archive):
    key = key_of(archive, "Diet")

    dry = archive("forget", key, "--dry-run")
    done = archive("forget", key, "--yes")

    assert (dry.out.startswith(key), dry.err) == (True, "mem: would delete 1 session permanently\n")
    assert (done.out, done.err) == ("deleted 1 session permanently: Diet\n", "")
    assert archive("forget", key_of(archive, "Lisbon"), "--yes", "--quiet").out == ""
