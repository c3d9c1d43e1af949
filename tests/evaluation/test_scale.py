"""Every command is measured on an archive that nobody ever said, which is the same every time."""

import json
import subprocess
import sys

import pytest

from memcli.domain import Conversation
from memcli.errors import BackendError, InputError
from memcli.evaluation.scale.archive import sample_questions, write_archive
from memcli.evaluation.scale.languages import LANGUAGES, ZipfLanguage
from memcli.evaluation.scale.processes import CommandRunner
from memcli.evaluation.scale.report import EarlierRun
from memcli.formats import ParseOptions, recognise_format
from memcli.formats.sources import find_sources


def test_the_same_number_gives_the_same_bytes(tmp_path):
    sizes, contents = [], []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        sizes.append(write_archive(40, folder))
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})

    assert contents[0] == contents[1]
    assert sizes[0] == sizes[1] == sum(map(len, contents[0].values()))


def test_an_archive_has_several_sources_and_about_the_sessions_that_were_asked_for(tmp_path):
    write_archive(60, tmp_path)

    conversations: dict[str, int] = {}
    for place in find_sources(tmp_path):
        for document in place.documents():
            found = recognise_format(document)
            parsed = list(found.parse(document, ParseOptions()))
            assert all(isinstance(one, Conversation) for one in parsed), parsed
            conversations[found.name] = len(parsed)
    assert conversations == {"longmemeval": 36, "chatgpt": 6, "whatsapp": 1, "telegram": 1}


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_second_word_of_a_language_is_about_half_as_frequent_as_the_first(name):
    language = ZipfLanguage.of(name)

    first, second, *_, last = language.frequencies
    assert (second - first) / first == 0.5
    assert last == pytest.approx(10.9, abs=0.1)
    assert language.words == ZipfLanguage.of(name).words


def test_questions_are_the_same_every_time_and_each_another():
    assert sample_questions(5) == sample_questions(5)
    assert len(set(sample_questions(5))) == 5


def test_the_cost_of_a_command_is_its_own(tmp_path):
    work = "bytearray(200 << 20); sum(range(3_000_000))"

    cost = CommandRunner(tmp_path).run(sys.executable, "-c", work)
    idle = CommandRunner(tmp_path).run(sys.executable, "-c", "pass")

    assert cost.cpu_seconds > idle.cpu_seconds > 0
    assert cost.peak_bytes > 200 << 20 > idle.peak_bytes > 1 << 20


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(BackendError, match="`search` failed: nothing was ingested yet"):
        CommandRunner(tmp_path).run_mem("search", "door")


def test_a_report_is_compared_only_with_a_report(tmp_path):
    path = tmp_path / "last.json"
    path.write_text(json.dumps({"schema": "mem.speed/1"}))

    with pytest.raises(InputError, match="is no report of"):
        EarlierRun.read(path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        EarlierRun.read(tmp_path / "none.json")


@pytest.mark.slow
def test_every_row_is_there_and_can_be_compared(tmp_path):
    mem = (sys.executable, "-m", "memcli", "bench", "--speed", "--sessions", "40", "--quiet")
    last = tmp_path / "last.json"
    with last.open("wb") as stream:
        subprocess.run((*mem, "--json"), stdout=stream, check=True)
    report = json.loads(last.read_text())

    assert report["schema"] == "mem.scale/1"
    assert 30 <= report["sessions"] <= 50
    assert report["database_to_text"] > 1
    assert report["disk"]["by_table"]["turns"] > 0
    rows = {row["command"]: row for row in report["rows"]}
    assert list(rows) == [
        "--version",
        "--help",
        "ingest",
        "ingest, files touched",
        "search, new question",
        "search, asked again",
        "stats",
        "doctor",
        "sessions",
        "export, jsonl",
        "export, markdown",
        "forget one session",
        "index --rebuild",
        "search of a small archive, new question",
        "search of a small archive, asked again",
    ]
    assert all(row["cost"]["cpu_seconds"] > 0 for row in rows.values())
    assert all(row["cost"]["peak_bytes"] > 5 << 20 for row in rows.values())
    assert rows["search, new question"]["times_floor"] > 1
    done = subprocess.run((*mem, "--compare", last), capture_output=True, text=True, check=True)
    head, line = (done.stdout.splitlines()[at] for at in (2, 5))
    assert head.split()[:4] == ["processor", "seconds", "now", "before"]
    assert float(line.split()[2]) == pytest.approx(rows["ingest"]["cost"]["cpu_seconds"], abs=0.01)
