"""The `mem` command."""

import os
import sys
from collections.abc import Sequence

from memcli.errors import ExitCode, MemError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mem`. The only place where an error becomes an exit status."""
    from memcli.cli.output import guard_streams, note, safe

    guard_streams()
    try:
        try:
            if "_MEM_COMPLETE" in os.environ:  # the scripts in `completions/` ask what Tab offers
                return _complete(os.environ["_MEM_COMPLETE"])
            from memcli.cli.app import command_tree

            app = command_tree(sys.argv[1:] if argv is None else argv)
            app(argv, prog_name="mem")  # leaves by SystemExit: on success, --help and bad usage
        finally:
            sys.stdout.flush()  # here, where it can still be told that the disk is full
    except MemError as error:
        note(str(error))
        if error.hint:
            sys.stderr.write(f"hint: {safe(error.hint)}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    raise AssertionError("Typer always leaves by SystemExit")


def _complete(line: str) -> int:
    from memcli.cli.tab import offers

    sys.stdout.writelines(f"{offer}\n" for offer in offers(line))
    return ExitCode.OK
