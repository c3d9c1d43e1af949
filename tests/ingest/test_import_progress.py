"""How far an import is, in bytes of what there is to read."""

import io
import json
import os
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from helpers.keyword_models import WordEmbedder
from helpers.small_exports import talk

from memcli.formats import ParseOptions
from memcli.ingest import import_exports as work
from memcli.ingest import session_writer
from memcli.ingest.import_exports import import_changed, import_exports
from memcli.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


@pytest.fixture
def take(store, monkeypatch):
    """Ingest paths, a few turns a batch; return all that was told, as (bytes done, of how many)."""
    monkeypatch.setattr(work, "BATCH_TURNS", 20)

    def run(*paths):
        told = []
        import_exports(
            list(paths),
            store,
            WordEmbedder(),
            ParseOptions(),
            progress=lambda *each: told.append(each),
        )
        return told

    return run


def export(path, chats=40, words=2000):
    """Write an export that takes several reads and several batches; return its size."""
    rows = [
        talk(f"Chat {n} of {path.name}", f"me: {'word ' * words}", "ai: ok") for n in range(chats)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path.stat().st_size


def grows(told):
    return all(before[0] <= after[0] for before, after in pairwise(told))


def test_a_file_is_through_when_all_its_bytes_are(take, tmp_path):
    size = export(tmp_path / "one.jsonl")

    told = take(tmp_path / "one.jsonl")

    assert grows(told)
    assert {of for _, of in told} == {size}
    assert told[-1] == (size, size)
    assert 0 < told[len(told) // 2][0] < size


def test_of_a_folder_all_files_count_but_for_pictures(take, tmp_path):
    (tmp_path / "all").mkdir()
    sizes = [export(tmp_path / "all" / f"{name}.jsonl") for name in "ab"]
    (tmp_path / "all" / "IMG_1.jpg").write_bytes(b"\xff\xd8" * 100_000)
    (tmp_path / "all" / "odd.bin").write_bytes(b"\x00" * 10_000)

    told = take(tmp_path / "all")

    assert grows(told)
    assert told[0][1] == sum(sizes) + 10_000
    assert told[-1][0] == sum(sizes)


def test_of_a_zip_what_is_packed_in_it_counts(take, tmp_path):
    size = export(tmp_path / "one.jsonl")
    with zipfile.ZipFile(tmp_path / "one.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "one.jsonl", "one.jsonl")

    told = take(tmp_path / "one.zip")

    assert (tmp_path / "one.zip").stat().st_size < size / 10
    assert grows(told)
    assert told[-1] == (size, size)
    assert 0 < told[len(told) // 2][0] < size


def test_what_comes_through_a_pipe_counts_once_it_is_there(take, tmp_path, monkeypatch):
    size = export(tmp_path / "one.jsonl")
    raw = io.BytesIO((tmp_path / "one.jsonl").read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw))

    assert take(Path("-"))[-1] == (size, size)


def test_what_has_not_changed_is_not_counted(take, store, tmp_path):
    (tmp_path / "all").mkdir()
    export(tmp_path / "all" / "a.jsonl")
    take(tmp_path / "all")
    size = export(tmp_path / "all" / "b.jsonl")
    told = []

    import_changed(store, WordEmbedder(), ParseOptions(), progress=lambda *each: told.append(each))

    assert {of for _, of in told} == {size}
    assert told[-1] == (size, size)


def test_within_a_batch_it_is_told_too_how_much_is_embedded(take, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "BATCH_TURNS", 1_000_000)
    monkeypatch.setattr(session_writer, "EMBEDDED", 8)
    export(tmp_path / "one.jsonl")

    told = take(tmp_path / "one.jsonl")

    assert len({done for done, _ in told}) >= 5


def test_what_nobody_can_read_beforehand_is_no_obstacle(take, tmp_path):
    size = export(tmp_path / "one.jsonl")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 broken")

    assert take(tmp_path / "one.jsonl", tmp_path / "broken.zip")[-1] == (size, size)
