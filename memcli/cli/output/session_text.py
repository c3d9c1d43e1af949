"""A session turn by turn, or the turns around those that somebody refers to."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memcli.cli.output.console import console
from memcli.cli.output.pager import page
from memcli.cli.output.session_view import Look, day, heading
from memcli.domain import Kind, Session
from memcli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from rich.text import Text

_REFERENCE = re.compile(r"([^:]*)(?::(\d{1,9})(?:-(\d{1,9}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """What somebody wants to see: a session, or turns of it; or a memory."""

    session: str  # the beginning of its id, at least
    first: int | None = None  # positions of the first and the last turn; None for all
    last: int | None = None

    def memory(self, form: str) -> str | None:
        """Return the id of a memory, at least its beginning; None for a session.

        Raises:
            UsageError: turns of it are named, or a form that memories are not printed in.
        """
        name = self.session
        if not name.startswith("m_"):
            return None
        if self.first is not None:
            raise UsageError("a memory has no turns of its own", hint=f"`mem show {name}`")
        if form not in ("text", "json"):
            raise UsageError(f"one memory is not printed as {form}", hint="`--json`")
        return name


def reference(text: str) -> Reference:
    """Read `s_k3j`, `s_k3j:12` or `s_k3j:12-20`; brackets and the mark of doubt are left out.

    Raises:
        UsageError: what follows the colon is no turn.
    """
    found = _REFERENCE.fullmatch(text.strip("[]").removesuffix("?"))
    if not found:
        raise UsageError(f"`{text}` names no turn", hint="as in `mem show s_k3j:12`, or `:12-20`")
    if found[2] is None:
        return Reference(found[1])
    return Reference(found[1], int(found[2]), int(found[3] or found[2]))


def shown(session: Session, named: Reference, around: int, *, every_branch: bool) -> list[int]:
    """Return the positions of the turns to show, ascending.

    Args:
        session: it.
        named: the turns somebody refers to.
        around: turns to show before and after them.
        every_branch: whether to show the branches that were not kept, too. One that is named is.

    Raises:
        NotFoundError: the session has no such turns.
    """
    turns = session.turns
    if named.first is None or named.last is None:
        return [at for at, turn in enumerate(turns, start=1) if turn.active or every_branch]
    if not 1 <= named.first <= named.last <= len(turns):
        wanted = f"{named.first}-{named.last}" if named.last != named.first else named.first
        raise NotFoundError(
            f"{session.id} has turns 1 to {len(turns)}, not {wanted}", hint=f"mem show {session.id}"
        )
    inside = range(named.first, named.last + 1)
    near = range(named.first - around, named.last + around + 1)
    return [
        at
        for at, turn in enumerate(turns, start=1)
        if at in inside or (at in near and (turn.active or every_branch))
    ]


def print_session(session: Session, named: Reference, positions: list[int], *, paged: bool) -> None:
    """Print turns of a session; on a terminal a screen at a time where they take more than one."""
    out = console()
    look = Look.of(out)
    with out.capture() as captured:
        for line in _lines(session, named, positions, look):
            out.print(line, soft_wrap=not look.terminal)
    text = captured.get()
    if paged and look.terminal and not out.is_dumb_terminal and text.count("\n") >= out.height:
        page(text)
    else:
        out.file.write(text)


def _lines(session: Session, named: Reference, positions: list[int], look: Look) -> "list[Text]":
    from rich.text import Text

    lines = [
        look.text(heading(session), "bold"),
        Text(f"{session.id}  {session.source}  {day(session.started_at)}", "dim"),
    ]
    if before := _left_out(positions[:1], session, up=True):
        lines.append(Text(f"\n… {before} before", "dim"))
    today = None
    for position in positions:
        turn = session.turns[position - 1]
        if turn.sent_at and turn.sent_at.date() != today:
            today = turn.sent_at.date()
            lines.append(Text(f"\n{today:%A} {today}", "green"))
        lines += _turn(session, position, look, named=position in _named(named))
    if after := _left_out(positions[-1:], session, up=False):
        lines.append(Text(f"\n… {after} after", "dim"))
    return lines


def _turn(session: Session, position: int, look: Look, *, named: bool) -> "list[Text]":
    from rich.text import Text

    turn = session.turns[position - 1]
    if turn.kind in (Kind.SERVICE, Kind.CALL, Kind.DELETED) or not turn.text:
        said = look.text(f"[{turn.kind}] {turn.text}".rstrip(), "dim")
        return [Text.assemble(("\n", ""), (f"{position}  ", "dim"), said)]
    clock = f"  {turn.sent_at:%H:%M}" if turn.sent_at else ""
    branch = "" if turn.active else "  (another branch)"
    number = (f"{position}", "bold reverse" if named else "dim")
    speaker = look.text(turn.speaker or turn.role.value, "bold cyan")
    return [
        Text.assemble("\n", number, "  ", speaker, (clock + branch, "dim")),
        *(look.text(line) for line in turn.text.split("\n")),
    ]


def _named(named: Reference) -> range:
    if named.first is None or named.last is None:
        return range(0)
    return range(named.first, named.last + 1)


def _left_out(edge: list[int], session: Session, *, up: bool) -> str:
    """Say how many turns of the branch that was kept there are beyond what is shown."""
    at = edge[0] if edge else len(session.turns)
    beyond = session.turns[: at - 1] if up else session.turns[at:]
    number = sum(turn.active for turn in beyond)
    return f"{number} turn{'s' * (number != 1)}" if number else ""
