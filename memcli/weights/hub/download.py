"""Files of a hub repository, downloaded and verified.

huggingface-hub provides the hub's address, the person's token and the cache. The bytes are
transferred here: the library downloads a file from its beginning after an interrupted process,
which at 8 GB is a lost evening. The partial file lies in the cache (`blobs/<sum>.incomplete`),
and a finished one lies where every other program looks for it.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias

from memcli.callbacks import ignore
from memcli.errors import BusyError, ModelNotFoundError
from memcli.retry import Retries
from memcli.weights.hub import hub_client
from memcli.weights.hub.listing import HubFile, Listing

FileProgress: TypeAlias = Callable[[str, int, int], None]  # name, bytes done, bytes in all

_CHUNK = 1024 * 1024  # bytes


def download_files(
    listing: Listing, names: Sequence[str], *, folder: Path | None = None, progress: FileProgress
) -> Path:
    """Download files, verify each against the hub's checksum, and return their folder.

    A file that is already on this machine is verified again; a partial one is continued.

    Args:
        listing: the files of the repository.
        names: names of files in the listing.
        folder: the folder to put them in; None for the hub's cache, shared with other programs.
        progress: called with the bytes that are on this machine, those of earlier runs included.

    Raises:
        ModelNotFoundError: a file cannot be fetched, or is not the one that the hub lists.
        BusyError: another process is fetching the same file.
    """
    library, root = hub_client.import_library(), _cache_folder(listing.repository)
    home = folder or root / "snapshots" / listing.commit
    files = [_find_file(listing, name) for name in names]
    paths = [_content_path(file, home, None if folder else root / "blobs") for file in files]
    check_room(home, sum(map(_missing_bytes, files, paths)))
    for file, path in zip(files, paths, strict=True):
        with hub_client.translate_errors(
            listing.repository, f"{file.name} of {listing.repository}"
        ):
            if path.exists():
                _verify(file, path, progress)
            else:
                url = library.hf_hub_url(listing.repository, file.name, revision=listing.commit)
                with _lock_file(root, file):
                    _download(url, file, path, progress)
            if path != home / file.name:
                _link(home / file.name, path)
    return home


def cached_weights(repository: str) -> dict[Path, int]:
    """Return the files of weights of a repository in the hub's cache, with their bytes.

    Other programs use the same cache.
    """
    found = {}
    for link in (_cache_folder(repository) / "snapshots").glob("*/*.safetensors"):
        with suppress(OSError):
            found[link] = link.stat().st_size
    return found


def drop_cached_weights(repository: str) -> None:
    """Remove the files of weights of a repository from the hub's cache.

    Raises:
        ModelNotFoundError: one cannot be removed.
    """
    for link in cached_weights(repository):
        content = link.resolve()
        try:
            link.unlink()
            content.unlink(missing_ok=True)
        except OSError as error:
            raise ModelNotFoundError(f"{link} cannot be removed: {error.strerror}") from error


def sha256(path: Path, progress: FileProgress = ignore) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        ModelNotFoundError: the file cannot be read.
    """
    digest, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                progress(path.name, done, size)
    except OSError as error:
        raise ModelNotFoundError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def check_room(folder: Path, needed: int) -> None:
    """Check that a disk has room for so many bytes more. The folder need not exist yet.

    Raises:
        ModelNotFoundError: the disk has less room.
    """
    absolute = folder.absolute()
    existing = next(place for place in (absolute, *absolute.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise ModelNotFoundError(
            f"{needed / 1e6:,.1f} MB are needed in {folder}, and {free / 1e6:,.1f} MB are free",
            hint="make room there, and run this again",
        )


def _find_file(listing: Listing, name: str) -> HubFile:
    """Return a file of a listing by its name."""
    found = next((file for file in listing.files if file.name == name), None)
    if found is None:
        offline = hub_client.import_library().constants.HF_HUB_OFFLINE
        where = "in the cache" if offline else f"at commit {listing.commit[:8]}"
        raise ModelNotFoundError(
            f"{listing.repository} has no {name} {where}",
            hint="unset HF_HUB_OFFLINE, and run this again" if offline else None,
        )
    return found


def _cache_folder(repository: str) -> Path:
    """Return the folder of a repository in the hub's cache."""
    cache = Path(hub_client.import_library().constants.HF_HUB_CACHE)
    return cache / f"models--{repository.replace('/', '--')}"


def _content_path(file: HubFile, home: Path, blobs: Path | None) -> Path:
    """Return the path to write a file to: the cache keeps contents apart from names."""
    path = home / file.name
    if blobs is None or file.checksum is None or path.exists():
        return path
    return blobs / file.checksum


def _partial_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.incomplete")


def _missing_bytes(file: HubFile, path: Path) -> int:
    """Return the bytes of a file that are not on this machine yet."""
    partial = _partial_path(path)
    present = partial.stat().st_size if partial.exists() else 0
    return 0 if path.exists() else max(0, file.size - present)


@contextmanager
def _lock_file(root: Path, file: HubFile) -> Iterator[None]:
    """Lock a file against other processes, those that use the library included."""
    name = file.checksum or file.name.replace("/", "--")
    lock = root.parent / ".locks" / root.name / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    acquired = False
    try:
        with hub_client.import_library().utils.WeakFileLock(lock, timeout=1):
            acquired = True
            yield
    except TimeoutError as error:
        if acquired:
            raise
        raise BusyError(
            f"another process is fetching {file.name}", hint="wait for it, and run this again"
        ) from error


def _verify(file: HubFile, path: Path, progress: FileProgress) -> None:
    """Check that a file on this machine is the one that the hub lists.

    Raises:
        ModelNotFoundError: it is another one; it is removed.
    """
    hasher = _Hasher(file, progress)
    with path.open("rb") as handle:
        hasher.read(handle)
    _compare(hasher, path)


def _download(url: str, file: HubFile, path: Path, progress: FileProgress) -> None:
    """Fetch the missing bytes of a file, verify it, and only then give it its name.

    Raises:
        ModelNotFoundError: it is not the file that the hub lists; it is removed.
    """
    if path.exists():  # another process was faster
        return
    partial, hasher = _partial_path(path), _Hasher(file, progress)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("a+b") as handle:
        handle.seek(0)
        hasher.read(handle)
        _fetch_rest(handle, hasher, url)
        os.fsync(handle.fileno())
    _compare(hasher, partial)
    partial.replace(path)


def _compare(hasher: "_Hasher", path: Path) -> None:
    file = hasher.file
    if (hasher.size, hasher.checksum) != (file.size, file.checksum or hasher.checksum):
        path.resolve().unlink()
        path.unlink(missing_ok=True)  # in the cache, a name is a link
        raise ModelNotFoundError(
            f"{file.name} differs from the hub's file and was removed: {hasher.size:,} bytes with"
            f" the checksum {hasher.checksum}, not {file.size:,} with {file.checksum}",
            hint="run this again to download it again",
        )


def _link(path: Path, content: Path) -> None:
    """Give a content of the cache one of its names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link whose content is gone
    try:
        path.symlink_to(os.path.relpath(content, path.parent))
    except OSError:
        content.replace(path)  # on a disk without links the library does the same


class _Hasher:
    """The checksum of the bytes of a file so far, with their progress."""

    def __init__(self, file: HubFile, progress: FileProgress) -> None:
        self.file, self._progress = file, progress
        self.restart()

    def restart(self) -> None:
        """Begin again with no bytes."""
        self.size = 0
        self._digest = hashlib.sha256()
        if self.file.git_id is not None:
            self._digest = hashlib.sha1(f"blob {self.file.size}\0".encode(), usedforsecurity=False)

    def add(self, chunk: bytes) -> None:
        """Add the bytes that follow."""
        self._digest.update(chunk)
        self.size += len(chunk)
        self._progress(self.file.name, self.size, self.file.size)

    def read(self, handle: BinaryIO) -> None:
        """Add the rest of a file."""
        while chunk := handle.read(_CHUNK):
            self.add(chunk)

    @property
    def checksum(self) -> str:
        """The checksum in hexadecimal digits."""
        return self._digest.hexdigest()


def _fetch_rest(handle: BinaryIO, hasher: _Hasher, url: str) -> None:
    """Fetch until the file is whole; only attempts that bring nothing are limited."""
    longest, retries = hasher.size, Retries(hub_client.PAUSES)
    while hasher.size < hasher.file.size:
        failure: Exception | None = None
        try:
            _append(handle, hasher, url)
        except hub_client.transport_error_type() as error:
            if not hub_client.is_transient(error):
                raise
            failure = error
        if hasher.size > longest:
            longest = hasher.size
            retries.reset()
        elif not retries.wait(hub_client.requested_pause(failure)):
            raise failure or hub_client.not_a_hub_error()


def _append(handle: BinaryIO, hasher: _Hasher, url: str) -> None:
    """Fetch the bytes after the end of the file, until all came or the connection breaks."""
    library = hub_client.import_library()
    resumed = {"range": f"bytes={hasher.size}-"} if hasher.size else {}
    headers = library.utils.build_hf_headers(
        headers={**hub_client.HEADERS, "accept-encoding": "identity", **resumed}
    )
    timeout = library.constants.HF_HUB_DOWNLOAD_TIMEOUT
    with library.get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
        library.hf_raise_for_status(response)
        if hasher.size and response.status_code != 206:  # a proxy on the way ignores ranges
            handle.truncate(0)
            hasher.restart()
        for chunk in response.iter_raw():
            handle.write(chunk)
            hasher.add(chunk)
            if hasher.size > hasher.file.size:
                break
