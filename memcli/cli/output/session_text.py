"""A session as text, in a pager if it is long: all its turns, or those around the turns named."""

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from memcli.cli.output.console import console, join_lines, note
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import RenderStyle, format_time, session_heading
from memcli.domain import Kind, Session
from memcli.errors import NotFoundError, UsageError
from memcli.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_REFERENCE = re.compile(r"([^:]*)(?::(\d{1,9})(?:-(\d{1,9}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShowTarget:
    """The session, the turns of a session, or the memory that a person wants to see."""

    session: str  # an id or its beginning; of a memory if it begins with `m_`
    first: int | None = None  # the position of the first turn; None for all turns
    last: int | None = None  # the position of the last turn

    @property
    def turns(self) -> range:
        """The positions of the turns that are named; empty if none are."""
        if self.first is None or self.last is None:
            return range(0)
        return range(self.first, self.last + 1)

    def memory(self, form: str) -> str | None:
        """Return the id of a memory, or its beginning; None if the target is a session.

        Args:
            form: the format to print it in.

        Raises:
            UsageError: turns of a memory are named, or memories are not printed in this format.
        """
        name = self.session
        if not name.startswith("m_"):
            return None
        if self.first is not None:
            raise UsageError("a memory has no turns of its own", hint=f"`mem show {name}`")
        if form not in ("text", "json"):
            raise UsageError(f"a memory cannot be printed as {form}", hint="`--json`")
        return name


def parse_target(text: str) -> ShowTarget:
    """Return the target that `s_k3j`, `s_k3j:12` or `s_k3j:12-20` names.

    Brackets around it and a question mark after it are ignored: answers are written so.

    Raises:
        UsageError: the text after the colon is not the number of a turn, or two.
    """
    found = _REFERENCE.fullmatch(text.strip("[]").removesuffix("?"))
    if not found:
        raise UsageError(
            f"not a session or turn: `{text}`",
            hint="`mem show s_k3j:12`, or `mem show s_k3j:12-20`",
        )
    if found[2] is None:
        return ShowTarget(found[1])
    return ShowTarget(found[1], int(found[2]), int(found[3] or found[2]))


def positions_to_show(
    session: Session, target: ShowTarget, around: int, *, every_branch: bool
) -> list[int]:
    """Return the positions of the turns to show, ascending.

    Args:
        session: the session.
        target: the turns that are named; all if none are.
        around: the number of turns to show before and after those named.
        every_branch: whether to show turns of branches that were not kept. A turn that is named is
            always shown.

    Raises:
        NotFoundError: the session has no such turns.
    """
    turns = session.turns
    first, last = target.first, target.last
    if first is None or last is None:
        return [at for at, turn in enumerate(turns, start=1) if turn.active or every_branch]
    if not 1 <= first <= last <= len(turns):
        named = f"{first}-{last}" if last != first else first
        raise NotFoundError(
            f"{session.id} has turns 1 to {len(turns)}, not {named}",
            hint=f"`mem show {session.id}`",
        )
    near = range(first - around, last + around + 1)
    return [
        at
        for at, turn in enumerate(turns, start=1)
        if at in target.turns or (at in near and (turn.active or every_branch))
    ]


def print_session(
    session: Session, target: ShowTarget, positions: list[int], *, paged: bool
) -> None:
    """Print turns of a session; on a terminal, with a pager if they do not fit on one screen.

    Args:
        session: the session.
        target: the turns that are named, which are marked.
        positions: the positions of the turns to print, ascending.
        paged: whether a pager may be used.
    """
    out = console()
    text = render_session(session, target, positions, out)
    if paged and out.is_terminal and not out.is_dumb_terminal and text.count("\n") >= out.height:
        show_in_pager(text)
    else:
        out.file.write(text)


def render_session(
    session: Session, target: ShowTarget, positions: list[int], out: "Console"
) -> str:
    """Return the text that `print_session` prints on a console."""
    style = RenderStyle.of(out)
    with out.capture() as captured:
        for line in _lines(session, target, positions, style):
            out.print(line, soft_wrap=not style.terminal)
    return captured.get()


def show_in_pager(text: str, *, less: str = "FRX", terminal: TextIO | None = None) -> bool:
    """Show a text with the pager of MEM_PAGER, else PAGER, else `less`.

    An empty variable, `cat`, or a pager that does not start means that the text is printed.

    Args:
        text: the text.
        less: the options of `less`: by default it keeps colours, ends at once if the text fits on
            the screen, and leaves it there.
        terminal: the stream of the terminal; stdout without it.

    Returns:
        Whether a pager has shown it.
    """
    import shlex
    import signal
    import subprocess

    command = os.environ.get("MEM_PAGER", os.environ.get("PAGER", "less"))
    environment = {"LESS": less, "LV": "-c", **os.environ}
    out = terminal or sys.stdout
    try:
        words = shlex.split(command)
        if not words or words == ["cat"]:
            out.write(text)
            return False
        out.flush()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pager handles Ctrl-C itself
        try:
            with subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=terminal, env=environment
            ) as process:
                assert process.stdin
                with suppress(BrokenPipeError):  # the reader may leave before the end
                    process.stdin.write(text.encode("utf-8", "replace"))
                    process.stdin.close()
        finally:
            signal.signal(signal.SIGINT, before)
    except (OSError, ValueError) as error:  # no such program, or a quotation mark without its pair
        note(f"the pager `{command}` does not run: {error}")
        out.write(text)
        return False
    return True


