"""A model file that has not changed is not walked again; one that has is."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from memcli.backends.gguf_check import check_gguf
from memcli.cli.models.gguf_cache import SETTLED, check_cached
from memcli.errors import BackendError, ModelNotFoundError
from memcli.settings import state_folder


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Where is kept what was found."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
    return state_folder() / "checked.json"


@pytest.fixture
def settled(tmp_path, tiny):
    """A model that has not changed for a while."""
    path = Path(shutil.copy(tiny, tmp_path))
    time.sleep(max(0, (path.stat().st_ctime_ns + SETTLED - time.time_ns()) / 1e9) + 0.01)
    return path


def test_a_file_is_walked_once(settled, kept):
    first = check_cached(settled)
    found = json.loads(kept.read_text())
    found[str(settled)][1] = "what was found before"
    kept.write_text(json.dumps(found))

    again = check_cached(settled)

    assert first == check_gguf(settled)
    assert again.digest == "what was found before"
    assert (again.context, again.dimensions) == (first.context, first.dimensions)
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_file_that_only_looks_the_same_is_walked_again(settled, kept):
    before = settled.stat()
    first = check_cached(settled)
    with settled.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\xff\xff\xff\x7f")
    os.utime(settled, ns=(before.st_atime_ns, before.st_mtime_ns))

    again = check_cached(settled)

    assert (settled.stat().st_size, settled.stat().st_mtime_ns) == (
        before.st_size,
        before.st_mtime_ns,
    )
    assert again.digest != first.digest


def test_a_file_that_may_still_change_is_not_kept_in_mind(tiny, tmp_path, kept):
    check_cached(Path(shutil.copy(tiny, tmp_path)))

    assert not kept.exists()


def test_a_file_that_was_cut_short_since_is_refused(settled, kept):
    check_cached(settled)
    os.truncate(settled, settled.stat().st_size - 1000)

    with pytest.raises(BackendError, match="cut short"):
        check_cached(settled)


def test_a_file_that_is_gone_is_missing(settled, kept):
    check_cached(settled)
    settled.unlink()

    with pytest.raises(ModelNotFoundError):
        check_cached(settled)


@pytest.mark.parametrize(
    "nonsense", ["", "[]", "{}", "{", '{"PATH": 3}', '{"PATH": [[], 1, 2]}', "[" * 99999]
)
def test_nonsense_in_the_place_of_what_was_found_only_costs_time(nonsense, settled, kept):
    kept.parent.mkdir(parents=True)
    kept.write_text(nonsense.replace("PATH", str(settled)))

    assert check_cached(settled) == check_gguf(settled)
    assert check_cached(settled) == check_gguf(settled)


def test_where_nothing_can_be_kept_files_are_checked_all_the_same(settled, kept):
    kept.parent.parent.mkdir(parents=True)
    kept.parent.write_text("no folder")

    assert check_cached(settled) == check_gguf(settled)
