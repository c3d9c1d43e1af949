"""Opening of models: from a value that says which model it is, and where, to the open model.

A backend is imported when the first of its models is opened.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.callbacks import NoteCallback, ignore
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Chat, Embedder, Reader, Reranker, Sifter

if TYPE_CHECKING:
    from memcli.backends.server import ServerReranker
    from memcli.backends.server.endpoint import Endpoint
    from memcli.catalog import Manifest, Weights


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model behind an address, with the manifest that says how to prompt it."""

    endpoint: "Endpoint"
    manifest: "Manifest"


ModelSource: TypeAlias = "Weights | ServedModel"


@dataclass(frozen=True, slots=True)
class ModelLoader:
    """The options of opening models, and one method for each role.

    Args:
        gpu_layers: layers to run on the GPU; None for all that fit.
        note: called with a sentence about a model that runs otherwise than requested.
        note_server: called, before the first text leaves this machine, with its destination.
        check: checks a GGUF file before llama.cpp reads it.
        verdicts: the file that remembers which served models passed their trial.
        refusals: the file that remembers which fields of requests servers refused.
    """

    gpu_layers: int | None = None
    note: NoteCallback = ignore
    note_server: NoteCallback = ignore
    check: Callable[[Path], CheckedFile] = check_gguf
    verdicts: Path | None = None
    refusals: Path | None = None

    def open_embedder(self, source: "ModelSource | None") -> Embedder:
        """Open an embedder; None stands for the built-in one, which needs no download."""
        if source is None:
            from memcli.backends.static_embedder import WordLlamaEmbedder

            return WordLlamaEmbedder()
        known = source.manifest
        question_prefix = known.embedding.question_prefix if known.embedding else ""
        passage_prefix = known.embedding.passage_prefix if known.embedding else ""
        if isinstance(source, ServedModel):
            from memcli.backends import server

            return server.open_embedder(
                source.endpoint,
                question_prefix=question_prefix,
                passage_prefix=passage_prefix,
                note=self.note_server,
            )
        assert known.embedding, "every embedder of the catalog has it"
        if source.is_torch:
            from memcli.backends import torch_bf16

            return torch_bf16.open_embedder(
                source.path,
                name=known.name,
                revision=known.revision,
                context=known.context,
                question_prefix=question_prefix,
                passage_prefix=passage_prefix,
            )
        from memcli.backends import llama

        return llama.open_embedder(
            source.path,
            name=known.name,
            revision=known.revision,
            pooling=known.embedding.pooling,
            context=known.context,
            gpu_layers=self.gpu_layers,
            checked=self.check(source.path),
            question_prefix=question_prefix,
            passage_prefix=passage_prefix,
        )

    def open_reranker(self, source: ModelSource) -> Reranker:
        """Open a model that judges passages."""
        if isinstance(source, ServedModel):
            return self.open_served_reranker(source)
        prompt = source.manifest.rerank_prompt()
        reranker: Reranker = _backend(source).open_reranker(
            source.path, prompt, **self._backend_options(source)
        )
        return reranker

    def open_served_reranker(self, source: ServedModel) -> "ServerReranker":
        """Open a served model that judges passages, once it has passed a trial."""
        from memcli.backends import server

        return server.open_reranker(
            source.endpoint,
            source.manifest.rerank_prompt(),
            checks=source.manifest.checks,
            verdicts=self.verdicts,
            refusals=self.refusals,
            note=self.note_server,
        )

    def open_sifter(self, source: ModelSource) -> Sifter:
        """Open a model that thinks and ranks sessions."""
        sifter: Sifter = _backend(source).open_sifter(
            _place(source), **self._generation_options(source)
        )
        return sifter

    def open_reader(self, source: ModelSource) -> Reader:
        """Open a model that reads sessions and calls tools."""
        reader: Reader = _backend(source).open_reader(
            _place(source), **self._generation_options(source)
        )
        return reader

    def open_chat(self, source: ModelSource) -> Chat:
        """Open a model that answers in words."""
        chat: Chat = _backend(source).open_chat(_place(source), **self._generation_options(source))
        return chat

    def _generation_options(self, source: ModelSource) -> dict[str, Any]:
        known = source.manifest
        options = {"context": known.context, "sampling": known.sampling}
        return options | self._backend_options(source)

    def _backend_options(self, source: ModelSource) -> dict[str, Any]:
        """Return the options that only the backend of a model has."""
        if isinstance(source, ServedModel):
            return {"note": self.note_server, "refusals": self.refusals}
        if source.is_torch:
            return {}
        checked = self.check(source.path)
        return {"gpu_layers": self.gpu_layers, "note": self.note, "checked": checked}


def _backend(source: ModelSource) -> ModuleType:
    """Import the package that opens a model; all three name their functions alike."""
    if isinstance(source, ServedModel):
        from memcli.backends import server

        return server
    if source.is_torch:
        from memcli.backends import torch_bf16

        return torch_bf16
    from memcli.backends import llama

    return llama


def _place(source: ModelSource) -> "Path | Endpoint":
    return source.endpoint if isinstance(source, ServedModel) else source.path
