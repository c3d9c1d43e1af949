"""`mem` as people run it, with a home and a database of its own, in this process or in another."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile

from memcli.cli import main
from memcli.store.encryption.key_sources import forget_keys

MEM = Path(sys.executable).with_name("mem")


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of `mem` ended, and what it said."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def json(self):
        """The one JSON object on stdout, which is all there is on it."""
        return json.loads(self.out)

    @property
    def lines(self):
        """The JSON objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Mem:
    """Runs `mem` in a folder, with a home and a database there, and nothing from outside.

    Called, it runs `main()` in this process, which spares the time that starting takes;
    `process` starts the installed program. Both give the same `Run`.
    """

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"
        self.database = folder / "mem.db"
        self.home.mkdir(exist_ok=True)

    @property
    def environment(self):
        return {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(self.home / "data"),
            "TMPDIR": str(self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "MEM_DB": str(self.database),
        }

    def __call__(self, *arguments, stdin=b"", **environment):
        forget_keys()  # a process begins without any
        with _as_process(self.folder, {**self.environment, **environment}, stdin) as streams:
            code = main([str(argument) for argument in arguments])
        return _checked_run(code, *streams)

    def process(self, *arguments, stdin=b"", **environment):
        """Run the installed `mem` in a process of its own."""
        done = subprocess.run(
            [MEM, *arguments],
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env={**self.environment, **environment},
            timeout=300,
        )
        return _checked_run(done.returncode, done.stdout, done.stderr)

    def write(self, name, content):
        """Write a file in the folder: bytes and text as they are, all else as JSON."""
        if not isinstance(content, bytes | str):
            content = json.dumps(content)
        raw = content if isinstance(content, bytes) else content.encode()
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        return name

    def remembers(self, *conversations):
        """Ingest conversations of `small_exports.talk`."""
        done = self("ingest", "-", "--json", stdin=json.dumps(conversations).encode())
        assert done.code == 0, done
        return done.json


def _checked_run(code, out, err):
    out, err = bytes(out).decode(), bytes(err).decode()
    assert "Traceback" not in err, err
    return Run(int(code), out, err)


@contextmanager
def _as_process(folder, environment, stdin):
    """Give this process the folder, environment and streams of one of its own; yield its output."""
    before = dict(os.environ), Path.cwd(), sys.stdin, sys.stdout, sys.stderr
    output = bytearray(), bytearray()
    with ExitStack() as files:
        streams = [
            files.enter_context(
                TextIOWrapper(files.enter_context(TemporaryFile(buffering=0)), encoding="utf-8")
            )
            for _ in range(3)
        ]
        for stream in streams[1:]:
            stream.reconfigure(errors="backslashreplace", write_through=True)
        streams[0].buffer.write(stdin)
        streams[0].buffer.seek(0)
        _enter(folder, environment, *streams)
        try:
            yield output
        finally:
            for stream, kept in zip(streams[1:], output, strict=True):
                stream.flush()
                stream.buffer.seek(0)
                kept.extend(stream.buffer.read())
            _enter(before[1], *before[:1], *before[2:])


def _enter(folder, environment, stdin, stdout, stderr):
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
