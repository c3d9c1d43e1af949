"""The report of an import, and the paths that were or could be imported, as a person reads them."""

import sys
from collections.abc import Sequence
from typing import TextIO

from memcli.cli.output.console import note, one_line, remark
from memcli.cli.output.numbers import pluralize
from memcli.domain import Doubt, Kind, Skipped
from memcli.formats.guides import load_guides
from memcli.ingest.import_counts import PARTS, ImportCounts, ImportReport
from memcli.ingest.paths.discover import DiscoveredPlace
from memcli.ingest.paths.remembered_sources import RememberedSource, SourceState

MAX_WARNINGS = 20  # warnings of one source; `--json` has all of them


def print_reports(
    reports: Sequence[ImportReport], *, quiet: bool = False, verbose: bool = False
) -> None:
    """Print a line for each source, and its warnings to stderr.

    Args:
        reports: the sources that were imported.
        quiet: whether to print only warnings of text that was lost.
        verbose: whether to print what became of every message to stderr.
    """
    for report in reports:
        if report.format and not quiet:
            counts = [describe_counts(report.sessions, "session")]
            counts.append(describe_counts(report.turns, "turn"))
            if report.memories:
                counts.append(describe_counts(ImportCounts(report.memories), "memory", "memories"))
            line = f"{report.path}: {report.format}, {', '.join(counts)}"
            sys.stdout.write(f"{one_line(line)}\n")
        if verbose and report.format:
            note(f"{report.path}: {describe_account(report)}")
        warnings = [each for each in report.warnings if not quiet or _is_loss(each)]
        for warning in warnings[:MAX_WARNINGS]:
            note(_warning_line(report.path, warning))
        if len(warnings) > MAX_WARNINGS:
            more = len(warnings) - MAX_WARNINGS
            note(f"{report.path}: {more} more warnings; `--json` prints all")
        for name in report.unrecognized if verbose else ():
            note(f"{name}: not recognised")


def print_formats() -> None:
    """Print the formats, and how to get each export."""
    guides = load_guides().values()
    width = max(len(guide.name) for guide in guides)
    for guide in guides:
        how = guide.export.replace("`", "")
        sys.stdout.write(f"{guide.name:<{width}}  {guide.title}: {how}\n")


def print_remembered_sources(found: Sequence[RememberedSource]) -> None:
    """Print the paths that were imported: state, last reading, sessions, format and path."""
    rows = [
        (
            one.state.value,
            f"{one.read_at:%Y-%m-%d %H:%M}" if one.read_at else "-",
            pluralize(one.sessions, "session"),
            ", ".join(one.formats) or "-",
            one.path,
        )
        for one in found
    ]
    _print_rows(rows, sys.stdout)
    if any(one.state is SourceState.CHANGED for one in found):
        remark("`mem ingest` reads those that have changed")
    if any(one.state is SourceState.GONE for one in found):
        remark("gone: `mem sources move OLD NEW`, or `mem sources remove PATH`; the sessions stay")


def print_discovered(found: Sequence[DiscoveredPlace], stream: TextIO) -> None:
    """Print the places that could be imported: format, sessions, their first and last day, path.

    Args:
        found: the places.
        stream: stdout where they are the result, stderr where a question about them follows.
    """
    rows = [
        (
            one.format,
            _count_sessions(one),
            f"{one.first:%Y-%m-%d}" if one.first else "-",
            f"{one.last:%Y-%m-%d}" if one.last else "-",
            str(one.path),
        )
        for one in found
        if one.format
    ]
    _print_rows(rows, stream)
    for one in found:
        if one.problem:
            note(one.problem)


def _count_sessions(place: DiscoveredPlace) -> str:
    """Return the sessions of a place, and its files where there was no time to count them all."""
    sessions = pluralize(place.sessions, "session")
    return sessions if place.complete else f"over {sessions} in {pluralize(place.files, 'file')}"


def _print_rows(rows: Sequence[Sequence[str]], stream: TextIO) -> None:
    """Print rows with every column but the last one as wide as its longest text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row[:-1], widths, strict=False)]
        stream.write(f"{one_line('  '.join([*cells, row[-1]]))}\n")


def describe_counts(counts: ImportCounts, noun: str, nouns: str = "") -> str:
    """Return counts in words: `3 new and 1 changed session`."""
    kinds = (("new", counts.new), ("changed", counts.changed), ("unchanged", counts.unchanged))
    parts = [f"{count:,} {kind}" for kind, count in kinds if count] or ["no"]
    last = next((count for _, count in reversed(kinds) if count), 0)
    return f"{' and '.join(parts)} {noun if last == 1 else nouns or f'{noun}s'}"


def describe_account(report: ImportReport) -> str:
    """Return what became of the messages of a source: `9 messages: 7 turns; left out: 2 empty`."""
    account = report.messages
    parts = [_count_words(report.turns.total, "turn")]
    reasons = {reason: count for reason, count in account.reasons.items() if reason != PARTS}
    groups = {
        "kept, but not searched": {key: n for key, n in reasons.items() if key in set(Kind)},
        "left out": {key: n for key, n in reasons.items() if key not in set(Kind)},
        "of unknown kinds": account.unknown,
    }
    for group, counts in groups.items():
        if counts:
            parts.append(f"{group}: {', '.join(f'{n:,} {key}' for key, n in counts.items())}")
    if PARTS in account.reasons:
        parts.append(f"{-account.reasons[PARTS]:,} more from messages with several parts")
    return f"{_count_words(account.seen, 'message')}: {'; '.join(parts)}"


def _count_words(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _warning_line(path: str, warning: Skipped | Doubt) -> str:
    """Return a warning with the file that it is about, named once.

    A warning about a folder does not blame the file beside which it was reported.
    """
    if path.startswith(f"{warning.where}/"):
        return f"{warning.where}: {warning.why}"
    where = "" if warning.where in warning.why else f"{warning.where}: "
    return f"{'' if path in warning.why else f'{path}: '}{where}{warning.why}"


def _is_loss(warning: Skipped | Doubt) -> bool:
    return isinstance(warning, Skipped) and warning.lost
