"""Codex's copies of sessions of other programs, which its own list of imports names.

    ~/.codex/external_agent_session_imports.json
    {"records": [{"source_path": "/home/o/.claude/...", "imported_thread_id": ...}]}

A copy begins with the turns of the original, with new times. Where the original lies in the same
export, the copy gives the original in place of these turns, which is then stored once; otherwise it
stays as it is, because programs delete old sessions.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from memcli.domain import Conversation, Doubt, Kind, Omission, Role, Turn
from memcli.errors import InputError
from memcli.formats.agents import claude_code
from memcli.formats.format import ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import read_elements
from memcli.formats.parsing.values import mapping, string
from memcli.lazy_dataclasses import replace

IMPORTS_FILE = "external_agent_session_imports.json"
_MAX_FOLDERS = 7  # from a log up to the folder of the list; its own layout has 4


def own_part(document: Document, conversation: Conversation) -> Iterator[ParsedItem]:
    """Yield a conversation without the turns that it copied from another program.

    Args:
        document: the log of the conversation.
        conversation: with the copied turns.
    """
    source, folder = _source_path(document, conversation.key)
    if not source:
        yield conversation
        return
    where = f"session {conversation.key}"
    original = _find_original(document, source, folder)
    if original is None:
        yield conversation
        why = f"is a copy of {source}: if that is imported, too, it is there twice"
        yield Doubt(where, why)
        return
    try:
        copied = [
            item
            for item in claude_code.FORMAT.parse(original, ParseOptions())
            if isinstance(item, Conversation)
        ]
    except InputError:
        copied = []
    turns = _without_copy(conversation.turns, copied)
    if any(turn.is_searchable for turn in turns):
        document.counter.omit(Omission.REPEATED, len(conversation.turns) - len(turns))
        yield replace(conversation, turns=turns)
    else:  # it gives what the original gives, which is then stored once
        document.counter.omit(Omission.REPEATED, len(conversation.turns))
        document.counter.update(original.counter)
        yield from copied


def _source_path(document: Document, thread: str) -> tuple[str, str]:
    """Return the path that a thread was copied from, and the way to the folder of the list."""
    for steps in range(1, _MAX_FOLDERS):
        folder = "../" * steps
        known = document.find_file(folder + IMPORTS_FILE)
        if known is None:
            continue
        try:
            for value in read_elements(known, "records"):
                record = mapping(value)
                if string(record.get("imported_thread_id")) == thread:
                    return string(record.get("source_path")), folder
        except InputError:
            return "", ""
    return "", ""


def _find_original(document: Document, source: str, folder: str) -> Document | None:
    """Return the log that was copied, if it lies beside the folder of Codex as it did there."""
    parts = PurePosixPath(source.replace("\\", "/")).parts
    hidden = [at for at, part in enumerate(parts) if part.startswith(".")]
    if not hidden:
        return None
    return document.find_file(folder + "../" + "/".join(parts[hidden[0] :]))


def _without_copy(turns: tuple[Turn, ...], copied: list[Conversation]) -> tuple[Turn, ...]:
    """Return the turns after the last one of those at the beginning that the original has."""
    texts = Counter(
        turn_content(turn)
        for original in copied
        for turn in original.turns
        if turn.kind is Kind.TEXT
    )
    end = 0
    for at, turn in enumerate(turns):
        if turn.kind is Kind.TEXT and turn.role in (Role.USER, Role.ASSISTANT):
            if not texts[turn_content(turn)]:
                break
            texts[turn_content(turn)] -= 1
            end = at + 1
    return turns[end:]


def turn_content(turn: Turn) -> tuple[Role, Kind, str]:
    """Return what makes two turns of one session the same: all but the spaces."""
    return turn.role, turn.kind, " ".join(turn.text.split())
