"""The `mem` command."""

import os
import sys
from collections.abc import Sequence

from memcli.errors import ExitCode, MemError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mem`. The only place where an error becomes an exit status."""
    from memcli.cli.app import app

    try:
        app(argv, prog_name="mem")  # leaves by SystemExit on success, on --help and on bad usage
    except MemError as error:
        sys.stderr.write(f"mem: {error}\n")
        if error.hint:
            sys.stderr.write(f"hint: {error.hint}\n")
        return error.exit_code
    except BrokenPipeError:  # `mem search x | head -1`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    raise AssertionError("Typer always leaves by SystemExit")
