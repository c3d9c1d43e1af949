"""The known models, and those of them on this machine."""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from memcli.catalog.manifest import Manifest, ModelRole
from memcli.catalog.manifest_parser import read_manifests
from memcli.errors import ModelNotFoundError, UsageError, suggest_near
from memcli.lazy_dataclasses import dataclass, replace

# Of several installed models of a role the default is used, and weights without a manifest are
# prompted like it.
_DEFAULT_MODELS: dict[ModelRole, str] = {
    "embedder": "bge-m3",
    "reranker": "memreranker-4b",
    "sifter": "memsifter-4b",
    "reader": "memreader-4b",
    "chat": "qwen3-4b-instruct-2507",
}
TORCH = "torch"  # stands for the quantization of a folder of safetensors
_QUANTIZATION = re.compile(r"(?:I?Q\d\w*|B?F16|F32)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights on this machine, and the manifest that says how to prompt them.

    `path` is a GGUF file, or a folder of safetensors for the torch backend.
    """

    path: Path
    manifest: Manifest

    @property
    def quantization(self) -> str:
        """The quantization according to the file's name, empty if the name has none."""
        if self.path.name.startswith(self.manifest.name):
            return self.stem[len(self.manifest.name) + 1 :]
        found = _QUANTIZATION.search(self.stem)
        return found[0].upper() if found else ""

    @property
    def stem(self) -> str:
        """The file's name without `.gguf`; a folder's whole name, dots included."""
        return self.path.name.removesuffix(".gguf")

    @property
    def is_torch(self) -> bool:
        """True if the weights are a folder of safetensors."""
        return self.path.is_dir()


class Catalog:
    """The manifests of memcli and of the person, and the weights on this machine.

    Args:
        folder: the folder of weights: `<name>-<quantization>.gguf`, `<name>.gguf`, or a folder
            `<name>-torch` of safetensors.
        own: the folder of the person's own manifests, which add to ours or override them.
    """

    def __init__(self, folder: Path, own: Path) -> None:
        self.folder, self.own = folder, own

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """Every known model by its name.

        Raises:
            InputError: one of the person's manifests is invalid.
        """
        # A wheel has our manifests inside the package, a checkout beside it.
        inside, beside = Path(__file__).parents[1] / "models", Path(__file__).parents[2] / "models"
        return read_manifests(inside if inside.is_dir() else beside, self.own)

    @cached_property
    def weights(self) -> list[Weights]:
        """All weights on this machine that belong to a known model, the newest first."""
        found = list(self._added_files())
        entries = self.folder.iterdir() if self.folder.is_dir() else ()
        for path in entries:
            name = self._name_of(path)
            if name:
                found.append(Weights(path, self.manifests[name]))
        return sorted(found, key=lambda one: (-one.path.stat().st_mtime_ns, one.path))

    def manifest(self, name: str) -> Manifest:
        """Return the manifest of a model.

        Raises:
            ModelNotFoundError: no model has this name.
        """
        if name not in self.manifests:
            known = "`mem models list` shows the known models"
            raise ModelNotFoundError(
                f"no model is called {name}", hint=suggest_near(name, self.manifests, known)
            )
        return self.manifests[name]

    def installed_name(self, role: ModelRole) -> str | None:
        """Return the name of the model of this role on this machine, None if there is none."""
        names = sorted({one.manifest.name for one in self.weights if one.manifest.role == role})
        default = _DEFAULT_MODELS.get(role)
        return default if default in names else next(iter(names), None)

    def locate(self, name: str, role: ModelRole) -> Weights:
        """Return the weights that a person names.

        Args:
            name: the name of a model, of a file in the models folder without its ending
                (`memsifter-4b-Q8_0`), or the path of a GGUF file or a folder of safetensors.
            role: the task of the model.

        Raises:
            ModelNotFoundError: the weights are not on this machine.
            UsageError: the model of this name has another role.
        """
        for one in self.weights:
            if name in (one.manifest.name, one.stem):
                _check_role(one.manifest, role)
                return one
        if name in self.manifests:
            known = self.manifests[name]
            _check_role(known, role)
            raise ModelNotFoundError(f"{name} is not on this machine", hint=_install_hint(known))
        return self._at_path(Path(name).expanduser(), role)

    def manifest_like(self, role: ModelRole, name: str | None = None) -> Manifest:
        """Return a manifest for weights that have none: the prompts of a known model of the role.

        Args:
            role: the task of the weights.
            name: the known model; None takes the default model of the role.

        Raises:
            ModelNotFoundError: no model has this name.
            UsageError: the model has another role; or none is named, and every model of the role
                is prompted in its own way.
        """
        if name is None and role == "embedder":
            names = [each.name for each in self.manifests.values() if each.role == role]
            raise UsageError(
                f"a file alone does not say how to use it as {role}",
                hint=f"name the known model it is like, with `--like`: {', '.join(names)}",
            )
        known = self.manifest(name or _DEFAULT_MODELS[role])
        _check_role(known, role)
        checks = tuple(replace(check, scores=()) for check in known.checks)
        # Facts about the known model's own weights, such as scores, are not taken over.
        return Manifest(
            name=known.name,
            role=role,
            context=known.context,
            prompt=known.prompt,
            sampling=known.sampling,
            thought_tokens=known.thought_tokens,
            sources=known.sources,
            embedding=known.embedding,
            checks=checks,
        )

    def _at_path(self, path: Path, role: ModelRole) -> Weights:
        """Return the weights at a path, with the manifest that names the path if there is one."""
        if not path.is_file() and not (path / "config.json").is_file():
            names = [name for name, each in self.manifests.items() if each.role == role]
            known = f"give the path of a GGUF file, or one of {', '.join(names)}"
            raise ModelNotFoundError(
                f"no {role} file at {path}", hint=suggest_near(str(path), names, known)
            )
        for one in self.weights:
            if one.manifest.role == role and one.path.samefile(path):
                return one
        return Weights(path, self.manifest_like(role))

    def _added_files(self) -> Iterator[Weights]:
        for each in self.manifests.values():
            if each.file and Path(each.file).expanduser().exists():
                yield Weights(Path(each.file).expanduser(), each)

    def _name_of(self, path: Path) -> str | None:
        """Return the model's name that an entry of the folder begins with: the longest of them."""
        if not (path.suffix == ".gguf" and path.is_file()) and not (path / "config.json").is_file():
            return None
        stem = path.name.removesuffix(".gguf")
        names = (
            name
            for name in self.manifests
            if stem.startswith(name) and stem[len(name) : len(name) + 1] in ("", "-", ".", "_")
        )
        return max(names, key=len, default=None)


def _check_role(manifest: Manifest, role: ModelRole) -> None:
    if manifest.role != role:
        article = "an" if role.startswith("e") else "a"
        raise UsageError(f"`{manifest.name}` is a {manifest.role}, not {article} {role}")


def _install_hint(known: Manifest) -> str:
    if known.file:
        return f"it should be at {known.file}"
    return f"`mem models pull {known.name}`"
