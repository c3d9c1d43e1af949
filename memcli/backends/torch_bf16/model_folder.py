"""Whether a folder holds a whole model, before a library reads it."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from memcli.errors import BackendError, ModelNotFoundError

_MIB = 1024 * 1024
_SAMPLES, _SAMPLE_BYTES = 64, 4096
_LONGEST_HEADER = 100_000_000  # bytes; the format allows no more
_SMALL = {".json", ".txt", ".jinja", ".model"}  # files beside the weights that change what is said


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """A model whose files are as long as they say.

    `digest` stands for the contents: all of the small files, and of the weights length, header and
    samples. It tells models apart; it does not prove that no bit has flipped.
    """

    path: Path
    digest: str
    context: int | None  # tokens the model was trained on
    dimensions: int | None  # of its hidden state


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
        config = _json(folder / "config.json")
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SMALL and path.is_file():
                digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
        for path in _weights(folder):
            digest.update(_sampled(path))
    except OSError as error:
        raise BackendError(
            f"{error.filename or folder} cannot be read: {error.strerror}"
        ) from error
    context, dimensions = (config.get(key) for key in ("max_position_embeddings", "hidden_size"))
    return CheckedFolder(
        folder,
        digest.hexdigest(),
        context if isinstance(context, int) else None,
        dimensions if isinstance(dimensions, int) else None,
    )


def _weights(folder: Path) -> list[Path]:
    """Return the files of weights that the folder's index, or habit, names."""
    index = folder / "model.safetensors.index.json"
    names = {"model.safetensors"}
    if index.is_file():
        table = _json(index).get("weight_map")
        if not isinstance(table, dict) or not table:
            raise _broken(index, "it names no files")
        names = {str(name) for name in table.values()}
    for name in sorted(names):
        if not (folder / name).is_file() or Path(name).name != name:
            raise ModelNotFoundError(
                f"{folder} has no {name}", hint="`mem models pull` fetches what is missing"
            )
    return [folder / name for name in sorted(names)]


def _sampled(path: Path) -> bytes:
    """Return what tells a file of weights from another, once it is as long as its header says."""
    digest, size = blake2b(digest_size=16), path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 + length or length > _LONGEST_HEADER:
            raise _broken(path, "it is cut short, or no safetensors file")
        header = file.read(length)
        missing = 8 + length + _end(path, header) - size
        if missing:
            raise _broken(
                path, f"{abs(missing):,} bytes are {'missing' if missing > 0 else 'left over'}"
            )
        digest.update(header)
        for sample in range(_SAMPLES):
            file.seek(size * sample // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
        file.seek(max(0, size - _MIB))
        digest.update(file.read())
    return digest.digest()


def _end(path: Path, header: bytes) -> int:
    """Return where the last tensor ends, counted from the first."""
    try:
        tensors = [each for name, each in json.loads(header).items() if name != "__metadata__"]
        return max((int(each["data_offsets"][1]) for each in tensors), default=0)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _broken(path, "its header makes no sense") from error


def _json(path: Path) -> dict[str, Any]:  # Any: as JSON has it
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _broken(path, "it is no JSON") from error
    if not isinstance(content, dict):
        raise _broken(path, "it is no JSON object")
    return content


def _broken(path: Path, why: str) -> BackendError:
    return BackendError(f"{path} cannot be used: {why}", hint="`mem models pull` fetches it again")
