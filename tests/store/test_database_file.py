"""The file of a database: created whole and private, and never under two names."""

import os
import subprocess
import sys

import apsw
import pytest

from memcli.errors import StoreError
from memcli.store import Store


def test_an_emptied_database_is_not_filled_again(tmp_path):
    path = tmp_path / "mem.db"
    path.touch()

    with pytest.raises(StoreError, match="is empty"):
        Store(path)

    assert path.stat().st_size == 0


def test_a_second_name_is_refused(tmp_path):
    path, second = tmp_path / "mem.db", tmp_path / "other.db"
    Store(path).__exit__(None, None, None)
    second.hardlink_to(path)

    for name in (path, second):
        with pytest.raises(StoreError, match="second name"):
            Store(name)

    second.unlink()
    Store(path).__exit__(None, None, None)


def test_a_name_that_a_killed_process_left_is_removed(tmp_path):
    path, left, old = (
        tmp_path / name for name in ("mem.db", ".mem.db.0123abcd.new", ".mem.db.0123abce.new")
    )
    old.touch()
    os.utime(old, (0, 0))
    Store(path).__exit__(None, None, None)
    left.hardlink_to(path)

    Store(path).__exit__(None, None, None)

    assert [one.name for one in tmp_path.iterdir()] == ["mem.db"]


def test_a_link_that_leads_nowhere_yet_makes_a_private_database(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "folder" / "real.db")
    before = os.umask(0)
    try:
        Store(tmp_path / "link.db").__exit__(None, None, None)
    finally:
        os.umask(before)

    assert (tmp_path / "folder" / "real.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["real.db"]


def test_many_processes_may_create_one_database_at_once(tmp_path):
    create = "import sys; from pathlib import Path; from memcli.store import Store\n"
    create += "with Store(Path('mem.db'), wait=30) as store: store.count = 1"
    begun = [subprocess.Popen([sys.executable, "-c", create], cwd=tmp_path) for _ in range(6)]

    assert [process.wait(60) for process in begun] == [0] * 6
    assert [path.name for path in tmp_path.iterdir()] == ["mem.db"]


def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path):
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(StoreError, match="cannot make"):
        Store(tmp_path / "file" / "mem.db")


def test_a_disk_that_fails_when_the_database_is_closed_is_an_error_of_the_store(tmp_path):
    class Failing:
        def close(self):
            raise apsw.IOError("disk I/O error")

    store = Store(tmp_path / "mem.db")
    opened, store._database._db = store._database._db, Failing()

    with pytest.raises(StoreError, match=r"mem\.db cannot be read or written"):
        store.__exit__(None, None, None)
    opened.close()
