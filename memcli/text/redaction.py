"""Masks secrets in text that leaves the machine, or that is made to be handed on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from memcli.lazy_dataclasses import dataclass
from memcli.text.secret_patterns import PATTERNS, SECRET_KINDS, SecretKind, SecretPattern


@dataclass(frozen=True, slots=True)
class Secret:
    """The place of a secret in a text."""

    start: int
    end: int
    kind: SecretKind


def redact(text: str) -> str:
    """Return a text with each secret replaced by its kind, such as `[card number masked]`.

    A text without any is returned as the same object.
    """
    secrets = find_secrets(text)
    if not secrets:
        return text
    pieces, end = [], 0
    for secret in secrets:
        pieces += [text[end : secret.start], f"[{secret.kind} masked]"]
        end = secret.end
    return "".join([*pieces, text[end:]])


def redact_json(value: Any) -> Any:  # Any: as JSON has it
    """Return a JSON value with the secrets in its texts masked; keys stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redact_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redact_json(each) for each in value]
    return value


def count_masks(text: str) -> int:
    """Return how many masks a text has."""
    return sum(text.count(f"[{kind} masked]") for kind in SECRET_KINDS)


def count_secrets(texts: Iterable[str]) -> Counter[SecretKind]:
    """Return how many secrets texts have, by kind."""
    return Counter(secret.kind for text in texts for secret in find_secrets(text))


def find_secrets(text: str) -> list[Secret]:
    """Return the secrets of a text in its order; none overlaps another."""
    if text.isalpha():
        return []
    lowered = text.lower()
    found = sorted(
        (
            secret
            for pattern in PATTERNS
            if not pattern.marks or any(mark in lowered for mark in pattern.marks)
            for secret in _matches(pattern, text)
        ),
        key=lambda secret: (secret.start, -secret.end),
    )
    kept: list[Secret] = []
    for secret in found:
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
        elif secret.end > kept[-1].end:  # the longer one begins inside: both are covered
            kept[-1] = Secret(kept[-1].start, secret.end, kept[-1].kind)
    return kept


def _matches(pattern: SecretPattern, text: str) -> Iterator[Secret]:
    for match in pattern.pattern.finditer(text):
        group = "secret" if pattern.pattern.groupindex else 0
        value = match[group]
        if pattern.check is None or pattern.check(value):
            start = match.start(group)
            kept = len(value.rstrip("\\")) if pattern.kind == "password" else len(value)
            if pattern.kind == "password":
                kept = len(value[:kept].rstrip(".,;:!?)")) or kept
            yield Secret(start, start + kept, pattern.kind)
