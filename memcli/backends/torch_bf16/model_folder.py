"""Checks that a folder holds a whole model, before a library reads it."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

from memcli.backends.safetensors_header import read_safetensors_header
from memcli.errors import BackendError, ModelNotFoundError
from memcli.lazy_dataclasses import dataclass

_MIB = 1024 * 1024
_SAMPLES, _SAMPLE_BYTES = 64, 4096
_SMALL_SUFFIXES = {".json", ".txt", ".jinja", ".model"}  # files that change a model's answers
_PULL_HINT = "`mem models pull` fetches it again"


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """A model whose files are as long as they say.

    `digest` stands for the contents: all of the small files, and of the weights length, header and
    samples. It tells models apart; it does not prove that no bit has flipped.
    """

    path: Path
    digest: str
    context: int | None  # tokens that the model was trained on
    dimensions: int | None  # the size of its hidden state


def check_folder(folder: Path) -> CheckedFolder:
    """Return the folder once every file of weights has been found whole.

    Raises:
        ModelNotFoundError: there is no such folder, or no model in it.
        BackendError: a file is damaged or cannot be read.
    """
    if not (folder / "config.json").is_file():
        raise ModelNotFoundError(
            f"no model in {folder}", hint="`mem models list` shows the models on this machine"
        )
    digest = blake2b(digest_size=16)
    try:
        config = _read_json(folder / "config.json")
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SMALL_SUFFIXES and path.is_file():
                digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
        for path in _weight_files(folder):
            digest.update(_digest_weights(path))
    except OSError as error:
        raise BackendError(
            f"{error.filename or folder} cannot be read: {error.strerror}"
        ) from error
    context, dimensions = (config.get(key) for key in ("max_position_embeddings", "hidden_size"))
    return CheckedFolder(
        folder,
        digest.hexdigest(),
        context=context if isinstance(context, int) else None,
        dimensions=dimensions if isinstance(dimensions, int) else None,
    )


def _weight_files(folder: Path) -> list[Path]:
    """Return the files of weights that the folder's index names, or the one usual name."""
    index = folder / "model.safetensors.index.json"
    names = {"model.safetensors"}
    if index.is_file():
        table = _read_json(index).get("weight_map")
        if not isinstance(table, dict) or not table:
            raise _unusable(index, "it names no files")
        names = {str(name) for name in table.values()}
    for name in sorted(names):
        if not (folder / name).is_file() or Path(name).name != name:
            raise ModelNotFoundError(
                f"{folder} has no {name}", hint="`mem models pull` fetches what is missing"
            )
    return [folder / name for name in sorted(names)]


def _digest_weights(path: Path) -> bytes:
    """Return a digest of header and samples of a file that is as long as its header says."""
    try:
        header = read_safetensors_header(path)
    except BackendError as error:
        raise BackendError(str(error), hint=_PULL_HINT) from error
    digest, size = blake2b(header.content, digest_size=16), path.stat().st_size
    with path.open("rb") as file:
        for sample in range(_SAMPLES):
            file.seek(size * sample // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
        file.seek(max(0, size - _MIB))
        digest.update(file.read())
    return digest.digest()


def _read_json(path: Path) -> dict[str, Any]:  # Any: as JSON has it
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _unusable(path, "it is not JSON") from error
    if not isinstance(content, dict):
        raise _unusable(path, "it is not a JSON object")
    return content


def _unusable(path: Path, why: str) -> BackendError:
    return BackendError(f"{path} cannot be used: {why}", hint=_PULL_HINT)
