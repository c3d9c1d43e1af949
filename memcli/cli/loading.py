"""From weights on this machine to a model, by the backend they are written for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memcli.catalog import Weights
from memcli.cli.output import note
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.pipeline.pull import Workshop
from memcli.pipeline.verify import Inspector, Progress
from memcli.protocols import Chat, Embedder, Reader, Reranker, Sifter


def inspector() -> Inspector:
    """Return what verifies weights."""
    return Inspector(digest_of, logits_of, Loader())


def workshop(folder: Path, progress: Progress) -> Workshop:
    """Return what fetches, converts, quantizes and verifies into a folder."""
    from memcli.backends.llama.quantize import quantize

    return Workshop(folder, inspector(), quantize, progress)


def digest_of(path: Path) -> str:
    """Return what stands for weights without reading all of them.

    Raises:
        BackendError: the file is no whole GGUF file.
    """
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.is_file())
        return fingerprint(*((one.name, one.stat().st_size) for one in files))
    from memcli.backends.gguf_check import check_gguf

    return check_gguf(path).digest


def logits_of(path: Path, *, gpu_layers: int | None = None) -> Sequence[float]:
    """Run a GGUF file once over a few words, and return what it thinks of some next tokens.

    Raises:
        BackendError: llama.cpp refuses the file or fails.
    """
    from memcli.backends.llama.context import Context, Run
    from memcli.backends.llama.model import Model

    model = Model(path, gpu_layers=gpu_layers)
    try:
        tokens = model.plain("The capital of China is")
        with Context(model, len(tokens)) as context:
            context.feed([Run(tokens)])
            return context.logits(0, sorted({*tokens, *model.special}))
    finally:
        model.close()


@dataclass(frozen=True, slots=True)
class Loader:
    """Opens weights with the backend they are written for.

    Args:
        gpu_layers: layers to run on the GPU; None for all that fit.
    """

    gpu_layers: int | None = None

    def reranker(self, weights: Weights) -> Reranker:
        """Open weights that judge."""
        prompt = weights.manifest.rerank_prompt()
        if weights.is_torch:
            from memcli.backends import torch_bf16

            return torch_bf16.open_reranker(weights.path, prompt)
        from memcli.backends.llama import open_reranker

        return open_reranker(weights.path, prompt, gpu_layers=self.gpu_layers, note=note)

    def sifter(self, weights: Weights) -> Sifter:
        """Open weights that read, think and rank."""
        known = weights.manifest
        if weights.is_torch:
            from memcli.backends import torch_bf16

            return torch_bf16.open_sifter(
                weights.path, context=known.context, sampling=known.sampling
            )
        from memcli.backends.llama import open_sifter

        return open_sifter(
            weights.path,
            context=known.context,
            sampling=known.sampling,
            gpu_layers=self.gpu_layers,
            note=note,
        )

    def reader(self, weights: Weights) -> Reader:
        """Open weights that read and call tools."""
        known = weights.manifest
        if weights.is_torch:
            from memcli.backends import torch_bf16

            return torch_bf16.open_reader(
                weights.path, context=known.context, sampling=known.sampling
            )
        from memcli.backends.llama import open_reader

        return open_reader(
            weights.path,
            context=known.context,
            sampling=known.sampling,
            gpu_layers=self.gpu_layers,
            note=note,
        )

    def chat(self, weights: Weights) -> Chat:
        """Open weights that answer in words."""
        known = weights.manifest
        if weights.is_torch:
            raise BackendError(
                f"{weights.path} is a folder of safetensors: torch answers no questions here",
                hint="name a GGUF file, or the address of a server",
            )
        from memcli.backends.llama import open_chat

        return open_chat(
            weights.path,
            context=known.context,
            sampling=known.sampling,
            gpu_layers=self.gpu_layers,
            note=note,
        )

    def embedder(self, weights: Weights) -> Embedder:
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
        )
