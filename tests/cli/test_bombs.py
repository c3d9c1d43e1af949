"""Files made to exhaust a machine: bounded memory and time, one clear line, status 4."""

import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from helpers.mem_process import MEM, Run
from helpers.small_exports import chatgpt

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20
MOST_MEMORY = 300 * MEGABYTE
CATS = ("me: A name for a cat?", "ai: Pixel.")


# Run by a small process of its own: the memory of a child counts from that of its parent.
WATCHED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:]).returncode
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""


@pytest.fixture
def bounded(mem):
    """`mem` with its memory watched."""
    peak = mem.home / "kilobytes"

    def bounded(*arguments, stdin=None):
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, peak, MEM, *arguments],
            stdin=stdin,
            capture_output=True,
            text=True,
            cwd=mem.folder,
            env=mem.environment,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert int(peak.read_text()) * 1024 < MOST_MEMORY
        return Run(done.returncode, done.stdout, done.stderr)

    return bounded


def zeros(size):
    """Deflated zeros, made without deflating so many: blocks that know nothing of each other."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = press.compress(bytes(MEGABYTE)) + press.flush(zlib.Z_FULL_FLUSH)
    return block * (size // MEGABYTE) + press.flush()


def bomb(path, sizes, *, told=None):
    """A zip of members with so many zeros each; `told` is how many it says there are in each."""
    directory = b""
    with path.open("wb") as stream:
        for number, size in enumerate(sizes):
            raw, name = zeros(size), b"conversations-%d.json" % number
            sums = struct.pack("<LLL", 0, len(raw), told or size)
            fields = struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sums + struct.pack("<H", len(name))
            at = stream.tell()
            stream.write(b"PK\x03\x04" + fields + b"\0\0" + name + raw)
            directory += b"PK\x01\x02\x14\0" + fields + bytes(12) + struct.pack("<L", at) + name
        ends = (len(sizes), len(sizes), len(directory), stream.tell(), 0)
        stream.write(directory + b"PK\x05\x06\0\0\0\0" + struct.pack("<HHLLH", *ends))


def packed(members):
    held = BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def test_a_bomb_of_ten_gigabytes_is_refused_member_by_member(mem, bounded):
    bomb(mem.folder / "bomb.zip", [3500 * MEGABYTE] * 3)

    done = bounded("ingest", "bomb.zip")

    assert (done.code, done.out) == (4, "")
    assert done.err.count("\n") == 3
    assert "conversations-0.json unpacks to 3,670,016,000 bytes: too much for a chat" in done.err


def test_a_bomb_that_lies_about_its_size_is_read_no_further_than_it_says(mem, bounded):
    bomb(mem.folder / "bomb.zip", [3500 * MEGABYTE], told=MEGABYTE)

    done = bounded("ingest", "bomb.zip")

    assert (done.code, done.out) == (4, "")
    assert done.err.count("\n") == 1


def test_of_bombs_in_bombs_nothing_is_unpacked(mem, bounded):
    bomb(mem.folder / "bomb.zip", [3500 * MEGABYTE] * 3)
    inner = (mem.folder / "bomb.zip").read_bytes()
    for _ in range(4):
        inner = packed({f"{number}.zip": inner for number in range(4)})
    mem.write("bombs.zip", inner)

    done = bounded("ingest", "bombs.zip")

    assert (done.code, done.out) == (4, "")
    assert done.err


def test_nothing_is_written_where_the_names_in_a_zip_lead(mem, bounded):
    outside = mem.folder.parent / f"{mem.folder.name}-outside.json"
    names = [f"../{outside.name}", str(outside), "a/../../../x.json", "C:\\x.json", "\x1b[2J.json"]
    export = '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]'
    (mem.folder / "inner").mkdir()
    mem.write("inner/evil.zip", packed(dict.fromkeys(names, export)))
    before = set(mem.folder.parent.rglob("*"))

    done = bounded("ingest", "inner/evil.zip")

    after = set(mem.folder.parent.rglob("*"))
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert after - before == {mem.database, mem.home / "kilobytes"}


@pytest.mark.parametrize("name", ["", "chatgpt", "telegram", "claude_code", "generic_json"])
def test_a_hundred_thousand_brackets_end_in_one_line(mem, bounded, name):
    mem.write("deep.json", '[{"mapping":' * 100_000 + "\n")

    done = bounded("ingest", "deep.json", *(["--format", name] if name else []))

    assert done.code == 4
    assert done.err.count("\n") == 1


def test_what_is_nested_too_deeply_loses_itself_alone(mem, bounded):
    first, last = (chatgpt(title, *CATS) for title in ("Cats", "Dogs"))
    deep = {**chatgpt("Deep", *CATS), "extra": "DEEP"}
    mem.write("deep.json", [first, deep, last])
    path = mem.folder / "deep.json"
    path.write_text(path.read_text().replace('"DEEP"', "[" * 100_000 + "]" * 100_000))

    done = bounded("ingest", "deep.json")

    assert (done.code, done.out) == (4, "deep.json: chatgpt, 2 new sessions, 4 new turns\n")
    assert done.err == "mem: deep.json: conversation 2: is nested too deeply\n"


LINES = {
    "chatgpt.json": '[{"mapping": {"a": {"message": {"author": {"role": "user"}, "content": {"parts'
    '": ["',
    "result.json": '{"name": "Ann", "type": "personal_chat", "id": 1, "messages": [{"id": 1, "type'
    '": "message", "date": "2024-03-01T12:00:00", "from": "Ann", "text": "',
    "rows.jsonl": '{"role": "user", "content": "Hi"}\n{"role": "assistant", "content": "',
    "plain.json": '{"role": "user", "content": "',
    "WhatsApp Chat with Ann.txt": "[20.03.2024, 12:00:00] Ann: Hi\n[20.03.2024, 12:00:01] Ann: ",
    "talk.md": "User: Hi\n\nAssistant: Ho\n\nUser: ",
    "letters.txt": "x",
}


@pytest.fixture
def endless(mem):
    """Half a gigabyte that begins as a file of this name and goes on with NULs in the same line."""

    def endless(name):
        (mem.folder / name).write_text(LINES[name])
        os.truncate(mem.folder / name, 500 * MEGABYTE)  # takes no room on the disk
        return mem.folder / name

    return endless


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_half_a_gigabyte_takes_little_memory(bounded, endless, name):
    done = bounded("ingest", endless(name).name)

    assert done.code == 4
    assert 1 <= done.err.count("\n") <= 2


@pytest.mark.parametrize("name", ["chatgpt.json", "rows.jsonl", "talk.md"])
def test_a_line_of_half_a_gigabyte_may_come_through_a_pipe(bounded, endless, name):
    with subprocess.Popen(["cat", endless(name)], stdout=subprocess.PIPE) as cat:
        done = bounded("ingest", "-", stdin=cat.stdout)

    assert done.code == 4
    assert 1 <= done.err.count("\n") <= 2
