"""Small exports as documents, and what a format makes of them."""

import json
from contextlib import suppress
from io import BytesIO

from helpers.shared import SHARED
from memcli.domain import Conversation
from memcli.errors import InputError
from memcli.formats import Document, Reading


def document(content, name="export.json", **others):
    """A file with this content: bytes and text as they are, anything else as JSON.

    `others` are the files beside it.
    """
    raw = content if isinstance(content, bytes) else _text(content).encode()
    found = {path: document(inner, path) for path, inner in others.items()}
    return Document(name, lambda: BytesIO(raw), find=found.get)


def lines(*rows, ended=True):
    """JSON lines; a row that is text stands as it is."""
    return "\n".join(map(_text, rows)) + "\n" * ended


def _text(content):
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def read(known, content, name="export.json", reading=None, **others):
    """Everything a format yields."""
    return list(known.parse(document(content, name, **others), reading or Reading()))


def one(known, content, *arguments, **others):
    """The one conversation that a format yields."""
    [found] = read(known, content, *arguments, **others)
    assert isinstance(found, Conversation)
    return found


def told(conversation):
    """Who says or does what."""
    return [(turn.role.value, turn.kind.value, turn.text) for turn in conversation.turns]


def sample(path):
    """A real export, with what lies beside it."""
    from memcli.formats.sources import places

    [place] = places(SHARED / "samples" / path)
    [found] = place.documents()
    return found


def survivors(known, content, name="export.json", **others):
    """What a damaged file still gives; only InputError may cut it short."""
    kept = []
    with suppress(InputError):
        kept.extend(known.parse(document(content, name, **others), Reading()))
    return kept
