"""Asking before something is done that cannot be undone, or that takes long."""

import sys

from memcli.cli.output.console import note
from memcli.errors import EarlyExit, UsageError


def confirm(action: str, refusal: str, *, yes: bool) -> None:
    """Ask whether to go on.

    Args:
        action: the thing to do, in words: "delete 2 sessions permanently".
        refusal: the line for a person who says no: "nothing was deleted".
        yes: whether the answer was given with `--yes`.

    Raises:
        UsageError: there is no terminal to ask on.
        EarlyExit: the person said no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"would {action}; add `--yes`")
    if not answers_yes(f"{action}?"):
        note(refusal)
        raise EarlyExit


def answers_yes(question: str) -> bool:
    """Return whether the person at the terminal answers a question with yes.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, or the input ended.
    """
    from typer import Abort
    from typer import confirm as ask

    try:
        return ask(question, err=True)
    except Abort as error:
        raise KeyboardInterrupt from error
