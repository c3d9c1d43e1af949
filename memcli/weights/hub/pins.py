"""What a hub had the first time, and has to have ever after.

A branch such as `main` moves. The commit it stood at and the checksums of its files are written
down before anything is downloaded; later pulls ask for that commit and compare.
"""

import json
from pathlib import Path

from memcli.errors import ModelNotFoundError
from memcli.files import whole_file
from memcli.weights.hub.fetch import Listing, list_files


def held_listing(place: Path, repository: str, revision: str, *, update: bool) -> Listing:
    """Return what a repository holds, held to what it held when it was first listed.

    Args:
        place: JSON file of what was first there, made if need be.
        repository: "owner/name".
        revision: a branch, a tag or a commit.
        update: whether to forget what was there first.

    Raises:
        ModelNotFoundError: see `list_files`; or a file is another one now.
    """
    known = _read(place)
    key = f"{repository}@{revision}"
    first = None if update else known.get(key)
    listing = list_files(repository, first[0] if first else revision)
    sums = {file.name: file.sum or "" for file in listing.files}
    if first is None:
        known[key] = (listing.commit, sums)
        _write(place, known)
        return listing
    commit, held = first
    changed = sorted(name for name in sums.keys() & held if sums[name] != held[name])
    if changed or listing.commit != commit:
        raise ModelNotFoundError(
            f"{changed[0] if changed else f'commit {commit}'} of {repository} is not what it was"
            " when it was pulled first",
            hint="`--update` takes what is there now",
        )
    return listing


def _read(place: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Return (commit, checksums by file) by repository and revision."""
    try:
        found = json.loads(place.read_text("utf-8"))
        return {
            str(key): (str(one["commit"]), {str(k): str(v) for k, v in one["files"].items()})
            for key, one in found.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        # To go on would be to trust whatever the hub has now.
        raise ModelNotFoundError(
            f"{place}, which says what was pulled first, cannot be read",
            hint=f"`rm {place}` takes what is there now",
        ) from error


def _write(place: Path, known: dict[str, tuple[str, dict[str, str]]]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    entries = {key: {"commit": commit, "files": sums} for key, (commit, sums) in known.items()}
    with whole_file(place) as part:
        part.write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
