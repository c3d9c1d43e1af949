"""Files of a hub repository, brought here and checked.

huggingface-hub knows the hub's address, the person's token and the cache, and is asked for all of
them. The bytes are moved here: the library begins a file anew when a process was interrupted,
which at 8 GB is a lost evening. The partial file lies in the cache (`blobs/<sum>.incomplete`),
and what is finished lies where every other program looks for it.
"""

import hashlib
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from memcli.errors import BusyError, ModelNotFoundError
from memcli.weights.hub import hub
from memcli.weights.hub.listing import HubFile, Listing, list_files

__all__ = ["HubFile", "Listing", "Progress", "check_room", "fetch", "list_files", "sha256"]

Progress: TypeAlias = Callable[[str, int, int], None]  # name, bytes done, bytes in all

_CHUNK = 1024 * 1024  # bytes


def fetch(
    listing: Listing, names: Sequence[str], *, folder: Path | None = None, progress: Progress
) -> Path:
    """Bring files to this machine, each checked against the hub's sum, and return their folder.

    What is there already is checked again and kept; what is there in part is gone on with.

    Args:
        listing: what `list_files` returned.
        names: of files in it.
        folder: where to put them; None is the hub's cache, shared with other programs.
        progress: is told how many bytes are there, those of earlier times included.

    Raises:
        ModelNotFoundError: a file cannot be had, or is not what the hub says it is.
        BusyError: another process is fetching the same file.
    """
    library, root = hub.library(), _root(listing.repository)
    home = folder or root / "snapshots" / listing.commit
    files = [_named(listing, name) for name in names]
    places = [_place(file, home, None if folder else root / "blobs") for file in files]
    check_room(home, sum(map(_missing, files, places)))
    for file, place in zip(files, places, strict=True):
        with hub.explained(listing.repository, f"{file.name} of {listing.repository}"):
            if place.exists():
                _verify(file, place, progress)
            else:
                url = library.hf_hub_url(listing.repository, file.name, revision=listing.commit)
                with _alone(root, file):
                    _download(url, file, place, progress)
            if place != home / file.name:
                _link(home / file.name, place)
    return home


