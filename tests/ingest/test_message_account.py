"""Every import accounts for the messages of each file: turns, and the rest by reason."""

import json

import pytest
from helpers.keyword_models import WordEmbedder
from helpers.small_exports import claude, telegram

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats import Format, ParseOptions
from memcli.ingest import parse_process
from memcli.ingest.import_counts import ImportReport, MessageAccount
from memcli.ingest.import_exports import import_exports
from memcli.store import Filters, Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def ingest(store, *paths, forced=None):
    return import_exports(paths, store, WordEmbedder(), ParseOptions(), forced=forced)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def format_that(parse):
    return Format(name="made_up", recognises=lambda sample: False, parse=parse)


def turn(key, kind=Kind.TEXT, text="words"):
    return Turn(key, Role.USER, text, None, None, Clock.NONE, kind)


def conversation(*turns):
    return Conversation("made_up", "c", "Talk", turns)


def test_messages_are_turns_and_the_rest_by_reason(store, tmp_path):
    def parse(document, options):
        counter = document.counter
        counter.see(5)
        counter.omit(Omission.EMPTY, 2)
        counter.see_parts([1, 2, 3])
        counter.see_parts([])
        counter.keep_unknown("canvas")
        kinds = (Kind.TEXT, Kind.MEDIA, Kind.TEXT, Kind.SERVICE, Kind.TOOL, Kind.TOOL)
        yield conversation(*(turn(str(at), kind) for at, kind in enumerate(kinds)))

    [report] = ingest(store, write(tmp_path / "a.txt", "x"), forced=format_that(parse))

    assert report.turns.new == 3
    assert report.messages == MessageAccount(
        seen=7,
        reasons={"empty": 3, "parts": -2, "service": 1, "tool": 2},
        unknown={"canvas": 1},
    )
    assert report.messages.seen == report.turns.total + sum(report.messages.reasons.values())


def test_a_message_that_a_parser_forgot_is_reported_as_unexplained(store, tmp_path):
    def parse(document, options):
        document.counter.see(3)
        yield conversation(turn("1"))

    [report] = ingest(store, write(tmp_path / "a.txt", "x"), forced=format_that(parse))

    assert report.messages.reasons == {"unexplained": 2}


def test_a_message_that_is_there_twice_is_reported(store, tmp_path):
    def parse(document, options):
        document.counter.see(2)
        yield conversation(turn("1"), turn("1"))

    [report] = ingest(store, write(tmp_path / "a.txt", "x"), forced=format_that(parse))

    assert report.turns.new == 1
    assert report.messages.reasons == {"repeated": 1}


def test_a_forgotten_message_is_reported(store, tmp_path):
    path = write(tmp_path / "claude.json", [claude("Lisbon", "me: We go", "ai: Good")])
    ingest(store, path)
    [session] = store.sessions.summaries(Filters())
    store.deletion.forget([session.id])

    [report] = ingest(store, write(tmp_path / "copy" / "claude.json", path.read_text()))

    assert (report.messages.seen, report.messages.reasons) == (2, {"forgotten": 2})


def test_an_unchanged_file_has_the_account_it_had(store, tmp_path):
    path = write(tmp_path / "result.json", telegram("Ann", "Ann: Hello", "Bob: Hi"))
    [first] = ingest(store, path)

    [second] = ingest(store, path)

    assert second.messages == first.messages
    assert ImportReport.from_record(json.loads(json.dumps(first.to_record()))) == first


def test_a_recognised_file_that_gives_nothing_is_a_loss(store, tmp_path):
    def parse(document, options):
        document.counter.see(4)
        document.counter.omit(Omission.HIDDEN, 4)
        yield from ()

    path = write(tmp_path / "a.txt", "x")

    [report] = ingest(store, path, forced=format_that(parse))

    why = "is read as made_up, and has nothing to import (4 hidden)"
    assert report.warnings == (Skipped(str(path), why),)
    assert report.damaged


def test_a_file_that_was_looked_up_for_another_is_not_called_unknown(store, tmp_path):
    message = {"type": "message", "ts": "1700000000.000100", "user": "U1", "text": "Hello"}
    write(tmp_path / "slack" / "general" / "2023-11-14.json", [message])
    write(tmp_path / "slack" / "users.json", [{"id": "U1", "name": "ann", "profile": {}}])

    write(tmp_path / "slack" / "integration_logs.json", [{"service_type": "A bot", "date": "0"}])

    reports = ingest(store, tmp_path / "slack")

    assert [report.format for report in reports] == ["slack"]
    assert reports[0].warnings == ()
    assert ingest(store, tmp_path / "slack")[0].warnings == ()


def test_a_large_document_is_counted_by_the_process_that_parses_it(tmp_path, monkeypatch):
    monkeypatch.setattr(parse_process, "LARGE", 1)
    monkeypatch.setattr(parse_process, "_cores", lambda: 2)
    path = write(tmp_path / "claude.json", [claude("Lisbon", "me: We go", "ai: Good")])

    with Store(tmp_path / "mem.db") as store:
        [report] = ingest(store, path)

    assert (report.messages.seen, report.messages.reasons) == (2, {})


def test_all_files_that_no_format_recognises_are_named(store, tmp_path):
    names = [str(write(tmp_path / "all" / f"{at}.txt", "Dear diary.")) for at in range(5)]
    write(tmp_path / "all" / "claude.json", [claude("Lisbon", "me: We go", "ai: Good")])

    for reports in (ingest(store, tmp_path / "all"), ingest(store, tmp_path / "all")):
        assert list(reports[-1].unrecognized) == names
        assert reports[-1].warnings[-1].why.endswith("2.txt and 2 more; `--verbose` names all 5")


@pytest.mark.parametrize("content", ["[]", '{"chats": []}', " \n", "{}"])
def test_a_file_that_holds_nothing_is_not_called_unknown(store, tmp_path, content):
    write(tmp_path / "all" / "claude.json", [claude("Lisbon", "me: We go", "ai: Good")])
    write(tmp_path / "all" / "group_chats.json", content)

    [report] = ingest(store, tmp_path / "all")

    assert report.warnings == ()
