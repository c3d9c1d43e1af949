"""Small exports as documents, and the results of parsing them."""

import json
from contextlib import suppress
from io import BytesIO

from helpers.shared import SHARED
from memcli.domain import Conversation, Role
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions


def document(content, name="export.json", **others):
    """Return a file with this content: bytes and text unchanged, any other value as JSON.

    Args:
        content: of the file.
        name: of the file.
        others: contents of the files beside it, by path.
    """
    raw = content if isinstance(content, bytes) else _text(content).encode()
    found = {path: document(inner, path) for path, inner in others.items()}
    return Document(name, lambda: BytesIO(raw), file_finder=found.get)


def lines(*rows, ended=True):
    """Return JSON lines; a row that is text is not encoded."""
    return "\n".join(map(_text, rows)) + ("\n" if ended else "")


def _text(content):
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def parse_all(known, content, name="export.json", reading=None, **others):
    """Return all results of a format."""
    return list(known.parse(document(content, name, **others), reading or ParseOptions()))


def parse_one(known, content, *arguments, **others):
    """Return the one conversation that a format yields."""
    [found] = parse_all(known, content, *arguments, **others)
    assert isinstance(found, Conversation)
    return found


def turn_summaries(conversation):
    """Return (role, kind, text) of each turn."""
    return [(turn.role.value, turn.kind.value, turn.text) for turn in conversation.turns]


def shared_document(path):
    """Return a real export as a document that finds the files beside it."""
    from memcli.formats.sources import find_sources

    [place] = find_sources(SHARED / "samples" / path)
    [found] = place.documents()
    return found


def parse_until_error(known, content, name="export.json", **others):
    """Return the results of a damaged file up to an InputError, the only error it may raise."""
    kept = []
    with suppress(InputError):
        kept.extend(known.parse(document(content, name, **others), ParseOptions()))
    return kept


def account(known, content, name="export.json", **others):
    """Return the numbers of turns and of messages without a turn, by reason.

    All messages that the format saw are among them.
    """
    found = document(content, name, **others)
    items = [item for item in known.parse(found, ParseOptions()) if isinstance(item, Conversation)]
    turns = sum(len(item.turns) for item in items)
    assert found.counter.count_unexplained(turns) == 0
    return {
        "turns": turns,
        **{str(reason): count for reason, count in found.counter.omitted.items()},
    }


def show_turns(known, content, name="export.json", options=None, **others):
    """Return (chat title, time, speaker, kind, text) of each turn, and the skipped parts."""
    shown = []
    for item in parse_all(known, content, name, options, **others):
        if isinstance(item, Conversation):
            for turn in item.turns:
                speaker = "owner" if turn.role is Role.USER else turn.speaker
                time = turn.sent_at.isoformat() if turn.sent_at else None
                shown.append((item.title, time, speaker, turn.kind.value, turn.text))
        else:
            shown.append(item)
    return shown
