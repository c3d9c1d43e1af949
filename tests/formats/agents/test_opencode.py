"""OpenCode's exports and database."""

import json
import sqlite3
from zipfile import ZipFile

import pytest
from helpers.parsing import document, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Skipped
from memcli.formats import ParseOptions, load_format, recognise_format
from memcli.formats.sources import find_sources

OPENCODE = load_format("opencode")
ABOUT = {"id": "ses_1", "title": "Cats", "time": {"created": 1767261600000}}


def message(key, role, *parts, second=0):
    time = {"created": 1767261600000 + 1000 * second}
    return {"info": {"id": key, "role": role, "time": time}, "parts": list(parts)}


def text(content, **more):
    return {"type": "text", "text": content, **more}


ASKED, ANSWERED = message("m1", "user", text("Why?")), message("m2", "assistant", text("So."))


def database(path, *messages):
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table session (id text, project_id text, title text);"
        "create table message (id text, session_id text, time_created integer, data text);"
        "create table part (id text, message_id text, session_id text, data text);"
        "insert into session values ('ses_1', 'p', 'Cats');"
    )
    for each in messages:
        about = {**each["info"]}
        key = about.pop("id")
        connection.execute(
            "insert into message values (?, 'ses_1', 0, ?)", (key, json.dumps(about))
        )
        for number, part in enumerate(each["parts"]):
            values = (f"{key}.{number}", key, json.dumps(part))
            connection.execute("insert into part values (?, ?, 'ses_1', ?)", values)
    connection.commit()
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("row", sample_rows("opencode"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    [conversation] = OPENCODE.parse(found, ParseOptions())

    assert recognise_format(found) is OPENCODE
    assert len(conversation.turns) == int(row["messages"])
    assert conversation.title == "Fix the build"


def test_an_export_and_the_database_give_the_same(tmp_path):
    exported = {"info": ABOUT, "messages": [ASKED, ANSWERED]}
    raw = database(tmp_path / "opencode.db", ASKED, ANSWERED)

    found = parse_one(OPENCODE, exported)

    assert recognise_format(document(exported)) is recognise_format(document(raw)) is OPENCODE
    assert (found.key, found.title) == ("ses_1", "Cats")
    assert [(turn.key, turn.text) for turn in found.turns] == [("m1", "Why?"), ("m2", "So.")]
    assert parse_one(OPENCODE, raw) == found


def test_the_order_of_keys_does_not_matter():
    content = {"info": ABOUT, "messages": [ASKED]}

    assert parse_all(OPENCODE, dict(reversed(content.items()))) == parse_all(OPENCODE, content)


def test_thoughts_tools_and_files_are_kept_apart():
    state = {"status": "completed", "input": {"path": "."}, "output": "a.py"}
    parts = [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm"},
        {"type": "tool", "tool": "list", "state": state},
        text("Done"),
    ]
    question = message(
        *("m1", "user"),
        text("See @a.py"),
        text("Called the Read tool", synthetic=True),
        {"type": "file", "filename": "a.py", "url": "file:///a.py"},
    )

    found = parse_one(
        OPENCODE, {"info": ABOUT, "messages": [question, message("m2", "assistant", *parts)]}
    )

    assert turn_summaries(found) == [
        ("user", "text", "See @a.py"),
        ("system", "context", "Called the Read tool"),
        ("user", "media", "a.py"),
        ("assistant", "thought", "Hm"),
        ("assistant", "tool", 'list {"path": "."}'),
        ("tool", "tool", "a.py"),
        ("assistant", "text", "Done"),
    ]


def test_a_broken_message_is_told_and_an_empty_session_is_not_lost():
    [skipped, found] = parse_all(OPENCODE, f'{{"id":"s","messages":[{{no}},{json.dumps(ASKED)}]}}')

    assert (skipped.where, len(found.turns)) == ("message 1", 1)
    assert parse_all(OPENCODE, {"info": ABOUT, "messages": []}) == [
        Skipped("session ses_1", "has nothing to import", lost=False)
    ]


def test_a_row_of_the_database_that_is_no_json_is_told(tmp_path):
    path = tmp_path / "opencode.db"
    database(path, ASKED)
    connection = sqlite3.connect(path)
    connection.execute("insert into message values ('m0', 'ses_1', 0, '{no')")
    connection.commit()
    connection.close()

    [skipped, found] = parse_all(OPENCODE, path.read_bytes())

    assert (skipped.where, len(found.turns)) == ("message m0", 1)


def test_messages_without_parts_are_not_taken_for_it():
    content = {"messages": [{"role": "user", "content": "Hi"}]}

    assert recognise_format(document(content)) is not OPENCODE


def write_session_files(folder, *messages, title="Cats"):
    """Write a folder with one file per session, message and part, as old versions did."""
    storage = folder / "storage"
    about = {**ABOUT, "title": title, "projectID": "p", "directory": "/home/me", "version": "0.9"}
    files = {"session/p/ses_1.json": about}
    for each in messages:
        key = each["info"]["id"]
        files[f"message/ses_1/{key}.json"] = {**each["info"], "sessionID": "ses_1"}
        for number, part in enumerate(each["parts"]):
            name = f"part/{key}/{key}.{number}.json"
            files[name] = {**part, "id": f"{key}.{number}", "messageID": key}
    for name, content in files.items():
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        (storage / name).write_text(json.dumps(content))
    return storage


def sessions_file(path):
    [found] = [document for place in find_sources(path) for document in place.documents()]
    return found


def test_a_file_a_message_gives_what_an_export_gives(tmp_path):
    long = message("m3", "user", text("First."), text("Second."), second=2)
    storage = write_session_files(tmp_path, ASKED, ANSWERED, long)
    zipped = tmp_path / "opencode.zip"
    with ZipFile(zipped, "w") as archive:
        for path in storage.rglob("*.json"):
            archive.write(path, path.relative_to(tmp_path))

    exported = parse_one(OPENCODE, {"info": ABOUT, "messages": [ASKED, ANSWERED, long]})

    for path in (tmp_path / "storage", zipped):
        found = sessions_file(path)
        assert recognise_format(found) is OPENCODE
        assert list(OPENCODE.parse(found, ParseOptions())) == [exported]


def test_files_that_cannot_be_read_are_told_and_nothing_leads_out_of_the_folder(tmp_path):
    storage = write_session_files(tmp_path, ASKED, ANSWERED)
    (storage / "part/m2/m2.0.json").write_text("{no")
    (storage / "message/ses_1/m0.json").write_text('{"id": "../../../m1", "role": "user"}')

    *skipped, found = OPENCODE.parse(sessions_file(storage), ParseOptions())

    assert [(one.where.rpartition("/")[2], one.why) for one in skipped] == [
        ("m0.json", "is not a message"),
        ("m2.0.json", "is not JSON"),
    ]
    assert [turn.text for turn in found.turns] == ["Why?"]


def test_a_folder_of_messages_without_their_session_is_no_secret(tmp_path):
    storage = write_session_files(tmp_path, ASKED)
    (storage / "session/p/ses_1.json").unlink()
    (storage / "session/p").rmdir()
    (storage / "session").rmdir()

    names = [document.name for place in find_sources(storage) for document in place.documents()]

    assert len(names) == 2
