"""What a hub repository holds, file by file, with sizes and sums."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from memcli.weights.hub import hub


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository, with one of the two sums that a hub keeps."""

    name: str  # relative to the repository, with slashes
    size: int  # bytes
    sha256: str | None = None  # of large files
    git_id: str | None = None  # of small ones: SHA-1 of git's header and the content

    @property
    def sum(self) -> str | None:
        """What the cache knows the content by."""
        return self.sha256 or self.git_id


@dataclass(frozen=True, slots=True)
class Listing:
    """All files of a repository as one commit has them."""

    repository: str  # "owner/name"
    commit: str  # 40 hexadecimal digits
    files: tuple[HubFile, ...]


def list_files(repository: str, revision: str) -> Listing:
    """Return what a repository holds; with HF_HUB_OFFLINE, what the cache has of it.

    Args:
        repository: "owner/name".
        revision: a branch, a tag or a commit. Offline, a branch whose commit nobody noted is the
            commit that was fetched last.

    Raises:
        ModelNotFoundError: the hub cannot be reached, refuses, or has no such thing.
    """
    library = hub.library()
    api = library.HfApi(headers=hub.HEADERS)
    timeout = library.constants.HF_HUB_DOWNLOAD_TIMEOUT
    with hub.explained(repository, f"{repository} at {revision}"):
        try:
            info = hub.patiently(
                lambda: api.model_info(
                    repository, revision=revision, files_metadata=True, timeout=timeout
                )
            )
            files = tuple(_listed(sibling) for sibling in info.siblings)
            return Listing(repository, _hexadecimal(info.sha, 40), files)
        except library.errors.OfflineModeIsEnabled:
            return _listed_in_cache(repository, revision)
        except (hub.transport_error(), library.errors.HFValidationError):
            raise
        except (ValueError, TypeError, LookupError) as error:  # no JSON, or of another shape
            raise hub.not_a_hub() from error


def _listed(sibling: Any) -> HubFile:  # Any: of the library, and what a stranger wrote into it
    """Read one file's entry; names and sums become paths, so they are not taken as they come."""
    name, lfs = str(sibling.rfilename), sibling.lfs
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or {"..", "."} & set(name.split("/")) or "\0" in name:
        raise ValueError(f"a file named {name!r}")
    if lfs:
        return HubFile(name, int(lfs.size), sha256=_hexadecimal(lfs.sha256, 64))
    git_id = sibling.blob_id
    return HubFile(
        name, int(sibling.size), git_id=None if git_id is None else _hexadecimal(git_id, 40)
    )


def _hexadecimal(text: object, digits: int) -> str:
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", str(text)):
        raise ValueError(f"{text!r} is no sum")
    return str(text)


def _listed_in_cache(repository: str, revision: str) -> Listing:
    """Return what the cache has of a commit."""
    library = hub.library()
    try:
        repositories = library.scan_cache_dir(library.constants.HF_HUB_CACHE).repos
    except library.errors.CacheNotFound:
        repositories = ()
    commits = [
        commit
        for kept in repositories
        if (kept.repo_type, kept.repo_id) == ("model", repository)
        for commit in kept.revisions
    ]
    meant = [each for each in commits if revision in (each.commit_hash, *each.refs)]
    if not meant and not re.fullmatch(r"[0-9a-f]{40}", revision):
        meant = sorted(commits, key=lambda each: float(each.last_modified))[-1:]
    if not meant:
        raise library.errors.OfflineModeIsEnabled
    return Listing(
        repository,
        meant[0].commit_hash,
        tuple(_kept(file, meant[0].snapshot_path) for file in meant[0].files),
    )


def _kept(file: Any, snapshot: Path) -> HubFile:  # Any: of the library
    """Read the cache's entry of one file: the cache names contents by their sums."""
    name, known = file.file_path.relative_to(snapshot).as_posix(), file.blob_path.name
    large, small = (re.fullmatch(f"[0-9a-f]{{{digits}}}", known) for digits in (64, 40))
    return HubFile(
        name,
        file.size_on_disk,
        sha256=known if large else None,
        git_id=known if small else None,
    )
