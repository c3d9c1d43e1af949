"""Finds the exports and logs on this machine that formats are known for.

Programs keep their logs in known places; exports lie where browsers and phones put them. A place is
offered only if a document there is recognised by its content. Zips are recognised by their members'
first bytes, without unpacking. Sessions are counted by parsing, as far as there is time for it.
"""

import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import monotonic

from memcli.domain import Conversation
from memcli.errors import InputError
from memcli.formats import Document, Format, ParseOptions, recognise_format
from memcli.formats.format import PARSER_FAILURES
from memcli.formats.sources import DocumentSource, find_sources
from memcli.ingest.cutting import cut_sessions
from memcli.lazy_dataclasses import dataclass, field

MOST_FILES = 40  # files of a folder that are looked into
MOST_MEMBERS = 300  # members of a zip that are looked into
PLACE_SECONDS, ALL_SECONDS = 2.0, 10.0  # that the sessions of a place, and of all, are counted for
# Formats of any table, text or data set: nothing says that such a file is a person's own chat.
TOO_GENERAL = {"generic_json", "generic_csv", "generic_text", "email", "longmemeval", "locomo"}
SUFFIXES = {".zip", ".json", ".jsonl", ".txt", ".html", ".htm", ".db", ".xml", ".md", ".csv"}
EXPORT_FOLDERS = ("Downloads", "Desktop", "Documents")

_LOGS = (  # patterns below the home
    ".claude/projects",
    ".config/claude/projects",
    ".codex/sessions",
    ".codex/archived_sessions",
    ".copilot/session-state",
    ".cursor/projects",
    ".cursor/chats",
    ".gemini/tmp",
    ".qwen/projects",
    ".qwen/tmp",
    ".pi/agent/sessions",
    ".windsurf/transcripts",
    ".gemini/antigravity/brain",
    ".gemini/antigravity-cli/brain",
    ".local/share/opencode/opencode.db",
    ".local/share/opencode/storage",
    ".lmstudio/conversations",
    ".cache/lm-studio/conversations",
    ".local/share/weechat/logs",
    ".weechat/logs",
    ".config/hexchat/logs",
    "irclogs",
    ".znc/users/*/moddata/log",
    ".ViberPC/*/viber.db",
    ".open-webui/webui.db",
    "open-webui/data/webui.db",
    "SillyTavern/data/*/chats",
    ".aider.chat.history.md",
    "*/.aider.chat.history.md",
    "*/*/.aider.chat.history.md",
)
_SETTINGS = {"darwin": "Library/Application Support"}  # below the home; `.config` elsewhere
_PROGRAM_LOGS = (  # below the folder of programs' settings
    "io.datasette.llm/logs.db",
    "open-webui/data/webui.db",
    "ViberPC/*/viber.db",
)
_EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
# Folders of editors below the home, beside those of their settings: on a server, and in Flatpak.
_EDITOR_FOLDERS = (
    ".vscode-server/data",
    ".vscode-server-insiders/data",
    ".cursor-server/data",
    ".windsurf-server/data",
    ".var/app/com.visualstudio.code/config/Code",
    ".var/app/com.vscodium.codium/config/VSCodium",
)
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
    format: str = ""  # of the first document that was recognised; "" if the place cannot be read
    files: int = 0
    sessions: int = 0  # in which the conversations of the files would be stored, about
    complete: bool = False  # True if there was time to count all sessions
    first: datetime | None = None  # the time of the first turn; without any, of the oldest file
    last: datetime | None = None  # the same of the last turn, or of the newest file
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
    end = monotonic() + ALL_SECONDS
    for path in (*_log_places(home, platform), *_export_places(home)):
        place = path.resolve()
        if place not in seen and not seen & set(place.parents):
            seen.add(place)
            if found := _look_into(path, min(end, monotonic() + PLACE_SECONDS)):
                yield found


def _log_places(home: Path, platform: str) -> Iterator[Path]:
    settings = _SETTINGS.get(platform, ".config")
    patterns = [*_LOGS, *(f"{settings}/{name}" for name in _PROGRAM_LOGS)]
    editors = [*(f"{settings}/{editor}" for editor in _EDITORS), *_EDITOR_FOLDERS]
    patterns += [f"{editor}/{name}" for editor in editors for name in _EDITOR_LOGS]
    if platform == "darwin":
        patterns.append(_MESSAGES)
    for pattern in patterns:
        with suppress(OSError):  # a folder may not be looked into
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


def _look_into(path: Path, end: float) -> DiscoveredPlace | None:
    """Return the place if one of its first files is recognised, or if it may not be read.

    Args:
        path: the place.
        end: the time of the monotonic clock at which counting ends.
    """
    count = _SessionCount(end)
    name, files, moments = "", 0, list[datetime]()
    try:
        for source in find_sources(path):
            files += 1
            if source.file:
                written = source.file.stat().st_mtime
                moments.append(datetime.fromtimestamp(written, UTC).astimezone())
            if count.complete or (not name and files <= MOST_FILES):
                name = _read_source(source, count) or name
            if not name and files == MOST_FILES:
                return None
    except InputError as error:
        return DiscoveredPlace(path, problem=str(error))
    except OSError as error:
        return DiscoveredPlace(path, problem=f"{path}: {error.strerror}")
    if not name:
        return None
    times = count.times or moments
    first, last = min(times, default=None), max(times, default=None)
    return DiscoveredPlace(path, name, files, count.sessions, count.complete, first, last)


@dataclass(slots=True)
class _SessionCount:
    """The sessions that were counted until a time, and the times of their first and last turns."""

    end: float
    sessions: int = 0
    times: list[datetime] = field(default_factory=list)
    complete: bool = True
    _known: set[tuple[str, str]] = field(default_factory=set)

    def add(self, document: Document, found: Format) -> None:
        """Parse a document, and count its sessions as long as there is time."""
        for item in found.parse(document, ParseOptions()):
            if isinstance(item, Conversation):
                self._add_conversation(item)
            if monotonic() > self.end:
                self.complete = False
                return

    def _add_conversation(self, one: Conversation) -> None:
        if not one.endless and (one.source, one.key) in self._known:
            return  # logs that are resumed or forked have copies
        self._known.add((one.source, one.key))
        for session in cut_sessions(one.source, one.key, one.title, one.turns, endless=one.endless):
            self.sessions += 1
            self.times += [time for time in (session.started_at, session.ended_at) if time]


def _read_source(source: DocumentSource, count: _SessionCount) -> str:
    """Return the format of the first document that has a person's chats, "" for none; count them.

    Damage in a document ends the counting of that document only.
    """
    name = ""
    with suppress(*PARSER_FAILURES, InputError):
        for document in islice(source.documents(), MOST_MEMBERS):
            found = recognise_format(document)
            if found is None or found.name in TOO_GENERAL:
                continue
            name = name or found.name
            if not count.complete:
                break
            with suppress(*PARSER_FAILURES, InputError):
                count.add(document, found)
    return name
