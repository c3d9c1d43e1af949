"""Long text on a terminal, one screen at a time."""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress

from memcli.cli.output.console import note


def page(text: str) -> None:
    """Show a text with the pager of MEM_PAGER, else PAGER, else `less`.

    An empty variable, `cat`, or a pager that does not start means that the text is printed. `less`
    is told to keep colours, and to leave the text on the screen when it ends.
    """
    command = os.environ.get("MEM_PAGER", os.environ.get("PAGER", "less"))
    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    try:
        words = shlex.split(command)
        if not words or words == ["cat"]:
            sys.stdout.write(text)
            return
        sys.stdout.flush()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pager handles Ctrl-C itself
        try:
            with subprocess.Popen(words, stdin=subprocess.PIPE, env=environment) as process:
                assert process.stdin
                with suppress(BrokenPipeError):  # the reader may leave before the end
                    process.stdin.write(text.encode("utf-8", "replace"))
                    process.stdin.close()
        finally:
            signal.signal(signal.SIGINT, before)
    except (OSError, ValueError) as error:  # no such program, or a quotation mark without its pair
        note(f"the pager `{command}` does not run: {error}")
        sys.stdout.write(text)
