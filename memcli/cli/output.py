"""What memcli prints: results to stdout, everything else to stderr, nothing that could harm."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# Control characters and escape sequences, and what turns the direction of a line around.
_HARMFUL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
    re.DOTALL,
)
_UNPRINTED = re.compile("[\x7f-\x9f\ud800-\udfff]")  # what JSON would leave as it is


def safe(text: str) -> str:
    """Return a text that a terminal prints and does not obey; line breaks and tabs stay."""
    return _HARMFUL.sub("", text.replace("\r\n", "\n"))


def note(message: str) -> None:
    """Tell the person something that is not the result."""
    sys.stderr.write(f"mem: {safe(message)}\n")


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON object on a line of its own."""
    text = json.dumps(document, ensure_ascii=False)
    sys.stdout.write(_UNPRINTED.sub(lambda one: f"\\u{ord(one[0]):04x}", text) + "\n")
    sys.stdout.flush()


def print_jsonl(documents: Iterable[Mapping[str, object]]) -> None:
    """Print JSON objects, one a line."""
    for document in documents:
        print_json(document)


def console(stream: TextIO | None = None) -> "Console":
    """Return a console for a stream, stdout by default: plain where that is not a terminal."""
    from rich.console import Console

    stream = stream or sys.stdout
    width = None if stream.isatty() else 100
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, width=width, soft_wrap=False
    )
