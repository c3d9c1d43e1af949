"""What is parsed by a process of its own is what would have been parsed here."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread
from zipfile import ZipFile

import pytest
from helpers.small_exports import chatgpt, telegram, whatsapp

from memcli.domain import Skipped
from memcli.errors import InputError
from memcli.evaluation.synthetic_exports import write_export
from memcli.formats import Document, ParseOptions, load_format
from memcli.formats.sources import find_sources
from memcli.ingest import parse_process
from memcli.ingest.import_exports import import_exports
from memcli.store import Store

LINES = [f"{'me' if at % 2 else 'ai'}: line {at}" for at in range(40)]
TALKS = json.dumps([chatgpt(f"Talk {at}", *LINES) for at in range(60)])
CHAT = json.dumps(telegram("Ann", *(f"Ann: line {at}" for at in range(2_500))))
EXPORTS = {
    "chatgpt": TALKS,
    "telegram": CHAT,
    "whatsapp": whatsapp("Ann: hello", "Bob: hello to you"),
    "generic_json": "[]",
}
DAMAGED = {
    "cut short": TALKS[: len(TALKS) // 2],
    "no JSON within": TALKS.replace('"title": "Talk 7"', '"title": nonsense'),
    "no JSON at all": "nonsense",
}


@pytest.fixture
def started(monkeypatch):
    """However small a document is, another process parses it; they are kept here."""
    processes = []

    class Kept(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(parse_process, "LARGE", 1)
    monkeypatch.setattr(parse_process, "_cores", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", Kept)
    return processes


def documents(path):
    return [document for place in find_sources(path) for document in place.documents()]


def outcome(found):
    """Everything that comes, and the error that ends it."""
    kept = []
    try:
        kept.extend(found)
    except InputError as error:
        return kept, (str(error), error.hint)
    return kept, None


def written(folder, content):
    path = folder / "export"
    path.write_text(content)
    return path


@pytest.mark.parametrize("name", EXPORTS)
def test_the_same_comes_in_the_same_order(tmp_path, started, name):
    [document] = documents(written(tmp_path, EXPORTS[name]))

    there = outcome(parse_process.parse_document(document, load_format(name), ParseOptions()))

    assert len(started) == 1
    assert there == outcome(load_format(name).parse(document, ParseOptions()))


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_told_in_the_same_way(tmp_path, started, content):
    [document] = documents(written(tmp_path, content))

    there = outcome(parse_process.parse_document(document, load_format("chatgpt"), ParseOptions()))

    assert len(started) == 1
    assert there == outcome(load_format("chatgpt").parse(document, ParseOptions()))
    assert there[1] or any(isinstance(one, Skipped) for one in there[0])


def test_a_file_in_a_zip_is_opened_again_by_the_other_process(tmp_path, started):
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations.json", TALKS)
    [document] = documents(tmp_path / "export.zip")

    found, error = outcome(
        parse_process.parse_document(document, load_format("chatgpt"), ParseOptions())
    )

    assert (len(started), len(found), error) == (1, 60, None)


def test_a_database_is_filled_with_the_same(tmp_path, started):
    path = written(tmp_path, CHAT)

    def filled(name):
        with Store(tmp_path / name) as store:
            [report] = import_exports([path], store, None, ParseOptions())
            [session, *_] = store.sessions.overlapping(1, None, None)
            return report, session

    ahead_of_time = filled("one.db")
    assert len(started) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse_process, "LARGE", 1 << 30)
        assert filled("other.db") == ahead_of_time
    assert len(started) == 1


def test_what_only_this_process_can_read_is_parsed_here(tmp_path, started):
    path = written(tmp_path, TALKS)
    stream = Document("stream", lambda: path.open("rb"), size=1 << 30)
    log = Document("log", partial(Path.open, path, "rb"), size=1 << 30)

    assert (
        len(
            outcome(parse_process.parse_document(stream, load_format("chatgpt"), ParseOptions()))[0]
        )
        == 60
    )
    assert (
        outcome(parse_process.parse_document(log, load_format("claude_code"), ParseOptions()))[1]
        is None
    )
    assert started == []


def test_with_one_core_nothing_is_started(tmp_path, started, monkeypatch):
    monkeypatch.setattr(parse_process, "_cores", lambda: 1)
    [document] = documents(written(tmp_path, TALKS))

    found, _ = outcome(
        parse_process.parse_document(document, load_format("chatgpt"), ParseOptions())
    )

    assert (len(found), started) == (60, [])


@pytest.fixture
def endless(tmp_path):
    """A chat in which there is always a next message."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    head, message = CHAT[: CHAT.index("[") + 1], json.loads(CHAT)["messages"][0]

    def write():
        with suppress(BrokenPipeError), path.open("w") as stream:
            stream.write(head)
            for number in count():
                stream.write(json.dumps({**message, "id": number}) + ",")

    writer = Thread(target=write, daemon=True)
    writer.start()
    yield Document("chat", partial(Path.open, path, "rb"), size=1 << 30)
    writer.join()


def test_where_the_other_process_is_killed_the_rest_is_parsed_here(tmp_path, started):
    write_export("telegram", 12, tmp_path / "export.json")
    [document] = documents(tmp_path / "export.json")
    found = parse_process.parse_document(document, load_format("telegram"), ParseOptions())
    first = next(found)

    started[0].kill()

    assert [first, *found] == list(load_format("telegram").parse(document, ParseOptions()))


def test_where_no_other_process_can_be_had_all_is_parsed_here(tmp_path, started, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no such program"))
    [document] = documents(written(tmp_path, TALKS))

    assert (
        len(
            outcome(parse_process.parse_document(document, load_format("chatgpt"), ParseOptions()))[
                0
            ]
        )
        == 60
    )


def test_who_stops_listening_ends_the_other_process(endless, started):
    found = parse_process.parse_document(endless, load_format("telegram"), ParseOptions())
    next(found)

    found.close()

    assert started[0].poll() is not None


def test_the_other_process_does_not_outlive_this_one(tmp_path):
    write_export("telegram", 12, tmp_path / "export.json")
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from memcli.formats import ParseOptions, load_format\n"
        "from memcli.formats.sources import find_sources\n"
        "from memcli.ingest import parse_process as ahead\n"
        "ahead.LARGE, ahead._cores = 1, lambda: 2\n"
        "[place] = find_sources(Path(sys.argv[1]))\n"
        "[document] = place.documents()\n"
        "next(ahead.parse_document(document, load_format('telegram'), ParseOptions()))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "export.json")]

    # Both write to one pipe: it has no end before both have.
    ran = subprocess.run(command, capture_output=True, timeout=30, check=False)

    assert (ran.returncode, ran.stderr) == (-9, b"")


def test_a_bug_there_shows_itself_here(started, capfd):
    broken = Document("export", partial(datetime.fromisoformat, "never"), size=1 << 30)

    with pytest.raises(ValueError, match="never"):
        list(parse_process.parse_document(broken, load_format("chatgpt"), ParseOptions()))

    assert len(started) == 1
    assert capfd.readouterr().err == ""
