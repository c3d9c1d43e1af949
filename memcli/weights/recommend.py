"""Which models suit a machine, and what they take."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from memcli.catalog import Manifest, ModelRole

GIB = 1024**3
ROLES: tuple[ModelRole, ...] = ("reranker", "sifter", "reader")  # an embedder is built in
CONVERTED: Mapping[str, Literal["F32", "F16", "BF16"]] = {  # not quantized
    "F32": "F32",
    "F16": "F16",
    "BF16": "BF16",
}
BITS: Mapping[str, float] = {  # a weight, of a model of some billions of them
    "F32": 32,
    "F16": 16,
    "BF16": 16,
    "Q8_0": 8.5,
    "Q6_K": 6.6,
    "Q5_K_M": 5.7,
    "Q4_K_M": 4.9,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and how to write it."""

    manifest: Manifest
    quantization: str

    @property
    def size(self) -> int:
        """Bytes it will take, roughly."""
        return round(self.manifest.parameters * BITS.get(self.quantization, 16) / 8)

    @property
    def download(self) -> int:
        """Bytes to download, roughly."""
        if self.quantization in self.manifest.gguf:
            return self.size
        return self.manifest.parameters * 2


def memory() -> float:
    """Return this machine's memory in GiB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB


def choice(manifest: Manifest, gibibytes: float) -> Choice:
    """Return a model in the best quantization for so much memory, or else in its smallest."""
    offered = sorted(manifest.quantizations, key=lambda name: manifest.quantizations[name])
    smallest = offered[0] if offered else "Q4_K_M"
    return Choice(manifest, manifest.quantization_for(gibibytes) or smallest)


def suited(manifests: Iterable[Manifest], gibibytes: float, room: int) -> list[Choice]:
    """Return one model a role, the largest that memory and disk allow.

    Args:
        manifests: of known models.
        gibibytes: memory of the machine.
        room: bytes free where models are kept. Downloads lie there, too, and the F16 file of one
            model at a time.
    """
    known = sorted(manifests, key=lambda each: -each.parameters)
    chosen: list[Choice] = []
    for role in ROLES:
        for manifest in known:
            quantization = manifest.quantization_for(gibibytes)
            if manifest.role != role or not quantization:
                continue
            one = Choice(manifest, quantization)
            taken = one.size + one.download
            if taken + 2 * manifest.parameters <= room:
                chosen.append(one)
                room -= taken
                break
    return chosen
