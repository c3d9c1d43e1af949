"""`mem bench --speed --sessions N`: the table of what every command costs."""

from pathlib import Path

from memcli.cli.json_output.serialize import serialize_value
from memcli.cli.output.console import note, print_json, write_line
from memcli.cli.output.progress import resume_hint
from memcli.evaluation.scale.measure import measure_scale
from memcli.evaluation.scale.report import EarlierRun, ScaleReport


def measure_commands(sessions: int, compared: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Measure every command on a generated archive, and print the report."""
    import memcli.demo

    earlier = EarlierRun.read(compared) if compared else None
    exports = Path(memcli.demo.__file__).parent / "exports"
    with resume_hint("`mem bench --speed` starts again from the beginning"):
        report = measure_scale(sessions, exports, (lambda _: None) if quiet else note)
    if as_json:
        print_json(serialize_value(report))
    else:
        _print_report(report, earlier)


def _print_report(report: ScaleReport, earlier: EarlierRun | None) -> None:
    write_line(
        f"{report.sessions:,} sessions, {report.turns:,} turns, {report.export_bytes / 1e6:.1f} MB"
        f" of exports, {report.disk.text_bytes / 1e6:.1f} MB of text\n"
    )
    before = "  before  times" if earlier else ""
    write_line(f"processor seconds{'':24}now{before}  clock   memory  times the least needed")
    for row in report.rows:
        cost = row.cost
        then = earlier.cpu_seconds.get(row.command) if earlier else None
        write_line(
            f"{row.command:36}{cost.cpu_seconds:8.2f}"
            f"{_change(cost.cpu_seconds, then) if earlier else ''}"
            f"{cost.seconds:7.2f}{cost.peak_bytes / 1e6:6,.0f} MB"
            + (f"  {row.times_floor:,.1f}, {row.floor}" if row.times_floor else "")
        )
    then = earlier.database_to_text if earlier else None
    write_line(
        f"\nimport{'':30}{report.import_cpu_seconds_per_megabyte:8.3f} processor seconds for a MB,"
        f" {report.import_seconds_per_megabyte:.3f} by the clock"
        f"\ndatabase to text{'':20}{report.database_to_text:8.2f}"
        f"{_change(report.database_to_text, then) if earlier else ''}\n"
    )
    for name, size in list(report.disk.by_table.items())[:12]:
        write_line(f"{name:36}{size / 1e6:8.1f} MB")
    write_line(f"{'unused':36}{report.disk.unused_bytes / 1e6:8.1f} MB")


def _change(now: float, before: float | None) -> str:
    """Return an earlier figure, and the present one as a multiple of it."""
    return f"{before:8.2f}{now / max(before, 1e-9):7.2f}" if before else f"{'':15}"
