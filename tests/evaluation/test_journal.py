"""What was kept is there after whatever happened, and nothing that was not."""

import pytest

from memcli.errors import MemError
from memcli.evaluation.journal import MOST_FILES, Journal


def kept(path, **options):
    with Journal(path, **options) as journal:
        return {key: journal[key] for key in ("a", "b", "c") if key in journal}


def keep(path, **records):
    with Journal(path) as journal:
        for key, record in records.items():
            journal.keep(key, record)


def test_what_is_kept_is_there_in_the_next_run(tmp_path):
    path = tmp_path / "state" / "run.jsonl"

    keep(path, a={"x": 1})
    keep(path, b={"x": 2}, a={"x": 3})

    assert kept(path) == {"a": {"x": 3}, "b": {"x": 2}}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("tail", [b'["c",{"x":', b'["c",{"x":1}]', b"\xff\n", b"3\n", b'["c"]\n'])
def test_a_record_that_was_cut_off_is_dropped_and_written_anew(tmp_path, tail):
    path = tmp_path / "run.jsonl"
    keep(path, a={"x": 1})
    path.write_bytes(path.read_bytes() + tail)

    assert kept(path) == {"a": {"x": 1}}
    keep(path, c={"x": 2})
    assert kept(path) == {"a": {"x": 1}, "c": {"x": 2}}


def test_again_begins_anew(tmp_path):
    keep(tmp_path / "run.jsonl", a={"x": 1})

    assert kept(tmp_path / "run.jsonl", again=True) == {}
    assert kept(tmp_path / "run.jsonl") == {}


def test_without_a_file_it_lasts_as_long_as_the_process():
    with Journal() as journal:
        journal.keep("a", {"x": 1})

        assert journal["a"] == {"x": 1}


def test_only_so_many_files_are_kept(tmp_path):
    for number in range(MOST_FILES + 5):
        keep(tmp_path / f"{number}.jsonl", a={})

    assert len(list(tmp_path.iterdir())) == MOST_FILES


def test_where_nothing_can_be_kept_it_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(MemError, match=r"results cannot be kept in .*run\.jsonl"):
        Journal(tmp_path / "file" / "run.jsonl")
