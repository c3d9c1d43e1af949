"""Whether weights are those they should be, and do what their authors measured.

Cheapest first, and nothing of a file reaches a model library that did not pass what comes before:
it is whole; it has the recorded checksum; header and tensors are the model's; it runs, twice the
same; it scores as published.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from memcli.catalog import Weights
from memcli.errors import BackendError
from memcli.protocols import Embedder, Reader, Reranker, Sifter
from memcli.weights import role_trials
from memcli.weights.record import Record, Verdict, of_file
from memcli.weights.role_trials import Findings

Progress = Callable[[str, int, int], None]  # what, how much is done, of how much


class Opener(Protocol):
    """Opens weights; the pipeline itself knows no backend."""

    def reranker(self, weights: Weights) -> Reranker:
        """Open weights that judge."""
        ...

    def sifter(self, weights: Weights) -> Sifter:
        """Open weights that read, think and rank."""
        ...

    def reader(self, weights: Weights) -> Reader:
        """Open weights that read and call tools."""
        ...

    def embedder(self, weights: Weights) -> Embedder:
        """Open weights that embed."""
        ...


@dataclass(frozen=True, slots=True)
class Inspector:
    """What verification is handed."""

    digest: Callable[[Path], str]  # fails where the file is not whole
    logits: Callable[[Path], Sequence[float]]  # of a GGUF file of a language model
    open: Opener


def verify(weights: Weights, record: Record, inspector: Inspector, *, progress: Progress) -> Record:
    """Return the record with a new verdict.

    Args:
        weights: a GGUF file or a folder of safetensors.
        record: what is known of it. Its checksum, if it has one, is held to; else the checksum of
            the file as it is now is recorded.
        inspector: opens it.
        progress: told how many bytes are hashed.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    found = Findings()
    try:
        record, found = _inspected(weights, record, inspector, progress)
    except BackendError as error:
        found.faults.append(str(error))
    verdict = Verdict(not found.faults, at, tuple(found.faults), tuple(found.facts))
    return replace(record, verdict=verdict)


def _inspected(
    weights: Weights, record: Record, inspector: Inspector, progress: Progress
) -> tuple[Record, Findings]:
    digest = inspector.digest(weights.path)
    if weights.is_torch:  # its files were checked one by one when they were fetched
        return replace(record, digest=digest), _run(weights, record, inspector)
    from memcli.weights.hub.download import sha256

    found = sha256(weights.path, lambda name, done, of: progress(f"{name}: checksum", done, of))
    if record.sha256 and found != record.sha256:
        return record, Findings([f"its SHA-256 is {found}, recorded is {record.sha256}"])
    record = of_file(record, weights.path, sha256=found, digest=digest)
    faults = _header_faults(weights)
    if faults:
        return record, Findings(faults)
    return record, _run(weights, record, inspector)


def _header_faults(weights: Weights) -> list[str]:
    from memcli.weights import gguf_header as header

    known = weights.manifest
    return header.faults(
        header.read_contents(weights.path),
        architecture=known.shape.architecture,
        blocks=known.shape.blocks,
        dimensions=known.shape.dimensions,
        tied=known.shape.tied,
        special=known.special,
        template=known.role in ("sifter", "reader", "chat"),
    )


def _run(weights: Weights, record: Record, inspector: Inspector) -> Findings:
    """Run the model as its role asks."""
    known, opener = weights.manifest, inspector.open
    match known.role:
        case "reranker":
            return role_trials.try_reranker(
                opener.reranker(weights), known.checks, record.quantization
            )
        case "embedder":
            return role_trials.try_embedder(
                opener.embedder(weights), known.checks, record.quantization
            )
    if not weights.is_torch:
        found = role_trials.try_forward(lambda: inspector.logits(weights.path))
        if found.faults:
            return found
    if known.role == "sifter":
        return role_trials.try_sifter(opener.sifter(weights), known.prompt["message"])
    return role_trials.try_reader(opener.reader(weights)) if known.role == "reader" else Findings()
