"""Speeds of models on this machine, learned from what they have done here."""

import json
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from memcli.files import atomic_write
from memcli.lazy_dataclasses import dataclass

MOST_MODELS = 64  # whose speeds are kept
NEWEST_WEIGHT = 0.3  # of the newest measurement in the average

# Speeds per billion weights of a quantised model on two slow cores. They are assumed until a model
# is measured. A server or a GPU is faster, which is known after its first job.
LOAD, READ, WRITE = 1.0, 80.0, 12.0  # seconds; tokens per second
BILLIONS = 4.0  # weights of a model whose name does not contain its size
PACE = "pace"  # key beside the speeds: the measured reading speed, divided by the guessed one


class TimedModel(Protocol):
    """A model, as far as its speed is concerned."""

    name: str
    fingerprint: str

    def count(self, text: str) -> int:
        """Return how many tokens a text takes; the first call loads the model."""
        ...


@dataclass(frozen=True, slots=True)
class Speed:
    """The time that a model takes."""

    load: float  # seconds
    read: float  # tokens of a prompt per second
    write: float  # tokens of a reply per second


class ModelSpeeds:
    """Speeds of models by their fingerprints, in a file that may be lost or damaged."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the speeds that were learned before.

        Args:
            path: a JSON file; without one, nothing outlives the process.
        """
        self._path = path
        self._learned = _read_speeds(path) if path else {}
        self._changed: set[str] = set()
        self._loaded: set[str] = set()

    def of(self, model: TimedModel) -> Speed:
        """Return the speed of a model; unknown parts are guessed by its size.

        If the models that were measured are slower than guessed, the others are assumed to be
        slower by the same factor.
        """
        guess, learned = _guess_speed(model.name), self._learned.get(model.fingerprint, {})
        paces = sorted(speeds.get(PACE, 1.0) for speeds in self._learned.values()) or [1.0]
        pace = min(1.0, (paces[(len(paces) - 1) // 2] + paces[len(paces) // 2]) / 2)  # the median
        return Speed(
            0.0 if model.fingerprint in self._loaded else learned.get("load", guess.load / pace),
            learned.get("read", guess.read * pace),
            learned.get("write", guess.write * pace),
        )

    def knows(self, model: TimedModel) -> bool:
        """Return whether the reading speed of a model was ever measured."""
        return "read" in self._learned.get(model.fingerprint, {})

    def load(self, model: TimedModel, text: str) -> float:
        """Load a model by counting the tokens of a text; return the seconds, and learn them.

        Raises:
            BackendError: the model cannot be loaded.
        """
        began = monotonic()
        model.count(text)
        seconds = monotonic() - began
        self.record_load(model, seconds)
        return seconds

    def record_load(self, model: TimedModel, seconds: float) -> None:
        """Learn how long a model took to load; only its first time in a process counts."""
        if model.fingerprint not in self._loaded:
            self._loaded.add(model.fingerprint)
            self._record(model, "load", max(seconds, 0.001))

    def record_read(self, model: TimedModel, tokens: int, seconds: float) -> None:
        """Learn how long a model took to read so many tokens."""
        if seconds > 0:
            self._record(model, "read", tokens / seconds)
            self._record(model, PACE, tokens / seconds / _guess_speed(model.name).read)

    def record_unfinished_read(self, model: TimedModel, tokens: int, seconds: float) -> None:
        """Learn that a model did not get to the end of so many tokens in this time."""
        if seconds > 0 and tokens / seconds < self.of(model).read:
            self.record_read(model, tokens, seconds)

    def record_write(self, model: TimedModel, tokens: int, seconds: float) -> None:
        """Learn how long a model took to write so many tokens."""
        if seconds > 0:
            self._record(model, "write", tokens / seconds)

    def record_generation(self, model: TimedModel, tokens: int, times: Sequence[float]) -> None:
        """Learn how fast a model reads, from the time to its first piece, and how fast it writes.

        Args:
            model: a model that generates text.
            tokens: length of its prompt.
            times: `monotonic` when it began and when each piece came; a piece is about a token.
        """
        if len(times) > 1:
            self.record_read(model, tokens, times[1] - times[0])
        else:  # it was stopped before it had read everything
            self.record_unfinished_read(model, tokens, monotonic() - times[0])
        if len(times) > 2:
            self.record_write(model, len(times) - 2, times[-1] - times[1])

    def save(self) -> None:
        """Save what was learned since the file was read; a loss costs only time."""
        if not (self._path and self._changed):
            return
        others = _read_speeds(self._path)  # another process may have learned meanwhile
        ours = {model: self._learned[model] for model in self._changed}
        merged = {model: speeds for model, speeds in others.items() if model not in ours} | ours
        latest = dict([*merged.items()][-MOST_MODELS:])
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_write(self._path, OSError) as part:
                part.write_text(json.dumps({"models": latest}), "utf-8")
        self._changed.clear()

    def _record(self, model: TimedModel, kind: str, measured: float) -> None:
        if not (math.isfinite(measured) and measured > 0):
            return
        learned = self._learned.setdefault(model.fingerprint, {})
        before = learned.get(kind, measured)
        learned[kind] = before + NEWEST_WEIGHT * (measured - before)
        self._changed.add(model.fingerprint)


def _guess_speed(name: str) -> Speed:
    """Guess a speed by the size in a model's name: `memsifter-4b`, `SmolLM2-135M`."""
    size = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)([bm])(?![a-z])", name, re.IGNORECASE)
    billions = BILLIONS
    if size:
        billions = max(float(size[1]) * (1 if size[2] in "bB" else 0.001), 0.05)
    return Speed(LOAD * billions, READ / billions, WRITE / billions)


def _read_speeds(path: Path) -> dict[str, dict[str, float]]:
    """Return the sensible speeds of a file, by model."""
    try:
        document: Any = json.loads(path.read_bytes())  # Any: the file may hold any JSON
        models = document["models"].items()
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}
    return {model: speeds for model, each in models if (speeds := _sensible_speeds(each))}


def _sensible_speeds(values: Any) -> dict[str, float]:  # Any: the file may hold any JSON
    if not isinstance(values, dict):
        return {}
    return {
        kind: float(values[kind])
        for kind in ("load", "read", "write", PACE)
        if type(values.get(kind)) in (int, float) and 0 < values[kind] < 1e9
    }
