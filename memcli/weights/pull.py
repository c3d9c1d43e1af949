"""From a hub repository to weights that can be trusted.

    listing    what the hub has, held to what it had the first time
    download   into the hub's cache, resumed where it stopped
    convert    safetensors to F16, in a work folder inside the models folder
    quantize   there, too
    verify     there, too; what fails goes no further
    install    a rename

Every step leaves a file that is whole or absent, and a record of what it was made from: a pull
that was killed goes on where it was, and one that was finished does nothing.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from memcli.catalog import TORCH, Manifest, PublishedFile, Weights
from memcli.errors import BackendError, BusyError, ModelNotFoundError, UsageError
from memcli.files import whole_file
from memcli.weights.hub.download import check_room, download_files
from memcli.weights.hub.listing import Listing
from memcli.weights.hub.pins import pinned_listing
from memcli.weights.recommend import BITS, CONVERTED
from memcli.weights.record import (
    Record,
    beside,
    of_file,
    read_record,
    state_of,
    write_record,
)
from memcli.weights.verify_model import Inspector, Progress, verify

WORK = ".work"  # folder of intermediates, in the models folder
F16 = "F16"


class Quantize(Protocol):
    """Writes a GGUF file again, smaller; where it fails, some of the target may be there."""

    def __call__(
        self, source: Path, target: Path, kind: str, *, progress: Callable[[int, int], None]
    ) -> None:
        """Raise BackendError if it fails."""
        ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """What pulling is handed: the folder of models, what verifies, what quantizes, who is told."""

    folder: Path
    inspector: Inspector
    quantize: Quantize
    progress: Progress = lambda _what, _done, _of: None

    @property
    def work(self) -> Path:
        """The folder of intermediates."""
        return self.folder / WORK

    def telling(self, what: str) -> Callable[[int, int], None]:
        """Return who is told how far one thing is."""
        return lambda done, of: self.progress(what, done, of)


@dataclass(frozen=True, slots=True)
class Pulled:
    """Weights that are on this machine now."""

    weights: Weights
    record: Record
    before: bool  # whether they were there before, and nothing was left to do


def pull(
    manifest: Manifest,
    quantization: str,
    shop: Workshop,
    *,
    keep_f16: bool = False,
    update: bool = False,
) -> Pulled:
    """Fetch, convert, quantize, verify and install a model as a GGUF file.

    Args:
        manifest: of the model.
        quantization: such as Q4_K_M; F16, BF16 and F32 are converted only.
        shop: where, and with what.
        keep_f16: whether the F16 file it is quantized from is installed, too.
        update: whether to take what the hub has now, where that is not what it had first.

    Raises:
        UsageError: there is no such quantization.
        ModelNotFoundError: the hub does not have it or cannot be reached, or has another file now,
            or the disk has no room.
        BackendError: it cannot be converted, or did not pass its verification.
        BusyError: another process is pulling the same model.
    """
    if quantization not in BITS:
        raise UsageError(
            f"no quantization is called {quantization}", hint=f"known: {', '.join(BITS)}"
        )
    with _alone(shop, manifest):
        published = manifest.gguf.get(quantization)
        if published:
            source = _published(manifest, published, shop, update=update)
            return _pulled(manifest, quantization, source, shop, sha256=published.sha256)
        source = _checkpoint(manifest, shop, update=update)
        if keep_f16 and quantization not in CONVERTED:
            _pulled(manifest, F16, source, shop)
        return _pulled(manifest, quantization, source, shop)


def pull_checkpoint(manifest: Manifest, shop: Workshop, *, update: bool = False) -> Pulled:
    """Fetch and verify a model as its authors published it, for the torch backend.

    The files stay in the hub's cache; the models folder has a link to them.

    Raises:
        ModelNotFoundError: see `pull`.
        BackendError: torch is not installed, or it did not pass its verification.
        BusyError: another process is pulling the same model.
    """
    with _alone(shop, manifest):
        return _pulled(manifest, TORCH, _checkpoint(manifest, shop, update=update), shop)


@dataclass(frozen=True, slots=True)
class _Source:
    """Files of one commit of a repository."""

    listing: Listing
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(file.size for file in self.listing.files if file.name in self.names)

    @property
    def is_gguf(self) -> bool:
        """Whether it is one GGUF file, and not a checkpoint."""
        return self.names[0].endswith(".gguf")

    def fetched(self, shop: Workshop) -> Path:
        """Return the folder of the files, once they are on this machine."""
        where = self.listing.repository

        def tell(name: str, done: int, of: int) -> None:
            shop.progress(f"{where}: {name}", done, of)

        return download_files(self.listing, self.names, progress=tell)


def _checkpoint(manifest: Manifest, shop: Workshop, *, update: bool) -> _Source:
    if not manifest.repository:
        raise ModelNotFoundError(
            f"{manifest.name} is published in no form that could be converted",
            hint=f"`--quant {next(iter(manifest.gguf))}`" if manifest.gguf else None,
        )
    listing = pinned_listing(
        _held_at(shop, manifest), manifest.repository, manifest.revision, update=update
    )
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
            f"{listing.repository} has no safetensors at {listing.commit}",
            hint=f"`--quant {next(iter(manifest.gguf))}`" if manifest.gguf else None,
        )
    return _Source(listing, names)


def _published(
    manifest: Manifest, published: PublishedFile, shop: Workshop, *, update: bool
) -> _Source:
    listing = pinned_listing(
        _held_at(shop, manifest), published.repository, published.revision, update=update
    )
    sums = {file.name: file.sha256 for file in listing.files}
    if published.file not in sums:
        raise ModelNotFoundError(f"{listing.repository} has no {published.file}")
    if sums[published.file] != published.sha256:
        raise ModelNotFoundError(
            f"{published.file} of {listing.repository} has the SHA-256 {sums[published.file]}, and"
            f" {manifest.name} should have {published.sha256}"
        )
    return _Source(listing, (published.file,))


def _pulled(
    manifest: Manifest, quantization: str, source: _Source, shop: Workshop, *, sha256: str = ""
) -> Pulled:
    """Install one file, or do nothing where it is installed and verified."""
    ending = "" if quantization == TORCH else ".gguf"
    target = shop.folder / f"{manifest.name}-{quantization}{ending}"
    record = read_record(beside(target))
    wanted = Record(
        manifest.name, quantization, source.listing.repository, source.listing.commit, sha256
    )
    if record and _installed(target, record, wanted, shop):
        return Pulled(Weights(target, manifest), record, before=True)
    made = shop.work / target.name
    if not _is_made(made, wanted):
        _make(source, made, wanted, shop)
    return _install(made, target, manifest, wanted, shop)


def _installed(target: Path, record: Record, wanted: Record, shop: Workshop) -> bool:
    """Return whether these very weights are in their place, verified and unchanged."""
    if not target.exists() or not _same_origin(record, wanted):
        return False
    try:
        return state_of(target, record, lambda: shop.inspector.digest(target)) == "verified"
    except BackendError:  # it is not whole any more
        return False


def _is_made(made: Path, wanted: Record) -> bool:
    """Return whether an earlier pull has made this intermediate, from the same commit."""
    record = read_record(beside(made))
    return (
        record is not None
        and made.is_file()
        and record.is_of(made)
        and _same_origin(record, wanted)
    )


def _same_origin(record: Record, wanted: Record) -> bool:
    return (record.repository, record.commit) == (wanted.repository, wanted.commit)


def _make(source: _Source, made: Path, wanted: Record, shop: Workshop) -> None:
    """Make an intermediate, whole or not at all, and note what it was made from."""
    shop.work.mkdir(parents=True, exist_ok=True)
    if wanted.quantization == TORCH:
        made.unlink(missing_ok=True)
        made.symlink_to(source.fetched(shop), target_is_directory=True)
        return
    if source.is_gguf:
        _take(source.fetched(shop) / source.names[0], made)
    elif wanted.quantization in CONVERTED:
        _convert(source, made, wanted, shop)
    else:
        _quantize(source, made, wanted, shop)
    write_record(of_file(wanted, made, sha256=wanted.sha256, digest=""), beside(made))


def _take(file: Path, made: Path) -> None:
    """Take a published file out of the cache. It stays there, and takes its room once."""
    made.unlink(missing_ok=True)
    try:
        os.link(file.resolve(), made)
    except OSError:  # on another disk, or one without links
        check_room(made.parent, file.stat().st_size)
        with whole_file(made) as part:
            shutil.copyfile(file, part)


def _convert(source: _Source, made: Path, wanted: Record, shop: Workshop) -> None:
    from memcli.weights.convert.gguf_writer import convert_checkpoint

    # A checkpoint has two bytes a weight.
    needed = round(source.size * (BITS[wanted.quantization] / 16))
    check_room(made.parent, needed)
    folder = source.fetched(shop)
    check_room(made.parent, needed)  # the download may have been on this disk
    convert_checkpoint(
        folder,
        made,
        dtype=CONVERTED[wanted.quantization],
        progress=shop.telling(f"{wanted.name}: convert to {wanted.quantization}"),
    )


def _quantize(source: _Source, made: Path, wanted: Record, shop: Workshop) -> None:
    """Quantize the F16 file: one that is installed, or one that is made for it."""
    origin = replace(wanted, quantization=F16)
    name = f"{wanted.name}-{F16}.gguf"
    whole = next(
        (path for path in (shop.folder / name, shop.work / name) if _is_made(path, origin)), None
    )
    smaller = BITS[wanted.quantization] / 16
    if whole is None:
        check_room(made.parent, round(source.size * (1 + smaller)))
        whole = shop.work / name
        _make(source, whole, origin, shop)
    check_room(made.parent, round(whole.stat().st_size * smaller))
    telling = shop.telling(f"{wanted.name}: quantize to {wanted.quantization}")
    with whole_file(made) as part:
        shop.quantize(whole, part, wanted.quantization, progress=telling)


def _install(
    made: Path, target: Path, manifest: Manifest, wanted: Record, shop: Workshop
) -> Pulled:
    """Verify an intermediate and put it in its place; what fails is removed."""
    record = verify(Weights(made, manifest), wanted, shop.inspector, progress=shop.progress)
    if record.verdict and record.verdict.passed:
        write_record(record, beside(target))
        made.replace(target)
        _clear(shop, manifest)
        return Pulled(Weights(target, manifest), record, before=False)
    _clear(shop, manifest)
    raise BackendError(
        f"{target.stem} did not pass its verification and is not installed: "
        + "; ".join(record.verdict.faults[:2] if record.verdict else ())
    )


def _clear(shop: Workshop, manifest: Manifest) -> None:
    """Remove a model's intermediates."""
    for path in shop.work.glob("*"):
        if (
            path.name.removesuffix(".gguf").removesuffix(".json").rpartition("-")[0]
            == manifest.name
        ):
            path.unlink()


def _held_at(shop: Workshop, manifest: Manifest) -> Path:
    return shop.folder / f"{manifest.name}.source.json"


@contextmanager
def _alone(shop: Workshop, manifest: Manifest) -> Iterator[None]:
    """Be the only one who pulls this model.

    Raises:
        BusyError: somebody else does.
    """
    shop.work.mkdir(parents=True, exist_ok=True)
    with (shop.work / f"{manifest.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"another process is pulling {manifest.name}") from error
        yield
