"""Verification of weights: they are the model they should be, and score as its authors published.

The cheapest checks come first, and no model library reads a file that failed an earlier check: the
file is whole; it has the recorded checksum; header and tensors are the model's; it runs, twice
with the same result; it scores as published.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from memcli.backends.model_loader import ModelLoader
from memcli.callbacks import NoteCallback, ignore
from memcli.catalog import Weights
from memcli.errors import BackendError
from memcli.lazy_dataclasses import replace
from memcli.weights import role_trials
from memcli.weights.record import Verdict, WeightsRecord, describe_file, weights_digest
from memcli.weights.role_trials import Findings

StepProgress: TypeAlias = Callable[[str, int, int], None]  # step, amount done, whole amount


def verify_weights(
    weights: Weights,
    record: WeightsRecord,
    *,
    progress: StepProgress,
    note: NoteCallback = ignore,
) -> WeightsRecord:
    """Return the record with a new verdict.

    Args:
        weights: a GGUF file or a folder of safetensors.
        record: their record. Its checksum, if it has one, must be that of the file; otherwise the
            current checksum is recorded.
        progress: called with the number of bytes hashed.
        note: called with a sentence about a model that runs otherwise than requested.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    found = Findings()
    try:
        record, found = _examine(weights, record, progress, ModelLoader(note=note))
    except BackendError as error:
        found.faults.append(str(error))
    verdict = Verdict(not found.faults, at, tuple(found.faults), tuple(found.facts))
    return replace(record, verdict=verdict)


def _examine(
    weights: Weights, record: WeightsRecord, progress: StepProgress, loader: ModelLoader
) -> tuple[WeightsRecord, Findings]:
    digest = weights_digest(weights.path)
    if weights.is_torch:  # the files were verified one by one when they were downloaded
        return replace(record, digest=digest), _try_role(weights, record.quantization, loader)
    from memcli.weights.hub.download import sha256

    checksum = sha256(
        weights.path, lambda name, done, size: progress(f"{name}: checksum", done, size)
    )
    if record.sha256 and checksum != record.sha256:
        return record, Findings([f"its SHA-256 is {checksum}, recorded is {record.sha256}"])
    record = describe_file(record, weights.path, sha256=checksum, digest=digest)
    faults = _header_faults(weights)
    if faults:
        return record, Findings(faults)
    return record, _try_role(weights, record.quantization, loader)


def _header_faults(weights: Weights) -> list[str]:
    from memcli.weights import gguf_header

    known = weights.manifest
    return gguf_header.find_faults(
        gguf_header.read_header(weights.path),
        architecture=known.expected_header.architecture,
        blocks=known.expected_header.blocks,
        dimensions=known.expected_header.dimensions,
        tied=known.expected_header.tied,
        special=known.special,
        template=known.role in ("sifter", "reader", "chat"),
    )


def _try_role(weights: Weights, quantization: str, loader: ModelLoader) -> Findings:
    """Run the model in its role."""
    known = weights.manifest
    match known.role:
        case "reranker":
            reranker = loader.open_reranker(weights)
            return role_trials.try_reranker(reranker, known.checks, quantization)
        case "embedder":
            embedder = loader.open_embedder(weights)
            return role_trials.try_embedder(embedder, known.checks, quantization)
    if not weights.is_torch:
        found = role_trials.try_forward(lambda: _logits(weights.path))
        if found.faults:
            return found
    if known.role == "sifter":
        return role_trials.try_sifter(loader.open_sifter(weights), known.prompt["message"])
    if known.role == "reader":
        return role_trials.try_reader(loader.open_reader(weights))
    return Findings()


def _logits(path: Path) -> Sequence[float]:
    """Run a GGUF file once over a few words; return the logits of some tokens that may follow.

    Raises:
        BackendError: llama.cpp refuses the file or fails.
    """
    from memcli.backends.llama.context import LlamaContext, TokenRun
    from memcli.backends.llama.model import LlamaModel

    model = LlamaModel(path)
    try:
        tokens = model.encode("The capital of China is")
        with LlamaContext(model, len(tokens)) as context:
            context.feed([TokenRun(tokens)])
            return context.logits(0, sorted({*tokens, *model.special_tokens}))
    finally:
        model.close()
