"""The people who speak: their names, turns, days and sources."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from memcli.cli.output.console import console, join_lines, printable
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import WIDE, RenderStyle
from memcli.lazy_dataclasses import dataclass
from memcli.settings import Settings
from memcli.store import SpeakerActivity


@dataclass(frozen=True, slots=True)
class Person:
    """A person who speaks, under one name or several."""

    name: str
    names: tuple[str, ...]  # as they stand in the archive
    turns: int
    sessions: int
    first: datetime | None
    last: datetime | None
    sources: tuple[str, ...]


def merge_known_names(counts: Iterable[SpeakerActivity], settings: Settings) -> list[Person]:
    """Return the people, those with most turns first; names of one person count together."""
    groups: dict[str, list[SpeakerActivity]] = {}
    for one in counts:
        groups.setdefault(settings.names_of(one.name)[0], []).append(one)
    people = [_merge(name, group) for name, group in groups.items()]
    return sorted(people, key=lambda person: (-person.turns, person.name))


def print_people(found: Sequence[Person]) -> None:
    """Print people, one per line: turns, sessions, first and last day, name and sources."""
    out = console()
    style = RenderStyle.of(out)
    wide = not style.terminal or out.width >= WIDE
    digits = max((len(f"{one.turns:,}") for one in found), default=0)
    for one in found:
        days = f"{_day(one.first)} to {_day(one.last)}"
        turns = f"{one.turns:>{digits},} {'turn ' if one.turns == 1 else 'turns'}"
        line = style.text_type.assemble((turns, "bold"), "  ", (days, "green"), "  ")
        if wide:
            line.append(f"{pluralize(one.sessions, 'session'):<14}  ", "dim")
        line.append_text(style.text(join_lines(one.name), "cyan"))
        others = ", ".join(name for name in one.names if name != one.name)
        if others:
            line.append_text(style.text(f" ({join_lines(others)})"))
        line.append(f"  {', '.join(map(printable, one.sources))}", "dim")
        out.print(line, soft_wrap=not style.terminal)


def _merge(name: str, group: Sequence[SpeakerActivity]) -> Person:
    firsts = [one.first for one in group if one.first]
    lasts = [one.last for one in group if one.last]
    return Person(
        name=name,
        names=tuple(one.name for one in group),
        turns=sum(one.turns for one in group),
        sessions=sum(one.sessions for one in group),
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        sources=tuple(sorted({source for one in group for source in one.sources})),
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "no date   "
