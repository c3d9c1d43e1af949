"""The `mem` command."""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from memcli.errors import ExitCode, MemError

_NEAREST = re.compile(r"(?:Did you mean |\(Possible options: )(.+?)[?)]+$")  # as Typer puts it


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mem`. The only place where an error becomes an exit status."""
    try:
        from memcli.cli.output.console import guard_streams

        guard_streams()
        try:
            if "_MEM_COMPLETE" in os.environ:  # the scripts in `completions/` ask what Tab offers
                return _complete(os.environ["_MEM_COMPLETE"])
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # here, where it can still be told that the disk is full
    except MemError as error:
        _tell(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _run(argv: Sequence[str]) -> int:
    from typer import Abort
    from typer.exceptions import TyperException

    from memcli.cli.app import command_tree

    try:
        status = command_tree(argv)(argv, prog_name="mem", standalone_mode=False)
    except Abort:  # at a question that waited for a yes
        return ExitCode.INTERRUPTED
    except TyperException as error:
        return _misused(error.format_message(), getattr(error, "ctx", None))
    return status if isinstance(status, int) else ExitCode.OK


def _misused(message: str, context: Any) -> int:  # Any: Typer's context has no public type
    """Tell what is wrong with the words typed; without any, Typer's message is the help."""
    if context and message == context.get_help():
        sys.stderr.write(f"{message}\n")
        return ExitCode.USAGE
    nearest = _NEAREST.search(message)
    usage = f"{context.command_path} --help" if context else "mem --help"
    what = message[: nearest.start()] if nearest else message
    _tell(
        what[:1].lower() + what[1:].rstrip(" ."), f"did you mean {nearest[1]}" if nearest else usage
    )
    return ExitCode.USAGE


def _tell(message: str, hint: str | None) -> None:
    from memcli.cli.output.console import note, safe

    note(message)
    if hint:
        sys.stderr.write(f"hint: {safe(hint)}\n")


def _complete(line: str) -> int:
    from memcli.cli.completion.complete import offers

    sys.stdout.writelines(f"{offer}\n" for offer in offers(line))
    return ExitCode.OK
