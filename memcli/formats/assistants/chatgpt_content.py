"""The content of ChatGPT's messages: parts, uploads and canvas documents.

Source: exports of several years, and the parsers of open programs.
"""

from collections.abc import Mapping
from typing import Any

from memcli.domain import Kind
from memcli.formats.building.blocks import part_label
from memcli.formats.building.markup import replace_markup
from memcli.formats.parsing.json_stream import BrokenValue, parse_or_broken
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.values import mapping, sequence, string

CANVAS = "canmore."  # the recipient of messages that write or edit a document

# Types of content that a program wrote for the model, or the model for a program.
_SILENT_TYPES = frozenset(
    "thoughts reasoning_recap code execution_output user_editable_context model_editable_context"
    " tether_quote tether_browsing_display tether_browsing_code sonic_webpage system_error"
    " citable_code_output computer_output app_pairing_content".split()
)
_PICTURE, _SOUND = "[image", "[voice message"  # beginnings of labels
_KNOWN_TYPES = ("text", "multimodal_text", "")
_SOUNDS = ("audio_asset_pointer", "real_time_user_audio_video_asset_pointer")

Row = Mapping[str, Any]


def chatgpt_message_content(message: Row, counter: MessageCounter) -> tuple[Kind, str]:
    """Return the kind and the text of a message that the person saw; "" if it has no content.

    Names of uploads stand in brackets after the text. A message without a text is MEDIA. A message
    that a program wrote for the model, or the model for a program, is TEXT and "".

    Args:
        message: of the person or the assistant.
        counter: counts content of unknown types.
    """
    content = mapping(message.get("content"))
    kind = string(content.get("content_type"))
    if kind in _SILENT_TYPES:
        return Kind.TEXT, ""
    if kind not in _KNOWN_TYPES:
        counter.keep_unknown(kind)
    parts, labels = content.get("parts"), list[str]()
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], str):  # nearly always
        text = parts[0]
    else:
        parts = _parts(kind, content)
        labels = [each for part in parts for each in _part_labels(mapping(part), counter)]
        texts = (string(part) or string(mapping(part).get("text")) for part in parts)
        text = "\n".join(filter(None, texts))
    text = replace_markup(text).strip("\n")
    names = _upload_names(mapping(message.get("metadata")))
    if not (names or labels) and text.strip():  # nearly always
        return Kind.TEXT, text
    if not text.strip():
        pictures = [label for label in labels if label.startswith(_PICTURE)]
        others = [label for label in labels if label not in pictures]
        return Kind.MEDIA, ", ".join([*names, *pictures[len(names) :], *others])
    names += [label[1:-1] for label in labels if not label.startswith((_PICTURE, _SOUND))]
    return Kind.TEXT, f"{text}\n[{', '.join(names)}]" if names else text


def drawn_pictures(message: Row) -> str:
    """Return labels of the pictures that a tool drew for the person, "" if it drew none."""
    content = mapping(message.get("content"))
    if string(content.get("content_type")) != "multimodal_text":
        return ""
    parts = [mapping(part) for part in sequence(content.get("parts"))]
    pictures = (part for part in parts if part.get("content_type") == "image_asset_pointer")
    return ", ".join(label for part in pictures for label in _part_labels(part, MessageCounter()))


def canvas_text(message: Row) -> str:
    """Return a document of the canvas that a message writes, or the texts that it changes."""
    content = mapping(message.get("content"))
    written = string(content.get("text")) or "".join(map(string, sequence(content.get("parts"))))
    value = parse_or_broken(written) if written.strip() else {}
    if isinstance(value, BrokenValue):
        return f"{part_label('canvas')}\n{written.strip()}"
    fields = mapping(value)
    changes = [*sequence(fields.get("updates")), *sequence(fields.get("comments"))]
    texts = [string(fields.get("content"))]
    for name in ("replacement", "comment"):
        texts += [string(mapping(change).get(name)) for change in changes]
    title = part_label("canvas", string(fields.get("name")) or string(fields.get("title")))
    return "\n".join([title, *(text for text in texts if text.strip())]) if fields else ""


def _parts(kind: str, content: Row) -> list[Any]:
    """Return the parts of a content; those of unknown types have them under other names."""
    if parts := sequence(content.get("parts")):
        return parts
    names = ("text", "content", "result")
    text = next(filter(str.strip, (string(content.get(name)) for name in names)), "")
    if text or kind in ("", "text", "multimodal_text"):
        return [text]
    return [{"content_type": kind, "title": content.get("title")}]


def _part_labels(part: Row, counter: MessageCounter) -> list[str]:
    """Return a label of a part that has no text: a picture, a sound, or an unknown one."""
    kind = string(part.get("content_type"))
    if not kind or string(part.get("text")).strip():
        return []
    if kind == "image_asset_pointer":
        made = mapping(mapping(part.get("metadata")).get("dalle"))
        return [part_label("image", string(made.get("prompt")))]
    if kind in _SOUNDS or kind == "audio_transcription":
        return ["[voice message]"]
    name = string(part.get("title")) or string(part.get("name"))
    counter.keep_unknown(kind)
    return [part_label(kind.removesuffix("_asset_pointer"), name)]


def _upload_names(metadata: Row) -> list[str]:
    uploads = sequence(metadata.get("attachments"))
    if not uploads:
        return []
    return [name for upload in uploads if (name := string(mapping(upload).get("name")).strip())]
