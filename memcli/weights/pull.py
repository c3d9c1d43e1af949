"""From a hub repository to weights that can be trusted.

    list       the files of the repository, which must match those of the first pull
    download   into the hub's cache, continued where it stopped
    convert    safetensors to F16, in a work folder inside the models folder
    quantize   in the work folder, too
    verify     in the work folder, too; weights with a fault are removed
    install    by a rename

Every step leaves a file that is whole or absent, and a record of its origin: a pull that was
killed continues where it was, and a finished one has nothing to do.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from memcli.callbacks import NoteCallback, ignore
from memcli.catalog import TORCH, Manifest, PublishedFile, Weights
from memcli.errors import BackendError, BusyError, ModelNotFoundError, UsageError
from memcli.files import locked_atomic_write
from memcli.lazy_dataclasses import dataclass, replace
from memcli.weights.hub.download import check_room, download_files
from memcli.weights.hub.listing import Listing
from memcli.weights.hub.pins import pinned_listing
from memcli.weights.recommend import BITS, CONVERTED
from memcli.weights.record import (
    WeightsRecord,
    describe_file,
    read_record,
    record_path,
    verification_state,
    weights_digest,
    write_record,
)
from memcli.weights.verify_model import StepProgress, verify_weights

F16 = "F16"


@dataclass(frozen=True, slots=True)
class PullOptions:
    """The options that every step of a pull has.

    Args:
        folder: the folder of models.
        progress: called with the name of a step and how far it is.
        note: called with a sentence about a model that runs otherwise than requested.
        update: whether to take the hub's current version if it differs from the first one.
    """

    folder: Path
    progress: StepProgress = ignore
    note: NoteCallback = ignore
    update: bool = False

    @property
    def work(self) -> Path:
        """The folder of intermediates."""
        return self.folder / ".work"

    def step_progress(self, step: str) -> Callable[[int, int], None]:
        """Return the progress callback of one step."""
        return lambda done, total: self.progress(step, done, total)


@dataclass(frozen=True, slots=True)
class PulledModel:
    """Weights that are on this machine now."""

    weights: Weights
    record: WeightsRecord
    was_installed: bool  # before the pull, which then had nothing to do


def pull_gguf(
    manifest: Manifest, quantization: str, options: PullOptions, *, keep_f16: bool = False
) -> PulledModel:
    """Download, convert, quantize, verify and install a model as a GGUF file.

    Args:
        manifest: the manifest of the model.
        quantization: such as Q4_K_M; F16, BF16 and F32 are only converted.
        options: the folder of models, and callbacks.
        keep_f16: whether to install also the F16 file that is quantized.

    Raises:
        UsageError: the quantization is unknown.
        ModelNotFoundError: the hub does not have the model, cannot be reached, or has another
            file now; or the disk has no room.
        BackendError: the model cannot be converted, or did not pass its verification.
        BusyError: another process is pulling the same model.
    """
    if quantization not in BITS:
        raise UsageError(
            f"`{quantization}` is not a quantization", hint=f"one of {', '.join(BITS)}"
        )
    with lock_model(manifest, options):
        published = manifest.gguf.get(quantization)
        if published:
            source = _published_file(manifest, published, options)
            return _install(manifest, quantization, source, options, sha256=published.sha256)
        source = _checkpoint(manifest, options)
        if keep_f16 and quantization not in CONVERTED:
            _install(manifest, F16, source, options)
        return _install(manifest, quantization, source, options)


def pull_checkpoint(manifest: Manifest, options: PullOptions) -> PulledModel:
    """Download and verify a model as its authors published it, for the torch backend.

    The files stay in the hub's cache; the models folder has a link to them.

    Raises:
        ModelNotFoundError: see `pull_gguf`.
        BackendError: torch is not installed, or the model did not pass its verification.
        BusyError: another process is pulling the same model.
    """
    with lock_model(manifest, options):
        return _install(manifest, TORCH, _checkpoint(manifest, options), options)


@contextmanager
def lock_model(manifest: Manifest, options: PullOptions) -> Iterator[None]:
    """Keep other processes from pulling this model.

    Raises:
        BusyError: another process is pulling it.
    """
    options.work.mkdir(parents=True, exist_ok=True)
    with (options.work / f"{manifest.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"another process is pulling {manifest.name}") from error
        yield


@dataclass(frozen=True, slots=True)
class _Source:
    """The files of a model at one commit of a repository."""

    listing: Listing
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.listing.files if file.name in self.names)

    @property
    def is_gguf(self) -> bool:
        """True if it is one GGUF file, False if it is a checkpoint."""
        return self.names[0].endswith(".gguf")

    def download(self, options: PullOptions) -> Path:
        """Download the files, and return their folder."""
        repository = self.listing.repository

        def progress(name: str, done: int, total: int) -> None:
            options.progress(f"{repository}: {name}", done, total)

        return download_files(self.listing, self.names, progress=progress)


def _checkpoint(manifest: Manifest, options: PullOptions) -> _Source:
    hint = f"`--quant {next(iter(manifest.gguf))}`" if manifest.gguf else None
    if not manifest.repository:
        raise ModelNotFoundError(
            f"{manifest.name} is published in no form that can be converted", hint=hint
        )
    listing = _pinned_listing(manifest, manifest.repository, manifest.revision, options)
    names = tuple(
        file.name
        for file in listing.files
        if any(
            fnmatchcase(file.name, pattern) and file.name.count("/") == pattern.count("/")
            for pattern in manifest.files
        )
    )
    if not any(name.endswith(".safetensors") for name in names):
        raise ModelNotFoundError(
            f"{listing.repository} has no safetensors at {listing.commit}", hint=hint
        )
    return _Source(listing, names)


def _published_file(manifest: Manifest, published: PublishedFile, options: PullOptions) -> _Source:
    listing = _pinned_listing(manifest, published.repository, published.revision, options)
    checksums = {file.name: file.sha256 for file in listing.files}
    if published.file not in checksums:
        raise ModelNotFoundError(f"{listing.repository} has no {published.file}")
    if checksums[published.file] != published.sha256:
        raise ModelNotFoundError(
            f"{published.file} of {listing.repository} has the SHA-256"
            f" {checksums[published.file]}, and {manifest.name} should have {published.sha256}"
        )
    return _Source(listing, (published.file,))


def _pinned_listing(
    manifest: Manifest, repository: str, revision: str, options: PullOptions
) -> Listing:
    pins_file = options.folder / f"{manifest.name}.source.json"
    return pinned_listing(pins_file, repository, revision, update=options.update)


def _install(
    manifest: Manifest,
    quantization: str,
    source: _Source,
    options: PullOptions,
    *,
    sha256: str = "",
) -> PulledModel:
    """Make, verify and install one file; do nothing if it is installed and verified."""
    suffix = "" if quantization == TORCH else ".gguf"
    target = options.folder / f"{manifest.name}-{quantization}{suffix}"
    origin = WeightsRecord(
        manifest.name, quantization, source.listing.repository, source.listing.commit, sha256
    )
    record = read_record(record_path(target))
    if record and _is_installed(target, record, origin):
        return PulledModel(Weights(target, manifest), record, was_installed=True)
    made = options.work / target.name
    if not _is_made(made, origin):
        _make(source, made, origin, options)
    record = _verify_and_move(made, target, manifest, origin, options)
    return PulledModel(Weights(target, manifest), record, was_installed=False)


def _is_installed(target: Path, record: WeightsRecord, origin: WeightsRecord) -> bool:
    """Return whether the weights of this origin are in their place, verified and unchanged."""
    if not target.exists() or not _same_origin(record, origin):
        return False
    try:
        state = verification_state(target, record, lambda: weights_digest(target))
    except BackendError:  # the file is not whole any more
        return False
    return state == "verified"


def _is_made(made: Path, origin: WeightsRecord) -> bool:
    """Return whether an earlier pull has made this intermediate from the same commit."""
    record = read_record(record_path(made))
    return (
        record is not None
        and made.is_file()
        and record.matches(made)
        and _same_origin(record, origin)
    )


def _same_origin(record: WeightsRecord, origin: WeightsRecord) -> bool:
    return (record.repository, record.commit) == (origin.repository, origin.commit)


def _make(source: _Source, made: Path, origin: WeightsRecord, options: PullOptions) -> None:
    """Make an intermediate, whole or not at all, and record its origin."""
    options.work.mkdir(parents=True, exist_ok=True)
    if origin.quantization == TORCH:
        made.unlink(missing_ok=True)
        made.symlink_to(source.download(options), target_is_directory=True)
        return
    if source.is_gguf:
        _link_or_copy(source.download(options) / source.names[0], made)
    elif origin.quantization in CONVERTED:
        _convert(source, made, origin, options)
    else:
        _quantize(source, made, origin, options)
    write_record(describe_file(origin, made, sha256=origin.sha256, digest=""), record_path(made))


def _link_or_copy(file: Path, made: Path) -> None:
    """Link a published file of the cache, so that it takes its room once; copy it if need be."""
    made.unlink(missing_ok=True)
    try:
        os.link(file.resolve(), made)
    except OSError:  # the cache is on another disk, or on one without links
        check_room(made.parent, file.stat().st_size)
        with locked_atomic_write(made) as part:
            shutil.copyfile(file, part)


def _convert(source: _Source, made: Path, origin: WeightsRecord, options: PullOptions) -> None:
    from memcli.weights.convert.gguf_writer import convert_checkpoint

    # A checkpoint has two bytes a weight.
    needed = round(source.size * (BITS[origin.quantization] / 16))
    check_room(made.parent, needed)
    folder = source.download(options)
    check_room(made.parent, needed)  # the download may have taken room on this disk
    convert_checkpoint(
        folder,
        made,
        dtype=CONVERTED[origin.quantization],
        progress=options.step_progress(f"{origin.name}: convert to {origin.quantization}"),
    )


def _quantize(source: _Source, made: Path, origin: WeightsRecord, options: PullOptions) -> None:
    """Quantize the F16 file: the installed one, or one that is made for it."""
    from memcli.backends.llama.quantize import quantize

    f16_origin = replace(origin, quantization=F16)
    name = f"{origin.name}-{F16}.gguf"
    candidates = (options.folder / name, options.work / name)
    f16_file = next((path for path in candidates if _is_made(path, f16_origin)), None)
    smaller = BITS[origin.quantization] / 16
    if f16_file is None:
        check_room(made.parent, round(source.size * (1 + smaller)))
        f16_file = options.work / name
        _make(source, f16_file, f16_origin, options)
    check_room(made.parent, round(f16_file.stat().st_size * smaller))
    progress = options.step_progress(f"{origin.name}: quantize to {origin.quantization}")
    with locked_atomic_write(made) as part:
        quantize(f16_file, part, origin.quantization, progress=progress)


def _verify_and_move(
    made: Path, target: Path, manifest: Manifest, origin: WeightsRecord, options: PullOptions
) -> WeightsRecord:
    """Verify an intermediate and move it to its place; one with a fault is removed."""
    record = verify_weights(
        Weights(made, manifest), origin, progress=options.progress, note=options.note
    )
    passed = record.verdict is not None and record.verdict.passed
    if passed:
        write_record(record, record_path(target))
        made.replace(target)
    _remove_intermediates(options, manifest)
    if not passed:
        raise BackendError(
            f"{target.stem} did not pass its verification and is not installed: "
            + "; ".join(record.verdict.faults[:2] if record.verdict else ())
        )
    return record


def _remove_intermediates(options: PullOptions, manifest: Manifest) -> None:
    for path in options.work.glob("*"):
        stem = path.name.removesuffix(".gguf").removesuffix(".json")
        if stem.rpartition("-")[0] == manifest.name:
            path.unlink()
