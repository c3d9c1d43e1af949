"""Rendering of a chat template in a process of its own, within a bounded time and memory."""

import atexit
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping
from threading import Lock
from time import monotonic
from typing import Any

MOST_SECONDS = 5.0  # for one dialogue; real templates take milliseconds
START_SECONDS = 60.0  # for the first one, while a busy machine starts the process


class TemplateFailedError(Exception):
    """A fault of a template; the message goes on after "the chat template"."""


class TemplateProcess:
    """A process that renders templates; it is started when it is needed, and again after a fault.

    Args:
        seconds: the longest time for one dialogue.
    """

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def render(self, template: str, fields: Mapping[str, Any]) -> str:  # Any: as JSON has it
        """Return the text that a template makes of these fields.

        Raises:
            TemplateFailedError: it fails, or takes too much time, memory or space.
        """
        with self._lock:
            seconds = self._seconds if self._process else max(START_SECONDS, self._seconds)
            reply = self._ask(json.dumps({"template": template, "fields": fields}), seconds)
        if "text" not in reply:
            raise TemplateFailedError(reply["error"])
        return reply["text"]

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()

    def _ask(self, request: str, seconds: float) -> dict[str, str]:
        try:
            process = self._process = self._process or _start()
            assert process.stdin is not None
            process.stdin.write(f"{request}\n".encode())
            process.stdin.flush()
            line = _read_line(process, monotonic() + seconds)
            reply: dict[str, str] = json.loads(line)
        except TimeoutError:
            self.close()
            return {"error": f"takes more than {seconds:g} seconds"}
        except (OSError, ValueError):
            self.close()
            return {"error": "takes too much memory"}
        except BaseException:  # Ctrl-C: its reply would be taken for that of the next request
            self.close()
            raise
        return reply


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "memcli.backends.generation.template_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # Ctrl-C reaches this process alone
    )


def _read_line(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Return the next line of a process's output.

    Raises:
        TimeoutError: the deadline passed before.
        OSError: the process has ended.
    """
    assert process.stdout is not None
    line = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(deadline - monotonic(), 0)):
                raise TimeoutError
            block = os.read(process.stdout.fileno(), 1 << 16)
            if not block:
                raise BrokenPipeError
            line += block
    return bytes(line)


_shared = TemplateProcess()
atexit.register(_shared.close)


def render_bounded(template: str, fields: Mapping[str, Any]) -> str:  # Any: as JSON has it
    """Return the text that a template makes of these fields; see `TemplateProcess.render`."""
    return _shared.render(template, fields)
