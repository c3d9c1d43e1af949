"""From what a person names to models that are ready.

A model is named by its manifest's name, by the path of a GGUF file (llama.cpp) or of a folder of
safetensors (torch), or by the address of a server and the model's name there:
`http://localhost:8000/v1#qwen3`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from memcli.cli.models.gguf_cache import checked
from memcli.cli.models.load import Loader, digest_of
from memcli.cli.output.console import note
from memcli.errors import BackendError, ModelNotFoundError
from memcli.protocols import Chat, Embedder, Reader, Reranker, Sifter
from memcli.search.stages import Models
from memcli.settings import (
    NO_MODEL,
    manifests_folder,
    memos_address,
    models_folder,
    settings,
    state_folder,
)
from memcli.store import Store

if TYPE_CHECKING:
    from memcli.backends.server.endpoint import Endpoint
    from memcli.catalog import Catalog, Manifest, ModelRole, Weights
    from memcli.weights.record import State

T = TypeVar("T")
SERVED_BY_MEMOS = frozenset({"memos-reranker-0.6b", "memos-reranker-4b"})
_NEEDED = {
    "reader": ("reads", "`mem models pull memreader-4b`"),
    "chat": ("answers", "`mem models pull qwen3-4b-instruct-2507`, or name one with `--chat`"),
}
BUILTIN = ("builtin", "wordllama-256")  # the embedder that needs no download


def open_models(
    reranker: str | None,
    sifter: str | None,
    *,
    gpu_layers: int | None,
    think: int,
    database: Path | None = None,
) -> Models:
    """Open the models a question is put to.

    Args:
        reranker: see this module; None takes that of the settings, or the one in the models
            folder if there is one, and NO_MODEL leaves the stage out.
        sifter: the same.
        gpu_layers: layers to run on the GPU; None for all that fit.
        think: most tokens the sifter thinks.
        database: whose embedder is meant, where the settings name none.

    Raises:
        ModelNotFoundError: a file is not on this machine.
        BackendError: a file is damaged, or did not pass its verification.
    """
    house = House(gpu_layers)
    embedder = house.embedder(recorded=recorded_embedder(database))
    models = Models(embedder=embedder, thought_tokens=think)
    judging, sifting = house.chosen("reranker", reranker), house.chosen("sifter", sifter)
    if judging:
        models = replace(models, reranker=house.reranker(judging))
    if sifting:
        models = replace(
            models, sifter=house.sifter(sifting), sift_wording=house.sift_wording(sifting)
        )
    return models


def open_embedder(database: Path | None = None) -> Embedder:
    """Open the embedder of the settings, else the database's own, else the built-in one."""
    return House().embedder(recorded=recorded_embedder(database))


def recorded_embedder(database: Path | None) -> str | None:
    """Return how `mem index` was told to embed a database; None where it was not told."""
    if database is None or not database.exists():
        return None
    with Store(database) as store:
        return store.vectors.recorded()


def open_reader(named: str | None = None, *, gpu_layers: int | None = None) -> Reader:
    """Open the model that turns sessions into memories.

    Args:
        named: see this module; None takes that of the settings, or the one in the models folder.
        gpu_layers: layers to run on the GPU; None for all that fit.

    Raises:
        ModelNotFoundError: there is none on this machine.
        BackendError: a file is damaged, or did not pass its verification.
    """
    house = House(gpu_layers)
    return house.reader(house.needed("reader", named))


def is_served(reader: str | None) -> bool:
    """Return whether the model that reads is a served one; see `open_reader`."""
    return is_address(House().chosen("reader", reader) or "")


def open_chat(named: str | None = None, *, gpu_layers: int | None = None) -> Chat:
    """Open the model that answers in words.

    Args:
        named: see this module; None takes that of the settings, or the one in the models folder.
        gpu_layers: layers to run on the GPU; None for all that fit.

    Raises:
        ModelNotFoundError: there is none on this machine.
        BackendError: a file is damaged, or did not pass its verification.
    """
    house = House(gpu_layers)
    return house.chat(house.needed("chat", named))


def catalog() -> "Catalog":
    """Return what is known of models, and which are on this machine."""
    from memcli.catalog import Catalog

    return Catalog(models_folder(), manifests_folder())


