"""Finding what can be imported on this machine."""

import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime

import pytest
from helpers.small_exports import chatgpt, whatsapp

from memcli.ingest.paths import discover
from memcli.ingest.paths.discover import discover_places

LOG = {
    "type": "user",
    "uuid": "1",
    "parentUuid": None,
    "sessionId": "s",
    "timestamp": "2025-05-01T12:00:00Z",
    "message": {"role": "user", "content": "Fix the test."},
}


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def log(session):
    """Two lines of Claude Code's log."""
    answer = {**LOG, "uuid": "2", "parentUuid": "1", "type": "assistant"}
    answer["timestamp"] = "2025-05-03T12:00:00Z"
    answer["message"] = {"role": "assistant", "content": [{"type": "text", "text": "Done."}]}
    return [{**line, "sessionId": session} for line in (LOG, answer)]


def found_in(home, platform="linux", known=()):
    return {
        str(place.path.relative_to(home)): place for place in discover_places(home, known, platform)
    }


def test_sessions_and_their_days_are_counted(tmp_path):
    for name in ("a", "b", "copy-of-b"):
        write(tmp_path / f".claude/projects/p/{name}.jsonl", *log(name[-1]))

    [place] = found_in(tmp_path).values()

    assert (place.format, place.files, place.sessions, place.complete) == (
        "claude_code",
        3,
        2,
        True,
    )
    days = (datetime(2025, 5, 1, 12, tzinfo=UTC), datetime(2025, 5, 3, 12, tzinfo=UTC))
    assert (place.first, place.last) == days


def test_without_time_files_are_counted_and_nothing_is_parsed_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(discover, "ALL_SECONDS", 0)
    for name in "abc":
        write(tmp_path / f".claude/projects/p/{name}.jsonl", *log(name))

    [place] = found_in(tmp_path).values()

    assert (place.format, place.files, place.complete) == ("claude_code", 3, False)
    assert place.sessions <= 1


@pytest.mark.parametrize(
    ("platform", "path"),
    [
        ("linux", ".config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks"),
        ("darwin", "Library/Application Support/Code/User/globalStorage/kilocode.kilo-code/tasks"),
        ("linux", ".vscode-server/data/User/globalStorage/rooveterinaryinc.roo-cline/tasks"),
        ("linux", ".var/app/com.visualstudio.code/config/Code/User/globalStorage/"
         "saoudrizwan.claude-dev/tasks"),
    ],
)  # fmt: skip
def test_extensions_of_editors_are_found_wherever_the_editor_keeps_them(tmp_path, platform, path):
    told = [{"role": "user", "content": [{"type": "text", "text": "<task>Fix it</task>"}]}]
    folder = tmp_path / path / "1714560000000"
    folder.mkdir(parents=True)
    (folder / "api_conversation_history.json").write_text(json.dumps(told))

    assert {name: place.format for name, place in found_in(tmp_path, platform).items()} == {
        path: "cline"
    }


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("linux", ".config"), ("darwin", "Library/Application Support")],
)
def test_databases_of_programs_are_found_on_both_systems(tmp_path, platform, folder):
    path = tmp_path / folder / "io.datasette.llm" / "logs.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table conversations (id text, name text, model text)")
        database.execute(
            "create table responses (id text, model text, prompt text, system text, response text,"
            " conversation_id text, datetime_utc text, prompt_json text, options_json text,"
            " response_json text, duration_ms int)"
        )
        database.execute(
            "insert into responses (id, model, prompt, response, conversation_id, datetime_utc)"
            " values ('1', 'm', 'Hello?', 'Hi.', 'c', '2024-05-01T12:00:00')"
        )
        database.execute("insert into conversations values ('c', 'Hello', 'm')")
        database.commit()

    [place] = found_in(tmp_path, platform).values()

    assert (place.format, place.sessions) == ("llm_logs", 1)
    assert place.first == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_zips_are_recognised_and_counted_without_unpacking(tmp_path):
    (tmp_path / "Downloads").mkdir()
    export = json.dumps([chatgpt("Cats", "me: Pixel?", "ai: Yes."), chatgpt("Dogs", "me: Rex?")])
    with zipfile.ZipFile(tmp_path / "Downloads" / "data.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("user.json", "{}")
        packed.writestr("conversations.json", export)
    before = sorted(tmp_path.rglob("*"))

    [place] = found_in(tmp_path).values()

    assert (place.format, place.sessions) == ("chatgpt", 2)
    assert sorted(tmp_path.rglob("*")) == before


def test_chats_files_of_other_kinds_and_known_paths_are_told_apart(tmp_path):
    downloads = tmp_path / "Downloads"
    downloads.mkdir()
    (downloads / "_chat.txt").write_text(whatsapp("Ann: Hi", "Bob: Hello there"))
    (downloads / "prices.csv").write_text("name,price\nx,1\n")
    (downloads / "broken.zip").write_bytes(b"PK\x03\x04 cut")
    shutil.copytree(downloads, tmp_path / "Documents" / "old")

    found = found_in(tmp_path, known=[tmp_path / "Documents"])

    assert found["Downloads/_chat.txt"].format == "whatsapp"
    assert "Downloads/prices.csv" not in found
    assert not [name for name in found if name.startswith("Documents")]
