"""Nothing leaves the machine."""

import os
import subprocess
import sys

WITHOUT_NETWORK = """
import sys

def forbid(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(forbid)
from memcli.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(tmp_path, *arguments, code=WITHOUT_NETWORK):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "MEM_DB": str(tmp_path / "mem.db"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_main_job_runs_where_every_connection_is_forbidden(tmp_path):
    result = run(tmp_path, "demo")

    assert (result.returncode, result.stdout.count("$ mem ask")) == (0, 3)
    assert "socket." not in result.stderr


def test_the_ban_would_have_been_noticed(tmp_path):
    code = WITHOUT_NETWORK.replace(
        "from memcli.cli import main", "import socket; socket.create_connection(('127.0.0.1', 9))"
    )

    result = run(tmp_path, "demo", code=code)

    assert result.returncode == 1
    assert "RuntimeError: socket.getaddrinfo" in result.stderr
