"""Sessions as Markdown, a file each, under names that are safe anywhere."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from memcli.domain import Conversation, Kind, SessionId, Turn, participants
from memcli.errors import StoreError
from memcli.files import private_file

TITLE = 100  # bytes of it in a file's name; the whole has to stay under 255

_UNSAFE = re.compile(r"[^\w ,;!()'+=&@-]+")  # no slash, no dot, nothing that is not seen
_MARKS = re.compile(r"([\\`*_\[\]<>#])")  # of Markdown, in a title or a name


def write_transcripts(
    sessions: Iterator[tuple[SessionId, Conversation]], folder: Path
) -> Iterator[Path]:
    """Write each session to a file of its own, and yield where; a file of that name is replaced.

    Raises:
        StoreError: the folder or a file in it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}") from error
    for session, kept in sessions:
        path = folder / file_name(session, kept)
        with private_file(path, StoreError) as part:
            part.write_text(transcript(session, kept), "utf-8")
        yield path


def file_name(session: SessionId, kept: Conversation) -> str:
    """Return the name of a session's file: its day, what is harmless of its title, and its id."""
    times = [turn.sent_at for turn in kept.turns if turn.sent_at]
    day = f"{min(times):%Y-%m-%d} " if times else ""
    title = _UNSAFE.sub(" ", unicodedata.normalize("NFC", _heading(kept)))
    short = " ".join(title.split()).encode()[:TITLE].decode("utf-8", "ignore").strip(" -")
    return f"{day}{short} {session}.md".lstrip()


def transcript(session: SessionId, kept: Conversation) -> str:
    """Return a session as Markdown: who said what when, on the branch that was kept."""
    who = ", ".join(map(_plain, participants(kept.turns)))
    lines = [f"# {_plain(_heading(kept))}", "", f"{session} · {_plain(kept.source)} · {who}"]
    day = None
    for turn in kept.turns:
        if not turn.active:
            continue
        if turn.sent_at and turn.sent_at.date() != day:
            day = turn.sent_at.date()
            lines += ["", f"## {day:%A} {day}"]
        lines += ["", _turn(turn)]
    return "\n".join(lines) + "\n"


def _turn(turn: Turn) -> str:
    clock = f" {turn.sent_at:%H:%M}" if turn.sent_at else ""
    who = f"**{_plain(turn.speaker or turn.role.value)}**{clock}"
    text = _printable(turn.text).strip()
    if turn.kind is Kind.TEXT:
        return f"{who}\n\n{text}"
    return f"{who} *{turn.kind.value}*" + (f"\n\n{text}" if text else "")


def _heading(kept: Conversation) -> str:
    return kept.title.strip() or " and ".join(participants(kept.turns)) or "untitled"


def _plain(text: str) -> str:
    """Return a text on one line, without what Markdown would read as marks."""
    return _MARKS.sub(r"\\\1", " ".join(_printable(text).split()))


def _printable(text: str) -> str:
    """Return a text without control characters; line breaks and tabs stay."""
    return "".join(
        letter for letter in text if letter in "\n\t" or unicodedata.category(letter) != "Cc"
    )
