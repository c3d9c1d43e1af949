"""Writes manual pages in roff, as man(7) describes it."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "~": r"\(ti", "^": r"\(ha"}


def manual_page(name: str, number: int, date: str, version: str, lines: Iterable[str]) -> str:
    """Return a page.

    Args:
        name: of the page, as `man` finds it.
        number: section of the manual: 1 for commands, 5 for formats.
        date: as 2026-11-21.
        version: printed in its corner.
        lines: its body, in roff.
    """
    head = f'.TH {escape(name.upper())} {number} {date} "{escape(version)}"'
    return "\n".join((head, *lines)) + "\n"


def escape(text: str) -> str:
    """Return a text in ASCII, with the characters escaped that mean something to roff."""
    escaped = re.sub(r"""[\\'"~^-]""", lambda one: _ESCAPES[one[0]], text)
    return re.sub(r"[^\x00-\x7f]", lambda one: rf"\[u{ord(one[0]):04X}]", escaped)


def paragraph_lines(text: str) -> list[str]:
    """Return a paragraph as lines of roff; text in backticks becomes bold and is not broken."""
    parts = (
        rf"\fB\%{escape(part)}\fR" if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    )
    wrapped = textwrap.wrap("".join(parts), 79, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line.startswith(".") else line for line in wrapped]


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text; empty lines divide them."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield from paragraph_lines(paragraph)


def definition_list(terms: Mapping[str, str]) -> Iterator[str]:
    """Yield a list of terms, each with its description."""
    for term, text in terms.items():
        yield from (".TP", f".B {escape(term)}", *paragraph_lines(text))


def example_list(examples: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield commands to type, each under its purpose."""
    for number, (text, commands) in enumerate(examples.items()):
        if number:
            yield ".PP"
        yield from (*paragraph_lines(text), ".PP", *code_lines(commands))


def code_lines(commands: Iterable[str]) -> Iterator[str]:
    """Yield commands to type, one a line, as they are."""
    yield from (".RS 4", ".nf", *map(escape, commands), ".fi", ".RE")


def page_references(*pages: str) -> Iterator[str]:
    r"""Yield a list of pages: `mem-ask(1)` as \fBmem-ask\fR(1)."""
    names = (re.sub(r"^(.*)(\(\d\))$", r"\\fB\1\\fR\2", each.replace("-", r"\-")) for each in pages)
    yield ",\n".join(names)
