"""The topics of the manual: `topics/*.md`, read as blocks, and printed by `mem help TOPIC`.

The man pages are made of the same blocks, so that each text stands in one place. The page of a
command ends with the topic of its name, if there is one; every other topic has a page of its own.
"""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from memcli.lazy_dataclasses import dataclass

FOLDER = Path(__file__).with_name("topics")
FORMATS = "formats"  # the topic that is made of the guides to formats
SERVERS = "servers"  # the topic that is made of the table in `reference.servers`
FORMATS_HEAD = """# How to get each export, and what is kept of it

Times are exact unless it is said otherwise. `--format` and `--source` take these names.
"""
WIDEST = 100  # columns
_LONGEST_ROW = 76  # columns; a table of longer rows is printed as a list


@dataclass(frozen=True, slots=True)
class TopicBlock:
    """A heading, paragraph, item, table or piece of code."""

    kind: str  # "heading", "paragraph", "item", "table" or "code"
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()  # of a table; the first has the names of its columns

    @property
    def aligned(self) -> list[str] | None:
        """The rows of a narrow table as lines with aligned columns; None of a wide one."""
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        if sum(widths) + 2 * len(widths) > _LONGEST_ROW:
            return None
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self.rows
        ]

    @property
    def definitions(self) -> dict[str, str]:
        """The rows of a wide table: the first cell, and the others with the names of their columns.

        The second column needs no name.
        """
        head, *rows = self.rows
        found = {}
        for term, text, *cells in rows:
            named = [f"{name}: {cell}" for name, cell in zip(head[2:], cells, strict=True) if cell]
            sentences = [
                f"{part[:1].upper()}{part[1:].rstrip('.')}." for part in (text, *named) if part
            ]
            found[term] = " ".join(sentences)
        return found


def topic_names() -> list[str]:
    """Return the names of all topics."""
    return sorted([FORMATS, SERVERS, *(path.stem for path in FOLDER.glob("*.md"))])


def topic_title(name: str) -> str:
    """Return the first heading of a topic, which says what it is about."""
    text = FORMATS_HEAD if name == FORMATS else topic_markdown(name)
    return next(read_blocks(text)).text


def topic_markdown(name: str) -> str:
    """Return the text of a topic in Markdown."""
    if name == SERVERS:
        from memcli.cli.reference.servers import ENGINES, INTRODUCTION

        rows = "".join(f"| {one.name} | {one.text} |\n" for one in ENGINES)
        head = "# Engines and servers that run models\n"
        return f"{head}{INTRODUCTION}\n| name | how |\n|---|---|\n{rows}"
    if name != FORMATS:
        return (FOLDER / f"{name}.md").read_text("utf-8")
    from memcli.formats.guides import format_table

    return f"{FORMATS_HEAD}\n{format_table()}"


def read_blocks(markdown: str) -> Iterator[TopicBlock]:
    """Yield the blocks of a text in the part of Markdown that the topics use."""
    part: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        if line or (part and part[0].startswith("```")):
            part.append(line)
        elif part:
            yield from _parse_part(part)
            part = []
        if len(part) > 1 and line == "```":
            yield TopicBlock("code", "\n".join(part[1:-1]))
            part = []


def _parse_part(lines: list[str]) -> Iterator[TopicBlock]:
    """Yield the block, or the items, that lines without an empty one between them make."""
    text = "\n".join(lines)
    if text.startswith("#"):
        yield TopicBlock("heading", text.lstrip("# "))
    elif text.startswith("|"):
        cells = [line.strip("|").split("|") for line in (lines[0], *lines[2:])]
        yield TopicBlock("table", rows=tuple(tuple(map(str.strip, row)) for row in cells))
    elif re.match(r"\d+\. ", text):
        for item in re.split(r"\n(?=\d+\. )", text):
            yield TopicBlock("item", " ".join(item.split()))
    else:
        yield TopicBlock("paragraph", " ".join(text.split()))


def print_topic(name: str) -> None:
    """Print a topic, on a terminal in a pager if it is long."""
    from memcli.cli.output.session_text import show_in_pager

    text = topic_text(name)
    if sys.stdout.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
        show_in_pager(text)
    else:
        sys.stdout.write(text)


def topic_text(name: str) -> str:
    """Return a topic as a terminal shows it."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    return "\n".join(
        line for block in read_blocks(topic_markdown(name)) for line in _block_lines(block, width)
    )


def _block_lines(block: TopicBlock, width: int) -> Iterator[str]:
    """Yield the lines of a block, the last of which is empty."""
    if block.kind == "code":
        yield from (f"    {line}" for line in block.text.splitlines())
    elif block.kind == "table" and (rows := block.aligned):
        yield from (f"  {row}" for row in rows)
    elif block.kind == "table":
        for term, text in block.definitions.items():
            yield f"  {term}"
            yield from textwrap.wrap(text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    else:
        later = "   " if block.kind == "item" else ""
        yield from textwrap.wrap(block.text, width, subsequent_indent=later, break_on_hyphens=False)
    yield ""