def sha256(path: Path, progress: Progress = lambda name, done, size: None) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        ModelNotFoundError: it cannot be read.
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
    """See that a disk has room for so many bytes more. The folder need not exist yet.

    Raises:
        ModelNotFoundError: it has not.
    """
    absolute = folder.absolute()
    there = next(place for place in (absolute, *absolute.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise ModelNotFoundError(
            f"{needed / 1e6:,.1f} MB are needed in {folder}, and {free / 1e6:,.1f} MB are free",
            hint="make room there, and run this again",
        )


def _named(listing: Listing, name: str) -> HubFile:
    """Return a file of a listing by its name."""
    found = next((file for file in listing.files if file.name == name), None)
    if found is None:
        offline = hub.library().constants.HF_HUB_OFFLINE
        where = "in the cache" if offline else f"at commit {listing.commit[:8]}"
        raise ModelNotFoundError(
            f"{listing.repository} has no {name} {where}",
            hint="unset HF_HUB_OFFLINE, and run this again" if offline else None,
        )
    return found


def _root(repository: str) -> Path:
    """Return the folder that the hub's cache keeps a repository in."""
    cache = Path(hub.library().constants.HF_HUB_CACHE)
    return cache / f"models--{repository.replace('/', '--')}"


def _place(file: HubFile, home: Path, blobs: Path | None) -> Path:
    """Return where a file is written: the cache keeps contents apart from names."""
    path = home / file.name
    return path if blobs is None or file.sum is None or path.exists() else blobs / file.sum


def _partial(place: Path) -> Path:
    return place.with_name(f"{place.name}.incomplete")


def _missing(file: HubFile, place: Path) -> int:
    """Return how many bytes of a file have still to come."""
    partial = _partial(place)
    there = partial.stat().st_size if partial.exists() else 0
    return 0 if place.exists() else max(0, file.size - there)


@contextmanager
def _alone(root: Path, file: HubFile) -> Iterator[None]:
    """Keep other processes away from a file meanwhile, those of the library included."""
    name = file.sum or file.name.replace("/", "--")
    lock = root.parent / ".locks" / root.name / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    ours = False
    try:
        with hub.library().utils.WeakFileLock(lock, timeout=1):
            ours = True
            yield
    except TimeoutError as error:
        if ours:
            raise
        raise BusyError(
            f"another process is fetching {file.name}", hint="wait for it, and run this again"
        ) from error


def _verify(file: HubFile, path: Path, progress: Progress) -> None:
    """See that a file on this machine is what the hub has.

    Raises:
        ModelNotFoundError: it is not; it is removed.
    """
    tally = _Tally(file, progress)
    with path.open("rb") as handle:
        tally.read(handle)
    _compare(tally, path)


def _download(url: str, file: HubFile, place: Path, progress: Progress) -> None:
    """Fetch what a file lacks, check it, and only then give it its name.

    Raises:
        ModelNotFoundError: it is not what the hub has; it is removed.
    """
    if place.exists():  # another process was faster
        return
    partial, tally = _partial(place), _Tally(file, progress)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("a+b") as handle:
        handle.seek(0)
        tally.read(handle)
        _fill(handle, tally, url)
        os.fsync(handle.fileno())
    _compare(tally, partial)
    partial.replace(place)


def _compare(tally: "_Tally", path: Path) -> None:
    file = tally.file
    if (tally.size, tally.sum) != (file.size, file.sum or tally.sum):
        path.resolve().unlink()
        path.unlink(missing_ok=True)  # in the cache, a name is a link
        raise ModelNotFoundError(
            f"{file.name} is not what the hub has and was removed: {tally.size:,} bytes with the"
            f" sum {tally.sum}, not {file.size:,} with {file.sum}",
            hint="run this again to fetch it anew",
        )


def _link(path: Path, content: Path) -> None:
    """Give a content of the cache one of its names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link whose content is gone
    try:
        path.symlink_to(os.path.relpath(content, path.parent))
    except OSError:
        content.replace(path)  # a disk without links: so does the library


class _Tally:
    """The sum of a file's bytes so far, told to whoever waits for them."""

    def __init__(self, file: HubFile, progress: Progress) -> None:
        self.file, self._progress = file, progress
        self.restart()

    def restart(self) -> None:
        """Begin with no bytes."""
        self.size = 0
        self._digest = hashlib.sha256()
        if self.file.git_id is not None:
            self._digest = hashlib.sha1(f"blob {self.file.size}\0".encode(), usedforsecurity=False)

    def add(self, chunk: bytes) -> None:
        """Count bytes that follow."""
        self._digest.update(chunk)
        self.size += len(chunk)
        self._progress(self.file.name, self.size, self.file.size)

    def read(self, handle: BinaryIO) -> None:
        """Count what a file has from here on."""
        while chunk := handle.read(_CHUNK):
            self.add(chunk)

    @property
    def sum(self) -> str:
        """In hexadecimal digits."""
        return self._digest.hexdigest()


def _fill(handle: BinaryIO, tally: _Tally, url: str) -> None:
    """Fetch until the file is whole: as often as it grows, and a few times more where not."""
    most, pauses = tally.size, deque(hub.PAUSES)
    while tally.size < tally.file.size:
        failure: Exception | None = None
        try:
            _append(handle, tally, url)
        except hub.transport_error() as error:
            if not hub.passing(error):
                raise
            failure = error
        if tally.size > most:
            most, pauses = tally.size, deque(hub.PAUSES)
        elif pauses:
            time.sleep(hub.pause_after(failure, pauses.popleft()))
        else:
            raise failure or hub.not_a_hub()


def _append(handle: BinaryIO, tally: _Tally, url: str) -> None:
    """Fetch from where the file ends to its end, or to where the connection breaks."""
    library = hub.library()
    wanted = {"range": f"bytes={tally.size}-"} if tally.size else {}
    headers = library.utils.build_hf_headers(
        headers={**hub.HEADERS, "accept-encoding": "identity", **wanted}
    )
    timeout = library.constants.HF_HUB_DOWNLOAD_TIMEOUT
    with library.get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
        library.hf_raise_for_status(response)
        if tally.size and response.status_code != 206:  # something on the way knows no ranges
            handle.truncate(0)
            tally.restart()
        for chunk in response.iter_raw():
            handle.write(chunk)
            tally.add(chunk)
            if tally.size > tally.file.size:
                break
