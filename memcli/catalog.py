"""The models memcli knows, one manifest each, and where their files are.

A manifest is a TOML file in `models/`. It says what role a model plays and in which words it was
taught to play it; the weights are never part of memcli.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from memcli.errors import ModelNotFoundError, UsageError
from memcli.protocols import RerankPrompt, Sampling

ModelRole = Literal["reranker", "sifter"]

# A GGUF file that no manifest names is spoken to as the model of its role that we know best.
_MODEL_OF_ROLE: dict[ModelRole, str] = {"reranker": "memreranker-4b", "sifter": "memsifter-4b"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A known model. `prompt` holds the wire format of its role."""

    name: str
    role: ModelRole
    repository: str
    revision: str
    licence: str
    context: int  # tokens
    prompt: Mapping[str, str]
    sampling: Sampling

    def rerank_prompt(self) -> RerankPrompt:
        """Return how a reranker is asked."""
        return RerankPrompt(**self.prompt, context=self.context)


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights, and the manifest that says how to speak to it."""

    path: Path
    manifest: Manifest


@cache
def manifests() -> dict[str, Manifest]:
    """Return every known model by its name."""
    inside, beside = Path(__file__).parent / "models", Path(__file__).parents[1] / "models"
    folder = inside if inside.is_dir() else beside  # a wheel has them inside, a checkout beside
    read = (tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml")))
    return {found["name"]: _manifest(found) for found in read}


def locate(named: str, role: ModelRole, folder: Path) -> Weights:
    """Return the weights a person means by a name or a path.

    Args:
        named: the name of a manifest, or the path of a GGUF file.
        role: what the model is to do.
        folder: where models are kept: `<name>*.gguf` there belongs to the manifest of that name.

    Raises:
        ModelNotFoundError: no file is where it should be.
        UsageError: the model of this name plays another role.
    """
    known = manifests().get(named)
    if known is None:
        path = Path(named).expanduser()
        if not path.is_file():
            names = ", ".join(name for name, each in manifests().items() if each.role == role)
            raise ModelNotFoundError(
                f"no {role} file at {named}",
                hint=f"give the path of a GGUF file, or one of {names}",
            )
        return Weights(path, manifests()[_MODEL_OF_ROLE[role]])
    if known.role != role:
        raise UsageError(f"`{named}` is a {known.role}, not a {role}")
    files = sorted(folder.glob(f"{named}*.gguf"))
    if not files:
        raise ModelNotFoundError(
            f"{named} is not on this machine",
            hint=f"put a GGUF of {known.repository} at {folder / named}.gguf",
        )
    return Weights(files[0], known)


def installed(role: ModelRole, folder: Path) -> str | None:
    """Return the name of a model of this role that is on this machine, None where none is.

    Of several, the one that memcli knows best, then by name.
    """
    names = [name for name, each in manifests().items() if each.role == role]
    names.sort(key=lambda name: name != _MODEL_OF_ROLE[role])
    return next((name for name in names if any(folder.glob(f"{name}*.gguf"))), None)


def _manifest(found: Mapping[str, Any]) -> Manifest:
    return Manifest(
        name=found["name"],
        role=found["role"],
        repository=found["repository"],
        revision=found["revision"],
        licence=found["licence"],
        context=found["context"],
        prompt=found["prompt"],
        sampling=Sampling(**found.get("sampling", {})),
    )
