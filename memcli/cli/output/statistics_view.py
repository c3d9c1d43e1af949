"""The statistics of a database: as JSON, as lines of text, and as a chart on a terminal."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from memcli.cli.json_output.store_documents import (
    MonthJson,
    PersonJson,
    StatsJson,
    VectorsJson,
)
from memcli.cli.json_output.value_kinds import format_moment
from memcli.cli.models.inventory import human_size
from memcli.cli.output.console import console, isolate_direction, join_lines, printable
from memcli.lazy_dataclasses import dataclass
from memcli.store import MonthCount, SpeakerCount, StoreTotals, VectorCount

if TYPE_CHECKING:
    from rich.text import Text

MAX_PEOPLE = 12  # people whose turns are printed; `--json` has all of them
LABEL_WIDTH = 20  # cells for the name of a source
_HEIGHTS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class DatabaseStatistics:
    """The counts of a database."""

    path: str
    totals: StoreTotals
    months: Sequence[MonthCount]
    people: Sequence[SpeakerCount]
    vectors: Sequence[VectorCount]


def statistics_document(found: DatabaseStatistics) -> StatsJson:
    """Return the JSON document of `mem stats`."""
    totals = found.totals
    return StatsJson(
        schema="mem.stats/1",
        database=found.path,
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
                serving=one.active,
            )
            for one in found.vectors
        ],
    )


def print_statistics(found: DatabaseStatistics) -> None:
    """Print the counts, and a chart on a terminal or a line for each source and month."""
    out = console()
    for line in _totals_lines(found, isolate_direction if out.is_terminal else str):
        out.print(line, soft_wrap=not out.is_terminal)
    if not found.months:
        return
    out.print()
    if out.is_terminal:
        for row in chart_rows(found.months, out.width):
            out.print(row, no_wrap=True, overflow="crop")
    else:
        width = max(len(printable(one.source)) for one in found.months)
        for one in found.months:
            line = (
                f"{one.month or 'undated':<7}  {printable(one.source):<{width}}  {one.sessions:>6,}"
            )
            out.print(line, soft_wrap=True)


def _totals_lines(found: DatabaseStatistics, isolate: Callable[[str], str]) -> Iterator[str]:
    """Yield the counts that are not drawn, one line each.

    Args:
        found: the counts.
        isolate: makes the name of a person safe to stand beside other text.
    """
    totals = found.totals
    span = ""
    if totals.first and totals.last:
        span = f", from {totals.first:%Y-%m-%d} to {totals.last:%Y-%m-%d}"
    yield f"{totals.sessions:,} sessions, {totals.turns:,} turns, {totals.words:,} words{span}"
    if found.people:
        people = [
            f"{isolate(join_lines(one.name))} {one.turns:,}" for one in found.people[:MAX_PEOPLE]
        ]
        more = len(found.people) - len(people)
        yield f"turns of {', '.join(people)}{f' and {more:,} more people' if more else ''}"
    stored = [human_size(totals.size)]
    for one in found.vectors:
        state = "" if one.active else ", not complete yet"
        stored.append(f"{one.count:,} vectors of {one.embedder}{state}")
    if totals.memories:
        stored.append(f"{totals.memories:,} memories")
    yield f"{found.path}: {', '.join(stored)}"


def chart_rows(months: Sequence[MonthCount], width: int) -> Iterator["Text"]:
    """Yield rows of bars over time, one for each source, and the years above them.

    Args:
        months: sessions by month and source.
        width: the width of the terminal in cells. If there are more months than cells, a bar stands
            for several months.
    """
    from rich.cells import set_cell_size
    from rich.text import Text

    dated = [(_month_number(one.month), one) for one in months if one.month]
    sources = sorted({one.source for one in months})
    totals = {name: sum(one.sessions for one in months if one.source == name) for name in sources}
    names = min(LABEL_WIDTH, max(len(printable(name)) for name in sources))
    digits = max(len(f"{total:,}") for total in totals.values())
    room = max(width - names - digits - 5, 12)
    first = min((at for at, _ in dated), default=0)
    last = max((at for at, _ in dated), default=0)
    each = -(-(last - first + 1) // room)  # months per bar
    bars: dict[str, list[int]] = {name: [0] * ((last - first) // each + 1) for name in sources}
    for at, one in dated:
        bars[one.source][(at - first) // each] += one.sessions
    most = max((max(row) for row in bars.values()), default=0)
    if dated:
        unit = "a bar is a month" if each == 1 else f"a bar is {each} months"
        yield Text(f"sessions by source; {unit}, the highest {most:,}", "dim")
        yield Text(" " * (names + digits + 4) + _year_labels(first, last, each), "green")
    for name in sources:
        drawn = "".join(_HEIGHTS[-(-8 * count // most) if most else 0] for count in bars[name])
        label = set_cell_size(printable(name), names)
        yield Text.assemble(
            (label, "cyan"), "  ", f"{totals[name]:>{digits},}", "  ", (drawn, "magenta")
        )
    if undated := sum(one.sessions for one in months if not one.month):
        yield Text(f"{undated:,} without a date", "dim")


def _month_number(month: str) -> int:
    """Return the number of months from the year 0 to a month."""
    year, _, number = month.rpartition("-")
    return int(year) * 12 + int(number) - 1


def _year_labels(first: int, last: int, each: int) -> str:
    """Return the years above the bars at which they begin, as far as there is room."""
    line = ""
    for year in range(first // 12, last // 12 + 1):
        at = max(0, -(-(year * 12 - first) // each))
        if not line or at > len(line):
            line = line.ljust(at) + str(year)
    return line
