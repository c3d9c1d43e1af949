"""Known models, and which of them are on this machine."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from memcli.catalog.manifest import Manifest, ModelRole
from memcli.catalog.manifest_parser import read_manifests
from memcli.errors import ModelNotFoundError, UsageError

# Of several models on this machine the best known of its role is taken, and weights that no
# manifest names are spoken to as it is.
_BEST_KNOWN: dict[ModelRole, str] = {
    "embedder": "bge-m3",
    "reranker": "memreranker-4b",
    "sifter": "memsifter-4b",
    "reader": "memreader-4b",
    "chat": "qwen3-4b-instruct-2507",
}
TORCH = "torch"  # what stands for the quantization of a folder of safetensors
_QUANTIZATION = re.compile(r"(?:I?Q\d\w*|B?F16|F32)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights on this machine, and the manifest that says how to speak to them.

    `path` is a GGUF file, or a folder of safetensors for the torch backend.
    """

    path: Path
    manifest: Manifest

    @property
    def quantization(self) -> str:
        """How the weights are written, as far as the file's name tells."""
        if self.path.name.startswith(self.manifest.name):
            return self.stem[len(self.manifest.name) + 1 :]
        found = _QUANTIZATION.search(self.stem)
        return found[0].upper() if found else ""

    @property
    def stem(self) -> str:
        """What the file is called without `.gguf`; a folder's whole name, dots and all."""
        return self.path.name.removesuffix(".gguf")

    @property
    def is_torch(self) -> bool:
        """Whether they are a folder of safetensors."""
        return self.path.is_dir()


class Catalog:
    """What memcli and the person know of models.

    Args:
        folder: where weights are kept: `<name>-<quantization>.gguf`, `<name>.gguf`, or a folder
            `<name>-torch` of safetensors.
        own: the person's own manifests, which add to ours or go before them.
    """

    def __init__(self, folder: Path, own: Path) -> None:
        self.folder, self.own = folder, own

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """Every known model by its name.

        Raises:
            InputError: a manifest of the person's says something it should not.
        """
        inside, beside = Path(__file__).parents[1] / "models", Path(__file__).parents[2] / "models"
        # A wheel has them inside, a checkout beside.
        return read_manifests(inside if inside.is_dir() else beside, self.own)

    @cached_property
    def weights(self) -> list[Weights]:
        """All weights on this machine that belong to a known model, the newest first."""
        found = list(self._own_files())
        entries = self.folder.iterdir() if self.folder.is_dir() else ()
        for path in entries:
            name = self._name_of(path)
            if name:
                found.append(Weights(path, self.manifests[name]))
        return sorted(found, key=lambda one: (-one.path.stat().st_mtime_ns, one.path))

    def manifest(self, name: str) -> Manifest:
        """Return a known model.

        Raises:
            ModelNotFoundError: there is none of this name.
        """
        if name not in self.manifests:
            raise ModelNotFoundError(
                f"no model is called {name}", hint="`mem models list` shows those that are known"
            )
        return self.manifests[name]

    def installed(self, role: ModelRole) -> str | None:
        """Return the name of a model of this role that is on this machine, None where none is."""
        names = sorted({one.manifest.name for one in self.weights if one.manifest.role == role})
        best = _BEST_KNOWN.get(role)
        return best if best in names else next(iter(names), None)

    def locate(self, named: str, role: ModelRole) -> Weights:
        """Return the weights a person means.

        Args:
            named: the name of a model, of a file in the models folder without its ending
                (`memsifter-4b-Q8_0`), or the path of a GGUF file or a folder of safetensors.
            role: what the model is to do.

        Raises:
            ModelNotFoundError: nothing is where it should be.
            UsageError: the model of this name plays another role.
        """
        for one in self.weights:
            if named in (one.manifest.name, one.stem):
                return _playing(one, role)
        if named in self.manifests:
            known = self.manifests[named]
            _playing(Weights(self.folder, known), role)
            raise ModelNotFoundError(f"{named} is not on this machine", hint=_how_to_get(known))
        return self._at(Path(named).expanduser(), role)

    def like(self, role: ModelRole, named: str | None = None) -> Manifest:
        """Return how weights of this role are spoken to that no manifest names.

        Args:
            role: what they are to do.
            named: a model they are like; None takes the best known of the role.

        Raises:
            ModelNotFoundError: no model has this name.
            UsageError: the model plays another role; or none is named, and every model of this
                role is spoken to in its own way.
        """
        if named is None and role == "embedder":
            names = [name for name, each in self.manifests.items() if each.role == role]
            raise UsageError(
                f"a file alone does not say how to use it as {role}",
                hint=f"name a model that it is like, with `--like`: {', '.join(names)}",
            )
        known = self.manifest(named or _BEST_KNOWN[role])
        _playing(Weights(self.folder, known), role)
        checks = tuple(replace(check, scores=()) for check in known.checks)
        # What is true of those weights alone is not taken over.
        return Manifest(
            name=known.name,
            role=role,
            context=known.context,
            prompt=known.prompt,
            sampling=known.sampling,
            embedding=known.embedding,
            checks=checks,
        )

    def _at(self, path: Path, role: ModelRole) -> Weights:
        """Return the weights at a path, with the manifest that names this path if there is one."""
        if not path.is_file() and not (path / "config.json").is_file():
            names = (name for name, each in self.manifests.items() if each.role == role)
            raise ModelNotFoundError(
                f"no {role} file at {path}",
                hint=f"give the path of a GGUF file, or one of {', '.join(names)}",
            )
        for one in self.weights:
            if one.manifest.role == role and one.path.samefile(path):
                return one
        return Weights(path, self.like(role))

    def _own_files(self) -> Iterator[Weights]:
        for each in self.manifests.values():
            if each.file and Path(each.file).expanduser().exists():
                yield Weights(Path(each.file).expanduser(), each)

    def _name_of(self, path: Path) -> str | None:
        """Return the model that an entry of the folder belongs to by its name: the longest."""
        if not (path.suffix == ".gguf" and path.is_file()) and not (path / "config.json").is_file():
            return None
        stem = path.name.removesuffix(".gguf")
        names = (
            name
            for name in self.manifests
            if stem.startswith(name) and stem[len(name) : len(name) + 1] in ("", "-", ".", "_")
        )
        return max(names, key=len, default=None)


def _playing(weights: Weights, role: ModelRole) -> Weights:
    if weights.manifest.role != role:
        name = weights.manifest.name
        article = "an" if role.startswith("e") else "a"
        raise UsageError(f"`{name}` is a {weights.manifest.role}, not {article} {role}")
    return weights


def _how_to_get(known: Manifest) -> str:
    if known.file:
        return f"it should be at {known.file}"
    return f"`mem models pull {known.name}`"
