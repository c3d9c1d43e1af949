"""The files of a hub repository, with sizes and checksums."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

from memcli.lazy_dataclasses import dataclass
from memcli.weights.hub import hub_client


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository, with one of the two checksums that a hub keeps."""

    name: str  # relative to the repository, with slashes
    size: int  # bytes
    sha256: str | None = None  # large files only
    git_id: str | None = None  # small files only: SHA-1 of git's header and the content

    @property
    def checksum(self) -> str | None:
        """The name of the content in the hub's cache."""
        return self.sha256 or self.git_id


@dataclass(frozen=True, slots=True)
class Listing:
    """All files of a repository as one commit has them."""

    repository: str  # "owner/name"
    commit: str  # 40 hexadecimal digits
    files: tuple[HubFile, ...]


def list_files(repository: str, revision: str) -> Listing:
    """Return the files of a repository; with HF_HUB_OFFLINE, those of them in the cache.

    Args:
        repository: "owner/name".
        revision: a branch, a tag or a commit. Offline, a branch of unknown commit stands for the
            commit that was fetched last.

    Raises:
        ModelNotFoundError: the hub cannot be reached, refuses, or has no such revision.
    """
    library = hub_client.import_library()
    api = library.HfApi(headers=hub_client.HEADERS)
    timeout = library.constants.HF_HUB_DOWNLOAD_TIMEOUT
    with hub_client.translate_errors(repository, f"{repository} at {revision}"):
        try:
            info = hub_client.with_retries(
                lambda: api.model_info(
                    repository, revision=revision, files_metadata=True, timeout=timeout
                )
            )
            files = tuple(_parse_sibling(sibling) for sibling in info.siblings)
            return Listing(repository, _check_hexadecimal(info.sha, 40), files)
        except library.errors.OfflineModeIsEnabled:
            return _list_cache(repository, revision)
        except (hub_client.transport_error_type(), library.errors.HFValidationError):
            raise
        except (ValueError, TypeError, LookupError) as error:  # no JSON, or another structure
            raise hub_client.not_a_hub_error() from error


def _parse_sibling(sibling: Any) -> HubFile:  # Any: untyped, and written by a stranger
    """Return one file's entry; names and checksums become paths, so both are checked."""
    name, lfs = str(sibling.rfilename), sibling.lfs
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or {"..", "."} & set(name.split("/")) or "\0" in name:
        raise ValueError(f"a file named {name!r}")
    if lfs:
        return HubFile(name, int(lfs.size), sha256=_check_hexadecimal(lfs.sha256, 64))
    git_id = sibling.blob_id
    return HubFile(
        name, int(sibling.size), git_id=None if git_id is None else _check_hexadecimal(git_id, 40)
    )


def _check_hexadecimal(text: object, digits: int) -> str:
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", str(text)):
        raise ValueError(f"{text!r} is no checksum")
    return str(text)


def _list_cache(repository: str, revision: str) -> Listing:
    """Return the files of a revision that the cache holds."""
    library = hub_client.import_library()
    try:
        repositories = library.scan_cache_dir(library.constants.HF_HUB_CACHE).repos
    except library.errors.CacheNotFound:
        repositories = ()
    commits = [
        commit
        for cached in repositories
        if (cached.repo_type, cached.repo_id) == ("model", repository)
        for commit in cached.revisions
    ]
    matching = [each for each in commits if revision in (each.commit_hash, *each.refs)]
    if not matching and not re.fullmatch(r"[0-9a-f]{40}", revision):
        matching = sorted(commits, key=lambda each: float(each.last_modified))[-1:]
    if not matching:
        raise library.errors.OfflineModeIsEnabled
    return Listing(
        repository,
        matching[0].commit_hash,
        tuple(_parse_cached(file, matching[0].snapshot_path) for file in matching[0].files),
    )


def _parse_cached(file: Any, snapshot: Path) -> HubFile:  # Any: untyped
    """Return the cache's entry of one file; the cache names contents by their checksums."""
    name, content = file.file_path.relative_to(snapshot).as_posix(), file.blob_path.name
    large, small = (re.fullmatch(f"[0-9a-f]{{{digits}}}", content) for digits in (64, 40))
    return HubFile(
        name,
        file.size_on_disk,
        sha256=content if large else None,
        git_id=content if small else None,
    )
