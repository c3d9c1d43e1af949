"""The choice of a model for a role: from options, settings and catalog to a value to be opened.

A model is named by its manifest's name, by the path of a GGUF file (llama.cpp) or of a folder of
safetensors (torch), or by the address of a server and the model's name there:
`http://localhost:8000/v1#qwen3`.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memcli.backends.model_loader import ModelSource, ServedModel
from memcli.cli.models.gguf_cache import check_cached
from memcli.cli.output.console import note
from memcli.errors import BackendError, ModelNotFoundError
from memcli.lazy_dataclasses import replace
from memcli.settings import NO_MODEL, load_settings, manifests_folder, memos_address, models_folder

if TYPE_CHECKING:
    from memcli.catalog import Catalog, Manifest, ModelRole, Weights
    from memcli.weights.record import VerificationState

BUILTIN = ("builtin", "wordllama-256")  # names of the embedder that needs no download
_MEMOS_MODELS = frozenset({"memos-reranker-0.6b", "memos-reranker-4b"})
_MEMOS_TOKENS = 8000  # of all documents of a request together
_MISSING = {
    "reader": ("reads sessions", "`mem models pull memreader-4b`"),
    "chat": (
        "answers in words",
        "`mem models pull qwen3-4b-instruct-2507`, or name one with `--chat`",
    ),
}


class ModelResolver:
    """The settings and the catalog, which together tell the model for a role.

    Raises:
        InputError: the settings cannot be read.
    """

    def __init__(self) -> None:
        self._settings = load_settings()

    @cached_property
    def _catalog(self) -> "Catalog":
        return load_catalog()

    @property
    def configured(self) -> Mapping[str, str]:
        """The names of models in the settings, by role."""
        return self._settings.models

    def select(
        self, role: "ModelRole", name: str | None = None, *, fallback: str | None = None
    ) -> str | None:
        """Return the name of the model for a role; None if there is none, or the built-in one.

        An installed embedder is never selected because it is there: vectors of two embedders do
        not mix, and another one means to embed everything again.

        Args:
            role: the task of the model.
            name: the name in an option, which overrides the settings.
            fallback: the name to take if neither option nor settings have one.
        """
        selected = name or self.configured.get(role) or fallback
        if not selected and role != "embedder":
            selected = self._catalog.installed_name(role)
        if selected in _MEMOS_MODELS:
            return f"{memos_address()}#{selected}"
        return None if selected in (None, NO_MODEL, *BUILTIN) else selected

    def find(
        self, role: "ModelRole", name: str | None = None, *, fallback: str | None = None
    ) -> "ModelSource | None":
        """Return the model for a role; None if there is none, or the built-in one. See `select`.

        Raises:
            ModelNotFoundError: its files are not on this machine.
            UsageError: the model of this name has another role.
            BackendError: a file is damaged, failed its verification or changed since.
        """
        selected = self.select(role, name, fallback=fallback)
        if selected is None:
            return None
        return (
            self.find_served(selected, role)
            if is_address(selected)
            else self._local(selected, role)
        )

    def require(self, role: Literal["reader", "chat"], name: str | None = None) -> ModelSource:
        """Return the model for a role.

        Raises:
            ModelNotFoundError: there is none on this machine.
            UsageError, BackendError: see `find`.
        """
        source = self.find(role, name)
        if source is None:
            task, hint = _MISSING[role]
            raise ModelNotFoundError(f"no model that {task} is on this machine", hint=hint)
        return source

    def find_served(self, name: str, role: "ModelRole") -> ServedModel:
        """Return a served model, with the manifest of its name or of the best known of its role.

        The settings may lower its context to the one that the server allows.

        Raises:
            UsageError: it is no address of a model.
            InputError: its key cannot be read.
        """
        from memcli.backends.server.endpoint import Limits, parse_endpoint, read_key

        server = self._settings.server_for(name)
        key_file = Path(server.key_file) if server.key_file else None
        key = read_key(variable=server.key_env, file=key_file, note=note)
        manifest = self._served_manifest(name.partition("#")[2], role)
        if server.context:
            manifest = replace(manifest, context=min(manifest.context, server.context))
        is_memos = name.partition("#")[0].rstrip("/") == memos_address().rstrip("/")
        limits = Limits(max_request_tokens=_MEMOS_TOKENS if is_memos else 0)
        endpoint = parse_endpoint(
            name, key=key, scheme=server.scheme, redact=server.redact, limits=limits
        )
        return ServedModel(endpoint, manifest)

    def _served_manifest(self, name: str, role: "ModelRole") -> "Manifest":
        known = self._catalog.manifests.get(name)
        if known is not None and known.role == role:
            return known
        if role == "embedder":  # one without prefixes: those of another embedder do not fit
            from memcli.catalog import Manifest

            return Manifest(name=name, role=role, context=0)
        return self._catalog.manifest_like(role)

    def _local(self, name: str, role: "ModelRole") -> "Weights":
        """Return the weights of this name, unless they are known to be bad."""
        weights = self._catalog.locate(name, role)
        match weights_state(weights):
            case "failed":
                raise BackendError(
                    f"{name} is not used: it did not pass its verification",
                    hint=f"`mem models verify {name}` says why",
                )
            case "changed":
                raise BackendError(
                    f"{name} is not used: {weights.path} changed since it was verified",
                    hint=f"`mem models verify {name}` verifies it again",
                )
            case "unverified":
                note(f"{name} is unverified: {_verify_hint(weights, name)}")
        return weights


def load_catalog() -> "Catalog":
    """Return the known models, and those of them on this machine."""
    from memcli.catalog import Catalog

    return Catalog(models_folder(), manifests_folder())


def is_address(name: str) -> bool:
    """Return whether a model is named by the address of its server."""
    return name.startswith(("http://", "https://"))


def sift_wording(source: ModelSource) -> str:
    """Return the prompt of a sifter: in its authors' words if they were fetched."""
    from memcli.weights.hub.prompt_wording import authors_wording

    known = source.manifest
    theirs = authors_wording(models_folder(), known.name) if known.wording_url else None
    return theirs or known.prompt["message"]


def weights_state(weights: "Weights") -> "VerificationState":
    """Return whether weights were verified, without reading all of them.

    Raises:
        BackendError: the file is damaged.
    """
    from memcli.weights.record import read_record, verification_state, weights_digest

    digest = weights_digest(weights.path, check=check_cached)
    record = read_record(weights_record_path(weights))
    return verification_state(weights.path, record, lambda: digest)


def weights_record_path(weights: "Weights") -> Path:
    """Return the path of the record of weights: beside them, or by name for a person's own file."""
    from memcli.weights.record import record_path

    if weights.manifest.file:
        return models_folder() / f"{weights.manifest.name}.json"
    return record_path(weights.path)


def _verify_hint(weights: "Weights", name: str) -> str:
    if weights.path.parent == models_folder() or weights.manifest.file:
        return f"`mem models verify {weights.manifest.name}`"
    return f"`mem models add {name} --role {weights.manifest.role}` verifies it"
