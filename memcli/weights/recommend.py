"""The models that suit a machine, and the memory and disk they take."""

import os
from collections.abc import Iterable, Mapping
from typing import Literal

from memcli.catalog import Manifest, ModelRole
from memcli.lazy_dataclasses import dataclass

GIB = 1024**3  # bytes
RECOMMENDED_ROLES: tuple[ModelRole, ...] = ("reranker", "sifter", "reader")  # embedder: built in
_RUNNING_OVERHEAD = 3 * GIB // 2  # bytes, of 9,000 tokens of a 4B model's cache, and buffers
CONVERTED: Mapping[str, Literal["F32", "F16", "BF16"]] = {  # written without quantization
    "F32": "F32",
    "F16": "F16",
    "BF16": "BF16",
}
BITS: Mapping[str, float] = {  # bits per weight of a model with some billions of them
    "F32": 32,
    "F16": 16,
    "BF16": 16,
    "Q8_0": 8.5,
    "Q6_K": 6.6,
    "Q5_K_M": 5.7,
    "Q4_K_M": 4.9,
}


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and its quantization."""

    manifest: Manifest
    quantization: str

    @property
    def size(self) -> int:
        """The approximate bytes of the file."""
        return round(self.manifest.parameters * BITS.get(self.quantization, 16) / 8)

    @property
    def download(self) -> int:
        """The approximate bytes to download."""
        if self.quantization in self.manifest.gguf:
            return self.size
        return self.manifest.parameters * 2

    @property
    def running_memory(self) -> int:
        """The approximate bytes of memory that it takes while it runs: weights, cache and buffers.

        Weights that are mapped from the file count, too: without them in memory each token waits
        for the disk.
        """
        return self.size + _RUNNING_OVERHEAD


def total_memory() -> float:
    """Return this machine's memory in GiB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB


def choose_quantization(manifest: Manifest, memory: float) -> ModelChoice:
    """Return a model in its best quantization for so many GiB of memory, or else its smallest."""
    offered = sorted(manifest.quantizations, key=lambda name: manifest.quantizations[name])
    smallest = offered[0] if offered else "Q4_K_M"
    return ModelChoice(manifest, manifest.quantization_for(memory) or smallest)


def recommend_models(manifests: Iterable[Manifest], memory: float, room: int) -> list[ModelChoice]:
    """Return one model for each role, the largest that memory and disk allow.

    Args:
        manifests: the known models.
        memory: memory of the machine, in GiB.
        room: free bytes on the disk of models. Downloads take room too, and so does the F16 file
            of one model at a time.
    """
    by_size = sorted(manifests, key=lambda each: -each.parameters)
    recommended: list[ModelChoice] = []
    for role in RECOMMENDED_ROLES:
        for manifest in by_size:
            quantization = manifest.quantization_for(memory)
            if manifest.role != role or not quantization:
                continue
            choice = ModelChoice(manifest, quantization)
            taken = choice.size + choice.download
            if taken + 2 * manifest.parameters <= room:
                recommended.append(choice)
                room -= taken
                break
    return recommended
