"""Long text on a terminal, a screen at a time."""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress

from memcli.cli.output.console import note


def page(text: str) -> None:
    """Show a text with MEM_PAGER, else PAGER, else `less`; print it where that is empty or fails.

    `less` is told to keep colours, and to leave what it showed on the screen.
    """
    command = os.environ.get("MEM_PAGER", os.environ.get("PAGER", "less"))
    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    try:
        words = shlex.split(command)
        if not words or words == ["cat"]:
            sys.stdout.write(text)
            return
        sys.stdout.flush()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's
        try:
            with subprocess.Popen(words, stdin=subprocess.PIPE, env=environment) as process:
                assert process.stdin
                with suppress(BrokenPipeError):  # whoever has seen enough leaves
                    process.stdin.write(text.encode("utf-8", "replace"))
                    process.stdin.close()
        finally:
            signal.signal(signal.SIGINT, before)
    except (OSError, ValueError) as error:  # no such program; quotes that do not end
        note(f"the pager `{command}` does not run: {error}")
        sys.stdout.write(text)
