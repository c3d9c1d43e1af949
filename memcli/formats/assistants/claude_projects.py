"""Claude's projects and memories, which lie beside the conversations in its data export.

    projects.json, projects/<uuid>.json    instructions and documents that the person gave
    memories.json, memories/<uuid>.json    notes that Claude keeps about the person
    [{"conversations_memory": "...", "project_memories": {"<uuid>": "..."}, "account_uuid": "..."}]

A project is a conversation of its texts; the memories of an account are another one.

Source: exports of 2025 and 2026 as open programs read them; there is no published schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Clock, Omission, Role, Turn
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_MEMORIES = ("conversations_memory", "project_memories", "memory_files")
_MEMORY_TITLE = "Claude's memory"

Row = Mapping[str, Any]


def is_collection(element: Row) -> bool:
    """Return whether an object is a project or the memories of an account."""
    return _is_project(element) or not element.keys().isdisjoint(_MEMORIES)


def _is_project(element: Row) -> bool:
    is_named = "uuid" in element and "name" in element
    return is_named and ("prompt_template" in element or isinstance(element.get("docs"), list))


def collection_metadata(element: Row) -> Row:
    """Return the title and the id of a project, or of the memories of an account."""
    if _is_project(element):
        return element
    return {"name": _MEMORY_TITLE, "uuid": f"memories/{string(element.get('account_uuid'))}"}


def collection_turns(element: Row, counter: MessageCounter) -> list[Turn]:
    """Return a turn for each text."""
    texts = _project_texts(element) if _is_project(element) else _memory_texts(element)
    turns = []
    for key, role, text, time in texts:
        counter.see()
        if not text.strip() or element.get("is_starter_project") is True:  # an example of Claude's
            counter.omit(Omission.HIDDEN if text.strip() else Omission.EMPTY)
            continue
        sent_at = parse_timestamp(time)
        clock = Clock.INHERITED if sent_at else Clock.NONE
        turns.append(Turn(key, role, text, sent_at=sent_at, clock=clock))
    return turns


_Text = tuple[str, Role, str, object]  # key, role, text, and its time as it is written


def _project_texts(project: Row) -> Iterator[_Text]:
    time = project.get("created_at")
    for name in ("description", "prompt_template"):
        if text := string(project.get(name)):
            yield name, Role.USER, text, time
    for number, document in enumerate(map(mapping, sequence(project.get("docs"))), start=1):
        name, content = string(document.get("filename")), string(document.get("content"))
        key = string(document.get("uuid")) or f"document {number}"
        text = f"{content}\n[{name}]" if name and content.strip() else content or name
        yield key, Role.USER, text, document.get("created_at", time)


def _memory_texts(memories: Row) -> Iterator[_Text]:
    yield "conversations", Role.ASSISTANT, string(memories.get("conversations_memory")), None
    for key, text in mapping(memories.get("project_memories")).items():
        yield key, Role.ASSISTANT, string(text), None
    for number, file in enumerate(map(mapping, sequence(memories.get("memory_files"))), start=1):
        path = string(file.get("path"))
        yield path or f"file {number}", Role.ASSISTANT, string(file.get("content")), None
