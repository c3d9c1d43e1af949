"""Asking before something is done that cannot be undone, or that takes long."""

import sys

import typer

from memcli.cli.output.console import note
from memcli.errors import UsageError


def confirm(action: str, refusal: str, *, yes: bool) -> None:
    """Ask whether to go on.

    Args:
        action: the thing to do, in words: "delete 2 sessions permanently".
        refusal: the line for a person who says no: "nothing was deleted".
        yes: whether the answer was given with `--yes`.

    Raises:
        UsageError: there is no terminal to ask on.
        typer.Exit: the person said no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"would {action}; add `--yes`")
    if not typer.confirm(f"{action}?", err=True):
        note(refusal)
        raise typer.Exit
