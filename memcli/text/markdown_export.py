"""Writes sessions as Markdown, one file per session, under names that are safe everywhere."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from memcli.domain import Conversation, Kind, SessionId, Turn, participants
from memcli.errors import StoreError
from memcli.files import atomic_writes

_TITLE_BYTES = 100  # bytes of a title in a file name, which must stay under 255 bytes

_UNSAFE = re.compile(r"[^\w ,;!()'+=&@-]+")  # slashes, dots and invisible characters, too
_MARKUP = re.compile(r"([\\`*_\[\]<>#])")  # characters that Markdown would read as markup
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # Unicode's Cc, but tab and line feed


def write_transcripts(
    sessions: Iterator[tuple[SessionId, Conversation]], folder: Path
) -> Iterator[Path]:
    """Write each session to a file of its own, and yield its path; an older file is replaced.

    Raises:
        StoreError: the folder or a file in it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}") from error
    with atomic_writes(folder, StoreError) as write:
        for session, conversation in sessions:
            name = transcript_file_name(session, conversation)
            write(name, format_transcript(session, conversation).encode())
            yield folder / name


def transcript_file_name(session: SessionId, conversation: Conversation) -> str:
    """Return the name of a session's file: its day, the safe part of its title, and its id."""
    times = [turn.sent_at for turn in conversation.turns if turn.sent_at]
    day = f"{min(times):%Y-%m-%d} " if times else ""
    title = _UNSAFE.sub(" ", unicodedata.normalize("NFC", _title(conversation)))
    short = " ".join(title.split()).encode()[:_TITLE_BYTES].decode("utf-8", "ignore").strip(" -")
    return f"{day}{short} {session}.md".lstrip()


def format_transcript(session: SessionId, conversation: Conversation) -> str:
    """Return a session as Markdown: speaker, time and text of each turn of its active branch."""
    speakers = ", ".join(map(_escape, participants(conversation.turns)))
    lines = [
        f"# {_escape(_title(conversation))}",
        "",
        f"{session} · {_escape(conversation.source)} · {speakers}",
    ]
    day = None
    for turn in conversation.turns:
        if not turn.active:
            continue
        if turn.sent_at and turn.sent_at.date() != day:
            day = turn.sent_at.date()
            lines += ["", f"## {day:%A} {day}"]
        lines += ["", _format_turn(turn)]
    return "\n".join(lines) + "\n"


def _format_turn(turn: Turn) -> str:
    clock = f" {turn.sent_at.hour:02}:{turn.sent_at.minute:02}" if turn.sent_at else ""
    speaker = f"**{_escape_name(turn.speaker or turn.role.value)}**{clock}"
    text = _printable(turn.text).strip()
    if turn.kind is Kind.TEXT:
        return f"{speaker}\n\n{text}"
    return f"{speaker} *{turn.kind.value}*" + (f"\n\n{text}" if text else "")


def _title(conversation: Conversation) -> str:
    return (
        conversation.title.strip() or " and ".join(participants(conversation.turns)) or "untitled"
    )


def _escape(text: str) -> str:
    """Return a text on one line, with the markup characters of Markdown escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(_printable(text).split()))


@lru_cache(4096)  # the same names stand before every turn
def _escape_name(name: str) -> str:
    return _escape(name)


def _printable(text: str) -> str:
    """Return a text without control characters; line breaks and tabs stay."""
    return text if text.isprintable() else _CONTROL.sub("", text)