def _lines(
    session: Session, target: ShowTarget, positions: list[int], style: RenderStyle
) -> "list[Text]":
    text_type = style.text_type
    lines = [
        style.text(session_heading(session), "bold"),
        text_type(f"{session.id}  {session.source}  {format_time(session.started_at)}", "dim"),
    ]
    if earlier := _count_hidden(positions[:1], session, before=True):
        lines.append(text_type(f"\n… {earlier} before", "dim"))
    today = None
    for position in positions:
        turn = session.turns[position - 1]
        if turn.sent_at and turn.sent_at.date() != today:
            today = turn.sent_at.date()
            lines.append(text_type(f"\n{today:%A} {today}", "green"))
        lines += _turn_lines(session, position, style, named=position in target.turns)
    if later := _count_hidden(positions[-1:], session, before=False):
        lines.append(text_type(f"\n… {later} after", "dim"))
    return lines


def _turn_lines(
    session: Session, position: int, style: RenderStyle, *, named: bool
) -> "list[Text]":
    turn = session.turns[position - 1]
    if turn.kind in (Kind.SERVICE, Kind.CALL, Kind.DELETED) or not turn.text:
        text = style.text(f"[{turn.kind}] {turn.text}".rstrip(), "dim")
        return [style.text_type.assemble(("\n", ""), (f"{position}  ", "dim"), text)]
    clock = f"  {turn.sent_at:%H:%M}" if turn.sent_at else ""
    branch = "" if turn.active else "  (another branch)"
    number = (f"{position}", "bold reverse" if named else "dim")
    speaker = style.text(join_lines(turn.speaker or turn.role.value), "bold cyan")
    return [
        style.text_type.assemble("\n", number, "  ", speaker, (clock + branch, "dim")),
        *(style.text(line) for line in turn.text.split("\n")),
    ]


def _count_hidden(edge: list[int], session: Session, *, before: bool) -> str:
    """Return in words how many turns of the kept branch there are beyond those shown.

    Args:
        edge: the position of the first or the last turn that is shown; empty if none is.
        session: the session.
        before: whether to count the turns before that position, and not those after it.
    """
    at = edge[0] if edge else len(session.turns)
    beyond = session.turns[: at - 1] if before else session.turns[at:]
    number = sum(turn.active for turn in beyond)
    return pluralize(number, "turn") if number else ""
