"""The table of `mem doctor`."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from memcli.cli.doctor.run_checks import DoctorReport
from memcli.cli.output.console import console, one_line

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {"ok": "green", "fixed": "green", "note": "magenta", "fault": "bold red"}


def print_doctor_report(report: DoctorReport, *, quiet: bool) -> None:
    """Print a row for each check: state, name, finding, remedy; quietly only what is not ok."""
    rows: list[tuple[str, str, str, str]] = [
        (one.state, one.name, one.finding, "" if one.state == "ok" else one.remedy)
        for one in report.checks
        if not quiet or one.state != "ok"
    ]
    rows += [("fixed", name, "", "") for name in report.fixed]
    if report.secrets is not None:
        rows.append(("note", "secrets", _describe_secrets(report.secrets), ""))
    out = console()
    if out.is_terminal:
        out.print(_table(rows))
        return
    width = max(len(name) for _, name, *_ in rows) if rows else 0
    for state, name, finding, remedy in rows:
        end = f"; {remedy}" if remedy else ""
        line = f"{state:<5}  {name:<{width}}  {finding}{end}"
        out.print(one_line(line.rstrip()), soft_wrap=True)


def _describe_secrets(secrets: Mapping[str, int]) -> str:
    counts = [f"{count:,} {kind}{'s' * (count != 1)}" for kind, count in secrets.items() if count]
    return f"{', '.join(counts) or 'none'}; they are masked where text leaves this machine"


def _table(rows: Iterable[tuple[str, str, str, str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for state, name, finding, remedy in rows:
        words = Text(one_line(finding))
        if remedy:
            words.append(f"\n{one_line(remedy)}", "cyan")
        table.add_row(Text(state, _STYLES[state]), name, words)
    return table
