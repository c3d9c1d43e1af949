"""What stays on a terminal of a width, as text."""

import os
import pty
import re
import select
import struct
import subprocess
import time
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCSWINSZ

from helpers.mem_process import MEM

CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\r")


def everything(terminal):
    """Return what is sent to a terminal until nobody has its other end, and close it."""
    sent, deadline = b"", time.monotonic() + 120
    with suppress(OSError):  # how Linux says that the other end is closed
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                block = os.read(terminal, 1 << 16)
                if not block:
                    break
                sent += block
    os.close(terminal)
    return sent.decode()


def pane(mem, *arguments, width=80, program=(MEM,), **environment):
    """Run `mem` on a terminal and return what it printed, without colours and trailing blanks.

    For commands that draw nothing over again.
    """
    terminal, end = pty.openpty()
    ioctl(end, TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [*program, *arguments],
        stdin=end, stdout=end, stderr=end, cwd=mem.folder,
        env={**mem.environment, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(end)
    sent = everything(terminal)
    process.wait(timeout=60)
    plain = CONTROL.sub("", sent)
    return "\n".join(line.rstrip() for line in plain.splitlines()) + "\n"
