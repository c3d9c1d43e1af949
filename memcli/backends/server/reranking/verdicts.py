"""The results of trials of served rerankers, remembered for a day."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from memcli.backends.server.reranking.score_client import Scoring, parse_scoring
from memcli.backends.server.server_state import StateFile, is_fresh
from memcli.lazy_dataclasses import dataclass

_SAME = 0.05  # probabilities of one model differ by less, whatever else its server computes


@dataclass(frozen=True, slots=True)
class ServedVerdict:
    """The result of a trial of a served model."""

    url: str
    model: str
    at: str  # UTC, ISO 8601
    scoring: Scoring | None  # the way in which it is asked; None if it failed
    faults: tuple[str, ...] = ()  # one sentence for each way that failed
    facts: tuple[str, ...] = ()  # one line for each measurement
    hint: str = ""  # the setting of the server to change
    probabilities: tuple[float, ...] = ()  # of the known pairs; if it failed, of the last success
    model_since: str = ""  # the trial that first saw another model than before; empty for the first

    @property
    def passed(self) -> bool:
        """True if its scores were right."""
        return self.scoring is not None

    def is_of_same_model(self, other: "ServedVerdict") -> bool:
        """Return whether two trials, in whatever way they asked, got the same probabilities."""
        pairs = zip_longest(self.probabilities, other.probabilities, fillvalue=math.inf)
        return all(abs(one - another) <= _SAME for one, another in pairs)

    @property
    def is_fresh(self) -> bool:
        """True if the trial was less than a day ago."""
        return is_fresh(self.at)


class VerdictFile:
    """A file of verdicts by key. Losing it costs only another trial.

    Args:
        path: of the file; None remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = StateFile(path)

    def get(self, key: str) -> ServedVerdict | None:
        """Return the verdict of a key; None if there is none or it cannot be read."""
        return _parse_verdict(self._file.read().get(key))

    def latest(self, url: str, model: str) -> ServedVerdict | None:
        """Return the latest verdict about a model, whatever its prompt."""
        found = [one for one in map(_parse_verdict, self._file.read().values()) if one]
        matching = [one for one in found if (one.url, one.model) == (url, model)]
        return max(matching, key=lambda one: one.at, default=None)

    def put(self, key: str, verdict: ServedVerdict | None) -> None:
        """Remember a verdict, or with None forget it."""
        self._file.put(key, asdict(verdict) if verdict else None)


def _parse_verdict(found: object) -> ServedVerdict | None:
    """Return a verdict from the file; None if it is none."""
    if not isinstance(found, Mapping):
        return None
    url, model, at, hint = (found.get(name) for name in ("url", "model", "at", "hint"))
    if not (isinstance(url, str) and isinstance(model, str) and isinstance(at, str)):
        return None
    scoring = parse_scoring(found.get("scoring"))
    if scoring is None and found.get("scoring") is not None:
        return None
    faults, facts = (found.get(name) for name in ("faults", "facts"))
    return ServedVerdict(
        url,
        model,
        at,
        scoring,
        tuple(map(str, faults)) if isinstance(faults, list) else (),
        tuple(map(str, facts)) if isinstance(facts, list) else (),
        hint if isinstance(hint, str) else "",
        _parse_probabilities(found.get("probabilities")),
        str(found.get("model_since") or ""),
    )


def _parse_probabilities(found: object) -> tuple[float, ...]:
    numbers = found if isinstance(found, list) else []
    return tuple(float(one) for one in numbers if isinstance(one, int | float))
