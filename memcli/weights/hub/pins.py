"""Pins: the commit and the checksums of a repository at the first pull.

A branch such as `main` moves. Its commit and the checksums of its files are recorded before
anything is downloaded; later pulls ask for that commit and compare.
"""

import json
from pathlib import Path

from memcli.errors import ModelNotFoundError
from memcli.files import locked_atomic_write
from memcli.weights.hub.listing import Listing, list_files


def pinned_listing(pins_file: Path, repository: str, revision: str, *, update: bool) -> Listing:
    """Return the files of a repository, which must match those of the first pull.

    Args:
        pins_file: a JSON file of the pins, which is created if it is missing.
        repository: "owner/name".
        revision: a branch, a tag or a commit.
        update: whether to replace the pin with the current state.

    Raises:
        ModelNotFoundError: see `list_files`; or a file has changed since.
    """
    pins = _read(pins_file)
    key = f"{repository}@{revision}"
    first = None if update else pins.get(key)
    listing = list_files(repository, first[0] if first else revision)
    checksums = {file.name: file.checksum or "" for file in listing.files}
    if first is None:
        pins[key] = (listing.commit, checksums)
        _write(pins_file, pins)
        return listing
    commit, pinned = first
    changed = sorted(name for name in checksums.keys() & pinned if checksums[name] != pinned[name])
    if changed or listing.commit != commit:
        raise ModelNotFoundError(
            f"{changed[0] if changed else f'commit {commit}'} of {repository} has changed"
            " since it was first pulled",
            hint="`--update` takes the current version",
        )
    return listing


def _read(pins_file: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Return (commit, checksums by file) by repository and revision."""
    try:
        found = json.loads(pins_file.read_text("utf-8"))
        return {
            str(key): (str(one["commit"]), {str(k): str(v) for k, v in one["files"].items()})
            for key, one in found.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        # To continue would be to trust whatever the hub has now.
        raise ModelNotFoundError(
            f"{pins_file}, the record of the first pull, cannot be read",
            hint=f"`rm {pins_file}` and pull again to take the current version",
        ) from error


def _write(pins_file: Path, pins: dict[str, tuple[str, dict[str, str]]]) -> None:
    pins_file.parent.mkdir(parents=True, exist_ok=True)
    entries = {
        key: {"commit": commit, "files": checksums} for key, (commit, checksums) in pins.items()
    }
    with locked_atomic_write(pins_file) as part:
        part.write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
