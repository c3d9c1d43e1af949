"""The content of Claude's messages: blocks, uploads, and artifacts, which are documents it writes.

Until 2024 thoughts and artifacts are tags inside of the text:

    <antThinking>...</antThinking>
    <antArtifact identifier="..." type="..." title="Tides">...</antArtifact>

Source: exports of several years; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind
from memcli.formats.building.blocks import part_label
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.values import mapping, sequence, string

_PLACEHOLDER = "```\nThis block is not supported on your current device yet.\n```"
_THOUGHT = re.compile(r"\n*<antThinking>.*?(?:</antThinking>|\Z)\n*", re.DOTALL)
_ARTIFACT = re.compile(r"<antArtifact\b([^>]*)>(.*?)(?:</antArtifact>|\Z)", re.DOTALL)
_TITLE = re.compile(r'\btitle="([^"]*)"')

# Types of blocks that hold no words of the person or of the assistant.
_SILENT_TYPES = frozenset(
    "thinking redacted_thinking tool_use tool_result token_budget flag tool_call server_tool_use"
    " web_search_tool_result".split()
)
_ARTIFACT_TEXTS = ("content", "file_text", "new_str")  # keys of the input of a tool
_ARTIFACT_TOOLS = ("artifacts", "create_file")

Row = Mapping[str, Any]


def claude_message_content(message: Row, counter: MessageCounter) -> tuple[Kind, str]:
    """Return the kind and the text of a message: its blocks, pasted texts and names of uploads.

    A message that has only uploads is MEDIA. The text is "" if a message has none of them; thoughts
    and tool calls are left out.

    Args:
        message: of the person or the assistant.
        counter: counts blocks of unknown types.
    """
    content = message.get("content")
    texts = [text for block in sequence(content) if (text := _block_text(block, counter)).strip()]
    text = "\n".join(texts) or string(message.get("text")) or string(content)
    parts = [_without_tags(text.replace(_PLACEHOLDER, "")), *_pasted_texts(message)]
    said = "\n\n".join(part for part in parts if part.strip())
    names = _upload_names(message)
    if not said.strip():
        return Kind.MEDIA, ", ".join(names)
    names = [name for name in names if not name.startswith("[")]
    return Kind.TEXT, f"{said}\n[{', '.join(names)}]" if names else said


def _block_text(value: object, counter: MessageCounter) -> str:
    block = mapping(value)
    kind, text = string(block.get("type")) or "text", string(block.get("text"))
    if kind == "text":
        return text
    if kind in ("tool_use", "tool_call"):
        return _artifact_text(block)
    if kind in _SILENT_TYPES:
        return ""
    if kind != "voice_note":
        counter.keep_unknown(kind)
    for name in ("text", "transcript", "content"):
        if string(block.get(name)).strip():
            return string(block.get(name))
    names = ("title", "name", "file_name")
    name = next(filter(None, (string(block.get(key)) for key in names)), "")
    return part_label(kind, name)


def _artifact_text(block: Row) -> str:
    """Return the document that a tool writes or changes; "" for other tools."""
    fields = mapping(block.get("input"))
    if string(block.get("name")) not in _ARTIFACT_TOOLS:
        return ""
    texts = (string(fields.get(name)) for name in _ARTIFACT_TEXTS)
    text = next(filter(str.strip, texts), "")
    path = string(fields.get("path")).rpartition("/")[2]
    title = string(fields.get("title")) or path or string(fields.get("id"))
    return f"{part_label('artifact', title)}\n{text}".rstrip() if text or title else ""


def _without_tags(text: str) -> str:
    """Return a text without thoughts, and with the titles of artifacts in place of their tags."""
    if "<ant" not in text:
        return text
    return _ARTIFACT.sub(_replace_artifact, _THOUGHT.sub("\n\n", text)).strip("\n")


def _replace_artifact(match: re.Match[str]) -> str:
    title = _TITLE.search(match[1])
    return f"{part_label('artifact', title[1] if title else '')}\n{match[2].strip()}"


def _pasted_texts(message: Row) -> list[str]:
    """Return the texts of attachments: pasted texts, and files, which have names."""
    attachments = map(mapping, sequence(message.get("attachments")))
    return [string(attachment.get("extracted_content")) for attachment in attachments]


def _upload_names(message: Row) -> list[str]:
    """Return the names of all files, once each; "[file]" if there are only files without one."""
    names: dict[str, None] = {}
    has_unnamed = False
    for key in ("attachments", "files", "files_v2"):
        for file in map(mapping, sequence(message.get(key))):
            name = string(file.get("file_name")) or string(file.get("name"))
            names |= {name: None} if name.strip() else {}
            has_unnamed = has_unnamed or not (name.strip() or file.get("extracted_content"))
    return list(names) or (["[file]"] if has_unnamed else [])


def design_messages(chat: Row) -> Iterator[Row]:
    """Yield the messages of a design chat in the form of other messages."""
    for message in map(mapping, sequence(chat.get("messages"))):
        content = mapping(message.get("content")) or message
        blocks = [*sequence(content.get("contentBlocks"))]
        sent_at = message.get("created_at") or content.get("timestamp")
        yield {
            "uuid": message.get("uuid") or content.get("id"),
            "sender": message.get("role") or content.get("role"),
            "created_at": sent_at,
            "text": content.get("content"),
            "content": blocks,
            "files": content.get("attachments"),
        }
