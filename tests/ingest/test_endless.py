"""Endless input, and a full temporary disk: one clear line, and the rest is imported."""

import errno

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk

CATS = [talk("Cats", "me: A name for a cat?", "ai: Pixel.")]


@pytest.fixture
def mem(tmp_path):
    return Mem(tmp_path)


def test_an_endless_stream_ends_at_the_limit_that_a_person_can_set(mem):
    mem.write("a.json", CATS)

    done = mem("ingest", "/dev/zero", "a.json", "--json", MEM_MAX_STREAM="0.01")

    assert done.code == 4
    assert done.json["totals"]["sessions"]["new"] == 1
    [warning] = done.json["sources"][0]["warnings"]
    assert "/dev/zero has more than 0.01 GiB" in warning["what"]
    assert "MEM_MAX_STREAM" in warning["what"]


def test_a_limit_that_is_no_number_is_named(mem):
    done = mem("ingest", "-", MEM_MAX_STREAM="much", stdin=b"[]")

    assert done.code == 4
    assert "MEM_MAX_STREAM is `much`" in done.err


def test_a_full_temporary_disk_is_one_clear_line(mem, monkeypatch):
    class FullDisk:
        def write(self, _block):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr("tempfile.TemporaryFile", FullDisk)
    mem.write("a.json", CATS)

    done = mem("ingest", "/dev/zero", "a.json")

    assert done.code == 4
    assert "is full" in done.err
    assert "TMPDIR" in done.err
    assert "Cats" in mem("sessions").out
