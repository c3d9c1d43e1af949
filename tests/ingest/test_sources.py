"""Sources are remembered: `mem ingest` alone reads what has changed, and only that."""

import json
import os
from datetime import UTC

import pytest
from helpers.keyword_models import WordEmbedder
from helpers.small_exports import whatsapp

from memcli.domain import Conversation, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats import Format, ParseOptions
from memcli.formats.parsing import json_lines
from memcli.ingest.import_counts import ImportCounts
from memcli.ingest.import_exports import import_changed, import_exports
from memcli.store import Filters, Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def take(store, *paths, **keywords):
    return import_exports(
        paths, store, WordEmbedder(), keywords.pop("reading", ParseOptions()), **keywords
    )


def again(store, **keywords):
    here = keywords.pop("here", ParseOptions())
    return import_changed(store, WordEmbedder(), here, **keywords)


def titles(store):
    return sorted(overview.title for overview in store.sessions.summaries(Filters()))


def messages(path, *texts, ended=True):
    """A file of JSON lines, a message a line."""
    rows = [json.dumps({"role": "user", "content": text}) for text in texts]
    path.write_text("\n".join(rows) + "\n" * ended)
    return path


def test_nothing_is_read_again_where_nothing_has_changed(store, folder, monkeypatch):
    take(store, messages(folder / "a.jsonl", "Hi"))
    monkeypatch.setattr(
        "memcli.ingest.import_exports.recognise_format",
        lambda document: pytest.fail(f"{document} was read"),
    )

    assert again(store) == []


def test_a_file_that_was_only_touched_is_not_read_again(store, folder, monkeypatch):
    path = messages(folder / "a.jsonl", "Hi")
    take(store, path)
    read = []
    monkeypatch.setattr("memcli.ingest.import_exports.recognise_format", read.append)

    for moment in (1_700_000_000, 1_700_000_001):
        os.utime(path, (moment, moment))
        [report] = take(store, path)
        assert report.sessions == ImportCounts(unchanged=1)
    assert not read


def test_a_file_of_the_same_size_with_another_content_is_read_again(store, folder):
    rest = "x" * 5000  # beyond what is looked at first
    path = messages(folder / "a.jsonl", rest, "Hi")
    take(store, path)

    messages(path, rest, "Ho")

    [report] = take(store, path)
    assert report.turns.new == 1


def test_the_same_path_again_tells_what_it_holds_without_reading_it(store, folder):
    take(store, messages(folder / "a.jsonl", "Hi", "there"))

    [report] = take(store, folder / "a.jsonl")

    assert (report.sessions, report.turns) == (ImportCounts(unchanged=1), ImportCounts(unchanged=2))
    assert report.idle


def test_a_file_that_changed_is_read_again(store, folder):
    take(store, folder / "missing.jsonl", messages(folder / "a.jsonl", "Hi"))
    messages(folder / "a.jsonl", "Hi", "there")

    [report] = again(store)

    assert report.turns == ImportCounts(new=1, unchanged=1)


def test_a_file_that_is_new_in_a_remembered_folder_is_read(store, folder):
    take(store, messages(folder / "a.jsonl", "Hi").parent)
    messages(folder / "b.jsonl", "Ho")

    [report] = again(store)

    assert report.path == str(folder / "b.jsonl")
    assert len(titles(store)) == 2


def test_a_source_that_is_gone_is_left_out_unless_strict_and_deletes_nothing(store, folder):
    path = messages(folder / "a.jsonl", "Hi")
    take(store, path)
    path.unlink()

    reports = again(store)

    assert reports == []
    with pytest.raises(InputError, match="no file or folder at"):
        again(store, strict=True)
    assert len(titles(store)) == 1


def test_a_source_is_read_again_as_it_was_read_first(store, folder):
    path = folder / "WhatsApp Chat with Ann.txt"
    path.write_text(whatsapp("Ann: Hi", "Bob: Ho"))
    take(store, path, reading=ParseOptions(UTC, "Bob"))
    path.write_text(whatsapp("Ann: Hi", "Bob: Ho", "Bob: Ha"))

    again(store)

    [overview] = store.sessions.summaries(Filters())
    roles = [turn.role for turn in store.sessions.get(overview.id).turns]
    assert roles == [Role.PERSON, Role.USER, Role.USER]


