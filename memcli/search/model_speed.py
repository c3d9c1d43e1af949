"""How fast each model is on this machine, learned from what it has done here."""

import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from memcli.files import private_file

MOST_MODELS = 64  # whose speeds are kept
NEWEST = 0.3  # weight of the newest measurement in the average

# Of a model with a billion weights, quantised, on two slow cores: what is believed until it is
# measured. A server or a GPU is faster, and known to be after its first job.
LOAD, READ, WRITE = 1.0, 80.0, 12.0  # seconds; tokens per second
BILLIONS = 4.0  # weights of a model whose name does not tell
PACE = "pace"  # kept beside the speeds: how fast a model reads, measured by what was guessed


class Named(Protocol):
    """A model, as far as its speed is concerned."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Speed:
    """What a model takes."""

    load: float  # seconds
    read: float  # tokens of a prompt per second
    write: float  # tokens of a reply per second


class Speeds:
    """The speeds of models by their fingerprints, in a file that may be lost or damaged."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what was learned before.

        Args:
            path: a JSON file; without one, nothing outlives the process.
        """
        self._path = path
        self._learned = _read(path) if path else {}
        self._new: set[str] = set()
        self._loaded: set[str] = set()

    def of(self, model: Named) -> Speed:
        """Return how fast a model is, as far as is known; the rest is guessed by its size.

        Where the models that are known are slower than guessed, so are the others, it is thought.
        """
        guess, learned = _guess(model.name), self._learned.get(model.fingerprint, {})
        paces = sorted(known.get(PACE, 1.0) for known in self._learned.values()) or [1.0]
        pace = min(1.0, (paces[(len(paces) - 1) // 2] + paces[len(paces) // 2]) / 2)  # the median
        return Speed(
            0.0 if model.fingerprint in self._loaded else learned.get("load", guess.load / pace),
            learned.get("read", guess.read * pace),
            learned.get("write", guess.write * pace),
        )

    def knows(self, model: Named) -> bool:
        """Return whether it was ever measured how fast a model reads."""
        return "read" in self._learned.get(model.fingerprint, {})

    def loaded(self, model: Named, seconds: float) -> None:
        """Learn how long a model took to load: the first time in a process, as it stays loaded."""
        if model.fingerprint not in self._loaded:
            self._loaded.add(model.fingerprint)
            self._learn(model, "load", max(seconds, 0.001))

    def read(self, model: Named, tokens: int, seconds: float) -> None:
        """Learn how long a model took to read so many tokens."""
        if seconds > 0:
            self._learn(model, "read", tokens / seconds)
            self._learn(model, PACE, tokens / seconds / _guess(model.name).read)

    def slower(self, model: Named, tokens: int, seconds: float) -> None:
        """Learn that a model did not get to the end of so many tokens in this time."""
        if seconds > 0 and tokens / seconds < self.of(model).read:
            self.read(model, tokens, seconds)

    def wrote(self, model: Named, tokens: int, seconds: float) -> None:
        """Learn how long a model took to write so many tokens."""
        if seconds > 0:
            self._learn(model, "write", tokens / seconds)

    def save(self) -> None:
        """Keep what was learned since the file was read; losing it costs only time."""
        if not (self._path and self._new):
            return
        others = _read(self._path)  # another process may have learned meanwhile
        ours = {model: self._learned[model] for model in self._new}
        kept = {model: known for model, known in others.items() if model not in ours} | ours
        latest = dict([*kept.items()][-MOST_MODELS:])
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with private_file(self._path, OSError) as part:
                part.write_text(json.dumps({"models": latest}), "utf-8")
        self._new.clear()

    def _learn(self, model: Named, kind: str, measured: float) -> None:
        if not (math.isfinite(measured) and measured > 0):
            return
        learned = self._learned.setdefault(model.fingerprint, {})
        before = learned.get(kind, measured)
        learned[kind] = before + NEWEST * (measured - before)
        self._new.add(model.fingerprint)


def _guess(name: str) -> Speed:
    """Guess by the size that the name of a model tells: `memsifter-4b`, `SmolLM2-135M`."""
    told = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)([bm])(?![a-z])", name, re.IGNORECASE)
    billions = BILLIONS
    if told:
        billions = max(float(told[1]) * (1 if told[2] in "bB" else 0.001), 0.05)
    return Speed(LOAD * billions, READ / billions, WRITE / billions)


def _read(path: Path) -> dict[str, dict[str, float]]:
    """Return what a file says that makes sense."""
    try:
        found: Any = json.loads(path.read_bytes())  # Any: whatever is in the file
        models = found["models"].items()
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}
    return {model: known for model, each in models if (known := _sensible(each))}


def _sensible(values: Any) -> dict[str, float]:  # Any: whatever JSON holds
    if not isinstance(values, dict):
        return {}
    return {
        kind: float(values[kind])
        for kind in ("load", "read", "write", PACE)
        if type(values.get(kind)) in (int, float) and 0 < values[kind] < 1e9
    }
