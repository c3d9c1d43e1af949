"""The sessions of each month: bars on a terminal, numbers in a pipe, or an SVG drawing."""

from collections.abc import Sequence
from html import escape

from memcli.cli.output.console import console
from memcli.cli.output.session_view import RenderStyle
from memcli.lazy_dataclasses import dataclass
from memcli.store import MonthCount

BAR_WIDTH, HEIGHT, MARGIN = 14, 160, 24  # of the drawing, in pixels
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The number of sessions by month."""

    months: Sequence[tuple[str, int]]  # every month from the first to the last: "2024-03", 12
    undated: int

    @property
    def sessions(self) -> int:
        """The number of all sessions."""
        return self.undated + sum(count for _, count in self.months)


def count_months(counts: Sequence[MonthCount]) -> Timeline:
    """Return the sessions by month, over all sources, with the months that have none between."""
    dated: dict[str, int] = {}
    for one in counts:
        if one.month:
            dated[one.month] = dated.get(one.month, 0) + one.sessions
    numbers = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in dated]
    every = range(min(numbers), max(numbers) + 1) if numbers else range(0)
    names = [f"{number // 12:04}-{number % 12 + 1:02}" for number in every]
    undated = sum(one.sessions for one in counts if not one.month)
    return Timeline([(name, dated.get(name, 0)) for name in names], undated)


def print_timeline(timeline: Timeline) -> None:
    """Print a line for each month: a bar on a terminal, only the number in a pipe."""
    out = console()
    text_type = RenderStyle.of(out).text_type
    most = max((count for _, count in timeline.months), default=0)
    digits = len(f"{most:,}")
    room = max(out.width - digits - 11, 8)
    for month, count in timeline.months:
        line = text_type.assemble((month, "green"), f"  {count:>{digits},}")
        if out.is_terminal:
            line.append(f"  {_bar(count, most, room)}", "magenta")
        out.print(line, soft_wrap=not out.is_terminal)
    if timeline.undated:
        out.print(text_type(f"undated  {timeline.undated:>{digits},}", "dim"))


def timeline_svg(title: str, timeline: Timeline) -> str:
    """Return a drawing with a bar for each month, and the years below."""
    most = max((count for _, count in timeline.months), default=0) or 1
    width = max(len(timeline.months), 1) * BAR_WIDTH + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + 2 * MARGIN}"'
        ' font-family="sans-serif" font-size="11">',
        f"<title>{escape(title or 'sessions by month')}</title>",
    ]
    for at, (month, count) in enumerate(timeline.months):
        tall = round(HEIGHT * count / most, 1)
        left, top = MARGIN + at * BAR_WIDTH, MARGIN + HEIGHT - tall
        parts.append(
            f'<rect x="{left}" y="{top}" width="{BAR_WIDTH - 2}" height="{tall}" fill="#7a3e9d">'
            f"<title>{month}: {count:,}</title></rect>"
        )
        if at == 0 or month.endswith("-01"):
            parts.append(f'<text x="{left}" y="{HEIGHT + 2 * MARGIN - 8}">{month[:4]}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _bar(count: int, most: int, room: int) -> str:
    """Return a bar of blocks and eighths of blocks; at least an eighth if there is anything."""
    eighths = max(round(8 * room * count / most), 1) if count else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
