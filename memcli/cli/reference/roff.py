"""Manual pages in roff, as man(7) describes it."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "~": r"\(ti", "^": r"\(ha"}


def page(name: str, number: int, date: str, version: str, lines: Iterable[str]) -> str:
    """Return a page.

    Args:
        name: what it is about, as `man` finds it.
        number: section of the manual: 1 for commands, 5 for formats.
        date: as 2026-11-21.
        version: what is told in its corner.
        lines: its body.
    """
    head = f'.TH {plain(name.upper())} {number} {date} "{plain(version)}"'
    return "\n".join((head, *lines)) + "\n"


def plain(text: str) -> str:
    """Return a text in which nothing means anything to roff."""
    return re.sub(r"""[\\'"~^-]""", lambda one: _ESCAPES[one[0]], text)


def lines(text: str) -> list[str]:
    """Return a paragraph as lines of roff; what is in backticks becomes bold, whole."""
    parts = (
        rf"\fB\%{plain(part)}\fR" if typed % 2 else plain(part)
        for typed, part in enumerate(text.split("`"))
    )
    wrapped = textwrap.wrap("".join(parts), 79, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line.startswith(".") else line for line in wrapped]


def paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs, which an empty line divides."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield from lines(paragraph)


def described(terms: Mapping[str, str]) -> Iterator[str]:
    """Yield a list of terms, each with its description."""
    for term, text in terms.items():
        yield from (".TP", f".B {plain(term)}", *lines(text))


def examples(typed: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield what is typed, under what it is for."""
    for number, (text, commands) in enumerate(typed.items()):
        if number:
            yield ".PP"
        yield from (*lines(text), ".PP", ".RS 4", ".nf", *map(plain, commands), ".fi", ".RE")


def references(*pages: str) -> Iterator[str]:
    r"""Yield a line that names pages: `mem-ask(1)` as \fBmem-ask\fR(1)."""
    told = (re.sub(r"^(.*)(\(\d\))$", r"\\fB\1\\fR\2", each.replace("-", r"\-")) for each in pages)
    yield ",\n".join(told)
