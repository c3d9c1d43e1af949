"""The guides to formats: how a person gets each export, and what is kept of it.

`guides.toml` holds them. `mem ingest --formats` and the table of the README are made of it.
"""

import tomllib
from functools import cache
from pathlib import Path

from memcli.lazy_dataclasses import dataclass

GUIDES_FILE = Path(__file__).with_name("guides.toml")


@dataclass(frozen=True, slots=True)
class FormatGuide:
    """The guide to one format."""

    name: str
    title: str  # the program, as people know it
    export: str  # how to get the export, in Markdown
    times: str = ""
    structure: str = ""
    also: str = ""
    sources: tuple[str, ...] = ()  # sources of its sessions, unless that is the format's name

    def to_row(self) -> str:
        """Return the row of the README's table."""
        cells = (f"`{self.name}`", f"{self.title}: {self.export}")
        row = f"| {' | '.join((*cells, self.times, self.structure, self.also))} |"
        return row.replace("|  |", "| |").replace("|  |", "| |")


@cache
def load_guides() -> dict[str, FormatGuide]:
    """Return the guides by the names of their formats, in the order of the README's table."""
    guides = tomllib.loads(GUIDES_FILE.read_text("utf-8"))
    return {
        name: FormatGuide(name, **{**guide, "sources": tuple(guide.get("sources", ()))})
        for name, guide in guides.items()
    }


def find_format_name(name: str) -> str:
    """Return the name of the format that has this name, or whose sessions are from this source.

    A name that belongs to neither is returned as it is.
    """
    guides = load_guides()
    if name in guides:
        return name
    return next((guide.name for guide in guides.values() if name in guide.sources), name)


def find_source(name: str) -> str:
    """Return the source of the sessions of a format; any other name is returned as it is."""
    guide = load_guides().get(name)
    return guide.sources[0] if guide and guide.sources else name


def format_table() -> str:
    """Return the table of all formats in Markdown."""
    head = "| format | export | times | branches, edits, replies | also |\n|---|---|---|---|---|\n"
    return head + "".join(f"{guide.to_row()}\n" for guide in load_guides().values())
