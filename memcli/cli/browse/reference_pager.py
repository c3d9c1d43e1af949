"""A session in the pager, while the screen of `mem browse` is away."""

import re
import sys
from pathlib import Path

from memcli.cli.output.console import console
from memcli.cli.output.session_text import (
    ShowTarget,
    parse_target,
    positions_to_show,
    render_session,
    show_in_pager,
)
from memcli.store import Store

_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


def open_in_pager(database: Path, reference: str) -> None:
    """Show all of a session in the pager, from the turn that is named; wait until it was read.

    Args:
        database: the database.
        reference: a session, or a turn of one, as `mem show` takes it.
    """
    target = parse_target(reference)
    with Store.existing(database, read_only=True) as store:
        session = store.sessions.get(target.session)
    whole = ShowTarget(session.id)
    positions = positions_to_show(session, whole, 0, every_branch=False)
    terminal = sys.stdout if sys.stdout.isatty() else sys.stderr
    text = render_session(session, target, positions, console(terminal))
    if not show_in_pager(text, less=f"R +{_line_of(text, target)}g$", terminal=terminal):
        terminal.write("\nEnter goes back ")
        terminal.flush()
        sys.stdin.readline()


def _line_of(text: str, target: ShowTarget) -> int:
    """Return the number of the line on which a turn begins; 1 if no turn is named."""
    if target.first is None:
        return 1
    beginning = f"{target.first}  "
    before = "x"
    for number, line in enumerate(text.splitlines(), start=1):
        plain = _STYLE.sub("", line)
        if plain.startswith(beginning) and not before:
            return number
        before = plain.strip()
    return 1