def test_who_the_settings_say_the_person_is_counts_for_sources_of_before(store, folder):
    path = folder / "WhatsApp Chat with Ann.txt"
    path.write_text(whatsapp("Ann: Hi", "Bob: Ho", "bob@work: Ha"))
    take(store, path)

    again(store, here=ParseOptions(aliases=("Bob", "BOB@work")))

    [overview] = store.sessions.summaries(Filters())
    roles = [turn.role for turn in store.sessions.get(overview.id).turns]
    assert roles == [Role.PERSON, Role.USER, Role.USER]


def test_a_damaged_file_is_told_every_time_it_is_named_and_once_otherwise(store, folder):
    (folder / "a.json").write_text('[{"role": "user", "content": "Hi"}, {"ro')
    first = take(store, folder / "a.json")

    assert take(store, folder / "a.json")[0].warnings == first[0].warnings != ()
    assert again(store) == []


def test_strict_stops_at_the_first_damage_and_names_it(store, folder):
    (folder / "a.json").write_text('[{"role": "user", "content": "Hi"}, {"ro')

    with pytest.raises(InputError, match=r"a\.json ends in the middle"):
        take(store, folder / "a.json", strict=True)


def test_a_trial_leaves_nothing_behind(store, folder):
    path = messages(folder / "a.jsonl", "Hi")

    with store.dry_run():
        [report] = take(store, path)

    assert report.sessions == ImportCounts(new=1)
    assert titles(store) == []
    assert again(store) == []
    assert take(store, path)[0].sessions == ImportCounts(new=1)


@pytest.fixture
def log(monkeypatch):
    """A format for logs, a message a line, and the numbers of the lines that it parsed."""
    monkeypatch.setattr(json_lines, "HEAD", 64)
    parsed = []

    def parse(document, _reading):
        turns = []
        for number, row in json_lines.read_json_lines(document, growing=True):
            if isinstance(row, json_lines.BrokenValue):
                yield Skipped(f"line {number}", row.reason)
            else:
                parsed.append(number)
                turns.append(Turn(row["content"], Role.USER, row["content"]))
        yield Conversation("log", "one", "Log", tuple(turns))

    found = Format("log", lambda _sample: True, parse, grows=True)
    monkeypatch.setattr("memcli.ingest.paths.known_files.load_format", lambda _name: found)
    monkeypatch.setattr("memcli.ingest.paths.known_files.HEAD", 16)
    return found, parsed


def test_of_a_log_that_grew_only_the_new_lines_are_parsed(store, folder, log):
    found, parsed = log
    path = messages(folder / "a.jsonl", *(f"message {at}" for at in range(20)))
    take(store, path, forced=found)
    parsed.clear()
    messages(path, *(f"message {at}" for at in range(23)))

    [report] = again(store)

    assert report.turns.new == 3
    assert parsed[-3:] == [21, 22, 23]
    assert len(parsed) < 8
    [overview] = store.sessions.summaries(Filters())
    assert overview.turns == 23


def test_a_line_that_is_half_written_is_left_for_the_next_time(store, folder, log):
    found, _ = log
    path = messages(folder / "a.jsonl", *(f"message {at}" for at in range(20)))
    whole = path.read_text()
    path.write_text(whole[:-9])

    [first] = take(store, path, forced=found)
    path.write_text(whole)
    [second] = again(store)

    assert (first.turns.new, first.warnings) == (19, ())
    assert (second.turns.new, second.warnings) == (1, ())


def test_a_log_that_was_written_anew_is_read_from_its_beginning(store, folder, log):
    found, parsed = log
    take(store, messages(folder / "a.jsonl", "one", "two"), forced=found)
    parsed.clear()
    messages(folder / "a.jsonl", "uno", "due", "tre")

    [report] = again(store)

    assert parsed == [1, 2, 3]
    assert report.turns.new == 3
