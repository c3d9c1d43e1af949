"""`mem stats`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memcli.cli.json_output.store_documents import (
    MonthJson,
    PersonJson,
    StatsJson,
    VectorsJson,
)
from memcli.cli.json_output.value_kinds import format_moment
from memcli.cli.models.inventory import told
from memcli.cli.options import Database, Json
from memcli.cli.output.console import console, isolated, print_json, safe
from memcli.settings import database_path
from memcli.store import Month, Person, Store, Totals, VectorCount

if TYPE_CHECKING:
    from rich.text import Text

MOST_PEOPLE = 12  # that are named to a person; `--json` has all
NAMED = 20  # cells of a source's name
_HEIGHTS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a database."""

    place: str
    totals: Totals
    months: Sequence[Month]
    people: Sequence[Person]
    vectors: Sequence[VectorCount]


def stats(as_json: Json = False, database: Database = None) -> None:
    """Count sessions by source and month, turns, words and people.

    On a terminal each source is drawn as a row of bars over the months; in a pipe there is a line
    for every month of a source.
    """
    path = database or database_path()
    with Store.existing(path) as store:
        counted = store.statistics
        found = Found(
            str(path), counted.totals(), counted.months(), counted.people(), counted.vectors()
        )
    if as_json:
        print_json(_document(found))
    else:
        _print(found)


def _document(found: Found) -> StatsJson:
    totals = found.totals
    return StatsJson(
        schema="mem.stats/1",
        database=found.place,
        size=totals.size,
        sessions=totals.sessions,
        turns=totals.turns,
        words=totals.words,
        revisions=totals.revisions,
        memories=totals.memories,
        first=format_moment(totals.first),
        last=format_moment(totals.last),
        months=[
            MonthJson(month=one.month, source=one.source, sessions=one.sessions)
            for one in found.months
        ],
        people=[PersonJson(name=one.name, turns=one.turns) for one in found.people],
        vectors=[
            VectorsJson(
                embedder=one.embedder,
                dimensions=one.dimensions,
                count=one.count,
                serving=one.serving,
            )
            for one in found.vectors
        ],
    )


def _print(found: Found) -> None:
    out = console()
    for line in _facts(found, isolated if out.is_terminal else str):
        out.print(line, soft_wrap=not out.is_terminal)
    if not found.months:
        return
    out.print()
    if out.is_terminal:
        for row in chart(found.months, out.width):
            out.print(row, no_wrap=True, overflow="crop")
    else:
        width = max(len(safe(one.source)) for one in found.months)
        for one in found.months:
            line = f"{one.month or 'undated':<7}  {safe(one.source):<{width}}  {one.sessions:>6,}"
            out.print(line, soft_wrap=True)


def _facts(found: Found, named: Callable[[str], str]) -> Iterator[str]:
    """Yield what is not drawn, a line each; `named` makes a name what the place can show."""
    totals = found.totals
    span = ""
    if totals.first and totals.last:
        span = f", from {totals.first:%Y-%m-%d} to {totals.last:%Y-%m-%d}"
    yield f"{totals.sessions:,} sessions, {totals.turns:,} turns, {totals.words:,} words{span}"
    if found.people:
        people = [f"{named(safe(one.name))} {one.turns:,}" for one in found.people[:MOST_PEOPLE]]
        more = len(found.people) - len(people)
        yield f"turns of {', '.join(people)}{f' and {more:,} more people' if more else ''}"
    kept = [told(totals.size)]
    for one in found.vectors:
        state = "" if one.serving else ", not complete yet"
        kept.append(f"{one.count:,} vectors of {one.embedder}{state}")
    if totals.memories:
        kept.append(f"{totals.memories:,} memories")
    yield f"{found.place}: {', '.join(kept)}"


def chart(months: Sequence[Month], width: int) -> Iterator["Text"]:
    """Yield rows of bars over time, one a source, and the years above them.

    Args:
        months: sessions by month and source.
        width: of the terminal, in cells; where it is less than there are months, a bar stands for
            several.
    """
    from rich.cells import set_cell_size
    from rich.text import Text

    dated = [(_number(one.month), one) for one in months if one.month]
    sources = sorted({one.source for one in months})
    totals = {name: sum(one.sessions for one in months if one.source == name) for name in sources}
    names = min(NAMED, max(len(safe(name)) for name in sources))
    digits = max(len(f"{total:,}") for total in totals.values())
    room = max(width - names - digits - 5, 12)
    first = min((at for at, _ in dated), default=0)
    last = max((at for at, _ in dated), default=0)
    each = -(-(last - first + 1) // room)  # months of a bar
    bars: dict[str, list[int]] = {name: [0] * ((last - first) // each + 1) for name in sources}
    for at, one in dated:
        bars[one.source][(at - first) // each] += one.sessions
    most = max((max(row) for row in bars.values()), default=0)
    if dated:
        unit = "a bar is a month" if each == 1 else f"a bar is {each} months"
        yield Text(f"sessions by source; {unit}, the highest {most:,}", "dim")
        yield Text(" " * (names + digits + 4) + _years(first, last, each), "green")
    for name in sources:
        drawn = "".join(_HEIGHTS[-(-8 * count // most) if most else 0] for count in bars[name])
        label = set_cell_size(safe(name), names)
        yield Text.assemble(
            (label, "cyan"), "  ", f"{totals[name]:>{digits},}", "  ", (drawn, "magenta")
        )
    if undated := sum(one.sessions for one in months if not one.month):
        yield Text(f"{undated:,} without a date", "dim")


def _number(month: str) -> int:
    """Return how many months there are from the year 0 to a month."""
    year, _, number = month.rpartition("-")
    return int(year) * 12 + int(number) - 1


def _years(first: int, last: int, each: int) -> str:
    """Return the years over the bars they begin at, as far as there is room."""
    line = ""
    for year in range(first // 12, last // 12 + 1):
        at = max(0, -(-(year * 12 - first) // each))
        if not line or at > len(line):
            line = line.ljust(at) + str(year)
    return line
