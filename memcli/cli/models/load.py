"""From weights on this machine to a model, by the backend they are written for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.cli.output.console import note
from memcli.domain import fingerprint
from memcli.protocols import Chat, Embedder, Reader, Reranker, Sifter

if TYPE_CHECKING:
    from memcli.backends.llama.generators import LlamaGenerator
    from memcli.backends.torch_bf16.generators import TorchGenerator
    from memcli.catalog import Weights

InLlama = TypeVar("InLlama", bound="LlamaGenerator")
InTorch = TypeVar("InTorch", bound="TorchGenerator")


def digest_of(path: Path) -> str:
    """Return what stands for weights without reading all of them.

    Raises:
        BackendError: the file is no whole GGUF file.
    """
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.is_file())
        return fingerprint(*((one.name, one.stat().st_size) for one in files))
    return check_gguf(path).digest


@dataclass(frozen=True, slots=True)
class Loader:
    """Opens weights with the backend they are written for.

    Args:
        gpu_layers: layers to run on the GPU; None for all that fit.
        check: checks a GGUF file.
    """

    gpu_layers: int | None = None
    check: Callable[[Path], CheckedFile] = check_gguf

    def reranker(self, weights: "Weights") -> Reranker:
        """Open weights that judge."""
        prompt = weights.manifest.rerank_prompt()
        if weights.is_torch:
            from memcli.backends import torch_bf16

            return torch_bf16.open_reranker(weights.path, prompt)
        from memcli.backends.llama import open_reranker

        return open_reranker(
            weights.path,
            prompt,
            gpu_layers=self.gpu_layers,
            note=note,
            checked=self.check(weights.path),
        )

    def sifter(self, weights: "Weights") -> Sifter:
        """Open weights that read, think and rank."""
        if weights.is_torch:
            from memcli.backends.torch_bf16 import TorchSifter

            return self._in_torch(TorchSifter, weights)
        from memcli.backends.llama import LlamaSifter

        return self._in_llama(LlamaSifter, weights)

    def reader(self, weights: "Weights") -> Reader:
        """Open weights that read and call tools."""
        if weights.is_torch:
            from memcli.backends.torch_bf16 import TorchReader

            return self._in_torch(TorchReader, weights)
        from memcli.backends.llama import LlamaReader

        return self._in_llama(LlamaReader, weights)

    def chat(self, weights: "Weights") -> Chat:
        """Open weights that answer in words."""
        if weights.is_torch:
            from memcli.backends.torch_bf16 import TorchChat

            return self._in_torch(TorchChat, weights)
        from memcli.backends.llama import LlamaChat

        return self._in_llama(LlamaChat, weights)

    def embedder(self, weights: "Weights") -> Embedder:
        """Open weights that embed."""
        known = weights.manifest
        how = known.embedding
        assert how, "the catalog gives no embedder without"
        if weights.is_torch:
            from memcli.backends import torch_bf16

            return torch_bf16.open_embedder(
                weights.path,
                name=known.name,
                revision=known.revision,
                question_prefix=how.question_prefix,
                passage_prefix=how.passage_prefix,
                context=known.context,
            )
        from memcli.backends.llama import open_embedder

        return open_embedder(
            weights.path,
            name=known.name,
            revision=known.revision,
            pooling=how.pooling,
            context=known.context,
            question_prefix=how.question_prefix,
            passage_prefix=how.passage_prefix,
            gpu_layers=self.gpu_layers,
            checked=self.check(weights.path),
        )

    def _in_llama(self, kind: type[InLlama], weights: "Weights") -> InLlama:
        known = weights.manifest
        return kind(
            weights.path,
            context=known.context,
            sampling=known.sampling,
            gpu_layers=self.gpu_layers,
            note=note,
            checked=self.check(weights.path),
        )

    def _in_torch(self, kind: type[InTorch], weights: "Weights") -> InTorch:
        known = weights.manifest
        return kind(weights.path, context=known.context, sampling=known.sampling)