class House:
    """The settings, the models folder and the backends, behind what a person names.

    Args:
        gpu_layers: layers to run on the GPU; None for all that fit.
    """

    def __init__(self, gpu_layers: int | None = None) -> None:
        self._settings = settings()
        self._loader = Loader(gpu_layers, checked)

    @cached_property
    def _catalog(self) -> "Catalog":
        return catalog()

    @property
    def named(self) -> Mapping[str, str]:
        """What the settings name, by role."""
        return self._settings.models

    def chosen(self, role: "ModelRole", named: str | None = None) -> str | None:
        """Return what is named, else what the settings name, else what is on this machine.

        An embedder is never taken because it is there: vectors of two do not mix, and another one
        means to embed everything again.
        """
        chosen = named or self.named.get(role)
        if not chosen and role != "embedder":
            chosen = self._catalog.installed(role)
        if chosen in SERVED_BY_MEMOS:
            return f"{memos_address()}#{chosen}"
        return None if chosen in (None, NO_MODEL, *BUILTIN) else chosen

    def needed(self, role: Literal["reader", "chat"], named: str | None = None) -> str:
        """Return what is chosen, where nothing can be done without.

        Raises:
            ModelNotFoundError: nothing is.
        """
        does, hint = _NEEDED[role]
        chosen = self.chosen(role, named)
        if not chosen:
            raise ModelNotFoundError(f"no model that {does} is on this machine", hint=hint)
        return chosen

    def embedder(self, named: str | None = None, *, recorded: str | None = None) -> Embedder:
        """Open the embedder that is named, else that of the settings, else the recorded one."""
        named = self.chosen("embedder", named or self.named.get("embedder") or recorded)
        if named is None:
            from memcli.backends.static_embedder import WordLlamaEmbedder

            return WordLlamaEmbedder()
        if is_address(named):
            from memcli.backends.server import open_embedder

            known = self._catalog.manifests.get(named.partition("#")[2])
            how = known.embedding if known else None
            return open_embedder(
                self._endpoint(named),
                question_prefix=how.question_prefix if how else "",
                passage_prefix=how.passage_prefix if how else "",
                note=_once(),
            )
        return self._loader.embedder(self._trusted(named, "embedder"))

    def reranker(self, named: str) -> Reranker:
        """Open a model that judges."""
        if is_address(named):
            from memcli.backends.server import open_reranker

            known = self._served(named, "reranker")
            return open_reranker(self._endpoint(named), known.rerank_prompt(), note=_once())
        return self._loader.reranker(self._trusted(named, "reranker"))

    def sifter(self, named: str) -> Sifter:
        """Open a model that reads, thinks and ranks."""
        if is_address(named):
            from memcli.backends.server import open_sifter

            return self._writing(open_sifter, named, "sifter")
        return self._loader.sifter(self._trusted(named, "sifter"))

    def sift_wording(self, named: str) -> str:
        """Return what a sifter is asked: in the words of its authors where they were fetched."""
        from memcli.weights.hub.prompt_wording import authors_wording

        known = (
            self._served(named, "sifter")
            if is_address(named)
            else self._catalog.locate(named, "sifter").manifest
        )
        theirs = authors_wording(self._catalog.folder, known.name) if known.artefact else None
        return theirs or known.prompt["message"]

    def reader(self, named: str) -> Reader:
        """Open a model that reads and calls tools."""
        if is_address(named):
            from memcli.backends.server import open_reader

            return self._writing(open_reader, named, "reader")
        return self._loader.reader(self._trusted(named, "reader"))

    def chat(self, named: str) -> Chat:
        """Open a model that answers in words."""
        if is_address(named):
            from memcli.backends.server import open_chat

            return self._writing(open_chat, named, "chat")
        return self._loader.chat(self._trusted(named, "chat"))

    def _writing(self, opened: Callable[..., T], named: str, role: "ModelRole") -> T:
        """Open a served model that writes."""
        known = self._served(named, role)
        return opened(
            self._endpoint(named), context=known.context, sampling=known.sampling, note=_once()
        )

    def _served(self, named: str, role: "ModelRole") -> "Manifest":
        """Return how a served model is spoken to: as the manifest of its name, or the best known.

        Its context is what the server allows, where the settings say so.
        """
        named_there = named.partition("#")[2]
        known = self._catalog.manifests.get(named_there)
        if known is None or known.role != role:
            known = self._catalog.like(role)
        allowed = self._settings.server(named).context
        return replace(known, context=min(known.context, allowed)) if allowed else known

    def _endpoint(self, named: str) -> "Endpoint":
        from memcli.backends.server.endpoint import endpoint, read_key

        how = self._settings.server(named)
        file = Path(how.key_file) if how.key_file else None
        return endpoint(
            named, key=read_key(variable=how.key_env, file=file, note=note), scheme=how.scheme
        )

    def _trusted(self, named: str, role: "ModelRole") -> "Weights":
        """Return the weights of this name, unless they are known to be bad.

        Raises:
            BackendError: they did not pass their verification, or changed since.
        """
        weights = self._catalog.locate(named, role)
        match state_of_weights(weights):
            case "failed":
                raise BackendError(
                    f"{named} is not used: it did not pass its verification",
                    hint=f"`mem models verify {named}` says why",
                )
            case "changed":
                raise BackendError(
                    f"{named} is not used: {weights.path} changed since it was verified",
                    hint=f"`mem models verify {named}` looks at all of it",
                )
            case "unverified":
                note(f"{named} is unverified: {_how_to_verify(weights, named)}")
        return weights


def _once() -> Callable[[str], None]:
    """Return what says a sentence the first time only: that text leaves this machine, and where."""
    from memcli.backends.server.endpoint import once

    return once(note, state_folder())


def is_address(named: str) -> bool:
    """Return whether a model is named by the address of its server."""
    return named.startswith(("http://", "https://"))


def state_of_weights(weights: "Weights") -> "State":
    """Return whether weights can be trusted, without reading all of them.

    Raises:
        BackendError: the file is damaged.
    """
    from memcli.weights.record import read_record, state_of

    digest = digest_of(weights.path) if weights.is_torch else checked(weights.path).digest
    return state_of(weights.path, read_record(record_place(weights)), lambda: digest)


def record_place(weights: "Weights") -> Path:
    """Return where the record of weights is: beside them, or of a person's own, by their name."""
    from memcli.weights.record import beside

    if weights.manifest.file:
        return models_folder() / f"{weights.manifest.name}.json"
    return beside(weights.path)


def _how_to_verify(weights: "Weights", named: str) -> str:
    if weights.path.parent == models_folder() or weights.manifest.file:
        return f"`mem models verify {weights.manifest.name}`"
    return f"`mem models add {named} --role {weights.manifest.role}` verifies it"
