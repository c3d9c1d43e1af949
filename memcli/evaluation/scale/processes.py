"""Runs a command as a child process, and measures its processor time and memory."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

from memcli.errors import BackendError, ExitCode
from memcli.lazy_dataclasses import dataclass

# A small process starts the command: the peak memory of a process begins with its parent's.
_LAUNCHER = """
import os, sys
report = int(sys.argv[1])
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
seconds = usage.ru_utime + usage.ru_stime
os.write(report, b"%d %f %d" % (os.waitstatus_to_exitcode(status), seconds, peak))
"""


_MEM = (sys.executable, "-m", "memcli")


@dataclass(frozen=True, slots=True)
class CommandCost:
    """The cost of one run of a command, with all processes that it started."""

    cpu_seconds: Annotated[float, "User's and system's, of all its processes."]
    seconds: Annotated[float, "By the clock."]
    peak_bytes: Annotated[int, "Most memory of one of its processes."]


class CommandRunner:
    """Runs commands in one folder, whose settings and state are not the person's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "MEM_DB": str(folder / "mem.db"),
            "XDG_STATE_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }

    def run_mem(self, *arguments: str) -> CommandCost:
        """Run `mem` on the database of the folder.

        Raises:
            BackendError: it failed; with its error message.
        """
        return self.run(*_MEM, *arguments)

    def run(self, *command: str) -> CommandCost:
        """Run a command; its output goes nowhere.

        Raises:
            BackendError: it failed; with its error message.
        """
        reading, writing = os.pipe()
        began = perf_counter()
        try:
            done = subprocess.run(
                (sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writing), *command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(writing,),
                env=self._environment,
                cwd=self.folder,
                check=False,
            )
        finally:
            os.close(writing)
        seconds = perf_counter() - began
        with os.fdopen(reading) as report:
            status, cpu_seconds, peak = report.read().split() or ("1", "0", "0")
        if int(status) not in (ExitCode.OK, ExitCode.NOTHING_FOUND):
            message = done.stderr.decode(errors="replace").strip() or "it said nothing"
            name = command[len(_MEM)] if command[: len(_MEM)] == _MEM else command[0]
            raise BackendError(f"`{name}` failed: {message.removeprefix('mem: ')}")
        return CommandCost(float(cpu_seconds), seconds, int(peak))


def median_cost(costs: Sequence[CommandCost]) -> CommandCost:
    """Return the medians of the costs of several runs."""
    return CommandCost(
        median(cost.cpu_seconds for cost in costs),
        median(cost.seconds for cost in costs),
        int(median(cost.peak_bytes for cost in costs)),
    )
