"""One file operation of an import fails after another, SQLite's own included.

    python -m helpers.faults FOLDER SECONDS MOST

Prints how many operations an import has, and how many of them failed. They fail in an order that is
spread evenly over the import at any moment, so that a run that is cut short is a sample. Each
import is a process of its own, made by `fork` once everything is loaded.
"""

import errno
import json
import os
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from math import gcd
from multiprocessing import get_context
from pathlib import Path

import apsw

from helpers.small_exports import talk
from memcli.cli import main
from memcli.store import Filters, Store

TALKS = 30  # each in a file of its own, and thus in transactions of its own
LONGEST = 60  # seconds for one import, beside a busy machine
EVENTS = frozenset(
    "open os.rename os.remove os.mkdir os.rmdir os.link os.scandir os.listdir os.chmod".split()
)
CODES = ("EIO", "ENOSPC", "EACCES", "EMFILE")


class Faults:
    """Counts file operations, and lets one of them fail."""

    def __init__(self, folder, at):
        self.folder, self.at, self.count = str(folder), at, 0
        self.code = CODES[at % len(CODES)]

    def fails(self):
        self.count += 1
        return self.count == self.at

    def check(self, event, arguments):
        if event in EVENTS and self.folder in str(arguments[0]) and self.fails():
            raise OSError(getattr(errno, self.code), "made up")

    def check_file(self, error):
        if self.fails():
            raise apsw.FullError("made up") if self.code == "ENOSPC" else error("made up")


def install(faults):
    """Let SQLite's operations on its files fail, and Python's."""
    usual = apsw.vfs_names()[0]

    class File(apsw.VFSFile):
        def __init__(self, name, flags):
            faults.check_file(apsw.CantOpenError)
            super().__init__(usual, name, flags)

        def xRead(self, amount, offset):  # noqa: N802  # apsw calls it
            faults.check_file(apsw.IOError)
            return super().xRead(amount, offset)

        def xWrite(self, content, offset):  # noqa: N802  # apsw calls it
            faults.check_file(apsw.IOError)
            return super().xWrite(content, offset)

        def xSync(self, flags):  # noqa: N802  # apsw calls it
            faults.check_file(apsw.IOError)
            return super().xSync(flags)

        def xTruncate(self, size):  # noqa: N802  # apsw calls it
            faults.check_file(apsw.IOError)
            return super().xTruncate(size)

    class System(apsw.VFS):
        def __init__(self):
            super().__init__("faulty", usual, makedefault=True)

        def xOpen(self, name, flags):  # noqa: N802  # apsw calls it
            return File(name, flags)

        def xDelete(self, name, sync):  # noqa: N802  # apsw calls it
            faults.check_file(apsw.IOError)
            return super().xDelete(name, sync)

    faults.system = System()
    sys.addaudithook(faults.check)


def run(folder, at):
    """Import in another process; return (status, number of operations, standard error)."""
    output_path = folder / "stderr"
    pid = os.fork()
    if pid == 0:
        output = os.open(output_path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        faults = Faults(folder / "data", at)
        install(faults)
        status = 99
        try:
            status = main(["ingest", str(folder / "chats")])
        except BaseException as error:
            os.write(2, f"Traceback: {error!r}\n{traceback.format_exc()}".encode())
        finally:
            sys.stderr.flush()
            os.write(2, f"\n{faults.count}".encode())
            os._exit(status)
    until = time.monotonic() + LONGEST
    while True:
        done, raw = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        assert time.monotonic() < until, (at, "hangs")
        time.sleep(0.005)
    text, _, count = output_path.read_text().rpartition("\n")
    return os.waitstatus_to_exitcode(raw), int(count or 0), text


def check_archive(folder, *, whole):
    """Check what is in the database: each talk at most once, and its file sound."""
    path = folder / "data" / "mem.db"
    if not path.exists():
        return
    with Store(path) as store:
        assert store.health.check_file() == []
        titles = [one.title for one in store.sessions.summaries(Filters())]
    assert len(titles) == len(set(titles))
    assert not whole or len(titles) == TALKS


def prepare(folder):
    """Write an export of many files, and let this process import into the folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "chats").mkdir()
    for at in range(TALKS):
        content = [talk(f"Talk {at}", f"me: word{at}", "ai: Noted.")]
        (folder / f"chats/{at}.json").write_text(json.dumps(content))
    os.environ.update(MEM_DB=str(folder / "data" / "mem.db"), TMPDIR=str(folder / "data"))
    os.environ.update(HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_STATE_HOME=str(folder))
    os.environ.pop("MEM_CONFIG", None)


def spread(count):
    """Return the numbers from 1 to `count`, each beginning of them spread evenly."""
    step = next(each for each in range(int(count * 0.618) or 1, 2 * count) if gcd(each, count) == 1)
    return [1 + at * step % count for at in range(count)]


def fail_some(folder, until, positions):
    """Let the operations at some positions fail, until the time is over; return their number."""
    prepare(folder)
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        main(["ingest", str(folder / "chats")])  # loads all that an import needs
    for number, at in enumerate(positions):
        if time.monotonic() > until:
            return number
        for old in (folder / "data").glob("*"):
            old.unlink()
        status, _, text = run(folder, at)
        assert "Traceback" not in text, (at, text)
        assert status in (0, 2, 4, 5, 7, 75), (at, status, text)
        check_archive(folder, whole=status == 0)
        if number % 10 == 0:  # the next import finishes the job
            assert run(folder, 0)[0] == 0, at
            check_archive(folder, whole=True)
    return len(positions)


def fail_each(folder, seconds, most):
    """Let one operation after another fail, in a process for each processor."""
    folder, until, workers = Path(folder), time.monotonic() + seconds, os.cpu_count() or 1
    prepare(folder / "whole")
    status, operations, text = run(folder / "whole", 0)
    assert status == 0, text
    positions = spread(min(operations, most))
    tasks = [(folder / str(at), until, positions[at::workers]) for at in range(workers)]
    with get_context("fork").Pool(workers) as pool:
        faults = sum(pool.starmap(fail_some, tasks, chunksize=1))
    return {"faults": faults, "of": len(positions), "operations of one import": operations}


if __name__ == "__main__":
    place, for_seconds, at_most = sys.argv[1:]
    sys.stdout.write(json.dumps(fail_each(place, float(for_seconds), int(at_most))))
