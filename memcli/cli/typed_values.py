"""Values as people type them: texts, names, durations, limits, numbers of layers, and stages."""

import os
import re
import sys

from memcli.errors import UsageError
from memcli.settings import AUTO, load_settings

STAGES = {"retrieve", "rerank", "sift"}
ALL_LAYERS = -1  # as many as fit, said on the command line
# Seconds of each unit.
UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parse_text(text: str) -> str:
    """Return the text that was typed, with question marks for bytes that are not text."""
    return text.encode("utf-8", "replace").decode()


def parse_source(text: str) -> str:
    """Return the source that was typed; the name of a format stands for its source."""
    from memcli.formats.guides import find_source  # here, because every press of Tab loads this

    return find_source(parse_text(text))


def parse_names(text: str) -> frozenset[str]:
    """Return all names of a person, given one of them."""
    return frozenset(load_settings().names_of(parse_text(text)))


def parse_gpu(text: str) -> int:
    """Return the number of a GPU, and choose it for every model that this process loads.

    Raises:
        UsageError: the text is no number.
    """
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"not a number of a GPU: `{parse_text(text)}`", hint="`--gpu 0`")
    os.environ["MEM_GPU"] = text
    return int(text)


def parse_layers(text: str) -> int:
    """Return a number of layers, or ALL_LAYERS for `auto`.

    Raises:
        UsageError: the text is neither.
    """
    if text == AUTO:
        return ALL_LAYERS
    if not (text.isascii() and text.isdigit()):
        raise UsageError(
            f"not a number of layers: `{parse_text(text)}`", hint="`--gpu-layers auto`, or a number"
        )
    return int(text)


def parse_stages(text: str) -> frozenset[str] | None:
    """Return the stages in a list divided by commas, or None for `auto`.

    Raises:
        UsageError: the list names a stage that does not exist.
    """
    if text == "auto":
        return None
    listed = {name.strip() for name in text.split(",")}
    if unknown := listed - STAGES:
        raise UsageError(
            f"not a stage: `{parse_text(min(unknown))}`",
            hint="`--stages auto`, or `--stages retrieve,rerank,sift`",
        )
    return frozenset(listed)


def parse_seconds(text: str | float) -> float:
    """Return a duration in seconds: `90`, `90s`, `15m`, `2h`, `1h30m`.

    Raises:
        UsageError: the text is not a duration.
    """
    text = str(text)  # Typer passes a default value as it is
    parts = re.findall(r"(\d+\.?\d*|\.\d+) ?([a-z]*) ?", text)
    known = all(unit in UNITS for _, unit in parts)
    if not parts or not known or not re.fullmatch(r"(?:(?:\d+\.?\d*|\.\d+) ?[a-z]* ?)+", text):
        raise UsageError(
            f"not a duration: `{parse_text(text)}`", hint="20 for seconds, or `90s`, `15m`, `1h30m`"
        )
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def parse_limit(text: str | int) -> int:
    """Return the limit of a list; 0, which stands for none, becomes the largest number.

    Raises:
        UsageError: it is not a whole number, or negative.
    """
    typed = str(text)
    if not (typed.isascii() and typed.isdigit()):
        raise UsageError(f"not a number: `{parse_text(typed)}`", hint="`--limit 20`, or 0 for all")
    return int(typed) or sys.maxsize
