"""The installed `mem` as people run it: a process, with a home and a database of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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
    """Runs `mem` in a folder, with a home and a database there, and nothing from outside."""

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
        done = subprocess.run(
            [MEM, *arguments],
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env={**self.environment, **environment},
            timeout=300,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in err, err
        return Run(done.returncode, out, err)

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
