"""Finds the exports and logs on this machine that formats are known for.

Programs keep their logs in known places; exports lie where browsers and phones put them. A place is
offered only if a document there is recognised by its content. Zips are recognised by their members'
first bytes, without unpacking.
"""

import sys
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from memcli.errors import InputError
from memcli.formats import recognise_format
from memcli.formats.sources import DocumentSource, find_sources
from memcli.lazy_dataclasses import dataclass

MOST_FILES = 40  # files of a folder that are looked into
MOST_MEMBERS = 300  # members of a zip that are looked into
# Formats of any table, text or data set: nothing says that such a file is a person's own chat.
TOO_GENERAL = {"generic_json", "generic_csv", "generic_text", "email", "longmemeval", "locomo"}
SUFFIXES = {".zip", ".json", ".jsonl", ".txt", ".html", ".htm", ".db", ".xml", ".md", ".csv"}
EXPORT_FOLDERS = ("Downloads", "Desktop", "Documents")

_LOGS = (  # patterns below the home
    ".claude/projects",
    ".codex/sessions",
    ".codex/archived_sessions",
    ".copilot/session-state",
    ".cursor/projects",
    ".gemini/tmp",
    ".qwen/projects",
    ".qwen/tmp",
    ".pi/agent/sessions",
    ".windsurf/transcripts",
    ".local/share/opencode/opencode.db",
    ".local/share/opencode/storage",
    ".lmstudio/conversations",
    ".cache/lm-studio/conversations",
    ".local/share/weechat/logs",
    ".weechat/logs",
    "irclogs",
    ".znc/users/*/moddata/log",
    ".aider.chat.history.md",
    "*/.aider.chat.history.md",
    "*/*/.aider.chat.history.md",
)
_SETTINGS = {"darwin": "Library/Application Support"}  # below the home; `.config` elsewhere
_PROGRAM_LOGS = ("io.datasette.llm/logs.db",)  # below the folder of programs' settings
_EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
_EDITOR_LOGS = (  # below an editor's folder of settings
    "User/globalStorage/state.vscdb",
    "User/globalStorage/emptyWindowChatSessions",
    "User/workspaceStorage/*/chatSessions",
    "User/globalStorage/saoudrizwan.claude-dev/tasks",
    "User/globalStorage/rooveterinaryinc.roo-cline/tasks",
    "User/globalStorage/kilocode.kilo-code/tasks",
)
_MESSAGES = "Library/Messages/chat.db"


@dataclass(frozen=True, slots=True)
class DiscoveredPlace:
    """A file or folder with conversations that no import has read yet."""

    path: Path
    format: str  # of the first document that was recognised; "" if the place cannot be read
    files: int
    first: datetime | None  # the time at which the oldest file was last written
    last: datetime | None  # the same of the newest file
    problem: str = ""  # the reason for which it cannot be read


def discover_places(
    home: Path, known: Collection[Path], platform: str = sys.platform
) -> Iterator[DiscoveredPlace]:
    """Yield the places on this machine that can be imported: programs' logs, then exports.

    Args:
        home: the person's home.
        known: paths that were imported before; they and everything below them are left out.
        platform: as `sys.platform` names it.
    """
    seen = {path.resolve() for path in known}
    for path in (*_log_places(home, platform), *_export_places(home)):
        place = path.resolve()
        if place not in seen and not seen & set(place.parents):
            seen.add(place)
            if found := _look_into(path):
                yield found


def _log_places(home: Path, platform: str) -> Iterator[Path]:
    settings = _SETTINGS.get(platform, ".config")
    patterns = [*_LOGS, *(f"{settings}/{name}" for name in _PROGRAM_LOGS)]
    patterns += [f"{settings}/{editor}/{name}" for editor in _EDITORS for name in _EDITOR_LOGS]
    if platform == "darwin":
        patterns.append(_MESSAGES)
    for pattern in patterns:
        yield from sorted(home.glob(pattern))


def _export_places(home: Path) -> Iterator[Path]:
    for name in EXPORT_FOLDERS:
        try:
            inside = sorted((home / name).iterdir())
        except OSError:  # there is none, or macOS does not allow to look
            continue
        for path in inside:
            if not path.name.startswith(".") and (
                path.is_dir() or path.suffix.casefold() in SUFFIXES
            ):
                yield path


def _look_into(path: Path) -> DiscoveredPlace | None:
    """Return the place if one of its first files is recognised, or if it may not be read."""
    name, files, moments = "", 0, list[float]()
    try:
        for source in find_sources(path):
            files += 1
            if source.file:
                moments.append(source.file.stat().st_mtime)
            if not name and files <= MOST_FILES:
                name = _recognise(source)
            if not name and files == MOST_FILES:
                return None
    except InputError as error:
        return DiscoveredPlace(path, "", 0, None, None, str(error))
    except OSError as error:
        return DiscoveredPlace(path, "", 0, None, None, f"{path}: {error.strerror}")
    if not name:
        return None
    times = [datetime.fromtimestamp(moment, UTC).astimezone() for moment in moments]
    return DiscoveredPlace(path, name, files, min(times, default=None), max(times, default=None))


def _recognise(source: DocumentSource) -> str:
    """Return the format of the first document that has one of a person's chats; "" for none."""
    try:
        for document in islice(source.documents(), MOST_MEMBERS):
            found = recognise_format(document)
            if found and found.name not in TOO_GENERAL:
                return found.name
    except (InputError, OSError):
        return ""
    return ""
