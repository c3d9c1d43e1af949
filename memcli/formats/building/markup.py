"""Markup of assistants inside of texts: references to search results, and thoughts.

Markup is a type and its fields between characters of Unicode's private use area, shown here as
`<`, `|` and `>`. Some fields are words that the person saw, and others refer to search results:

    <cite|turn0search1|turn0search2>
    <entity|["restaurant","Chez Odile","a bouchon"]>
    <url|Guide|https://example.org/guide>

A thought is in a tag at the beginning of an answer, as open models write it:

    <think>The person wants a name.</think>Biscuit.
"""

import re
from collections.abc import Iterator
from typing import Any

from memcli.domain import Kind, Role
from memcli.formats.building.blocks import Block, text_block
from memcli.formats.parsing.json_stream import parse_or_broken
from memcli.formats.parsing.values import mapping, string

_SPAN = re.compile("( ?)\ue200([^\ue200\ue201]*+)(?:\ue201|$)")
_FIELD = "\ue202"
_MARKS = re.compile("[\ue200-\ue206]")
_OLD_CITATION = re.compile(
    r" ?【[\d:]++†[^【】]*+】|:{1,2}contentReference\[[^\]]*\](?:\{[^}]*\})?"
)
_REFERENCE = re.compile(r"(?:turn\d+[a-z_]+\d+[,;\s]*)+|L\d+(?:-L?\d+)?")
_NAME_KEYS = ("title", "name", "label", "text", "caption")
_LOOSE_REFERENCE = re.compile(r" ?\ue202turn\d+[a-z_]+\d+")
_BEFORE_THOUGHT = " \t\r\n<:"  # the first characters of an answer that may begin with a thought
_THOUGHT = re.compile(
    r"\s*(?:<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)|:::thinking\n(.*?)(?:\n:::|\Z))",
    re.DOTALL,
)


def replace_markup(text: str) -> str:
    """Return a text in which markup is replaced by its words."""
    if "【" in text or "contentReference" in text:
        text = _OLD_CITATION.sub("", text)
    if not text.isascii() and _has_marks(text):
        text = _LOOSE_REFERENCE.sub("", _SPAN.sub(_replace_span, text))
        text = _MARKS.sub("", text)
    return text


def _has_marks(text: str) -> bool:
    """Return whether a text has any of the marks; this is ten times as fast as one pattern."""
    has_span = "\ue200" in text or "\ue201" in text or "\ue202" in text
    return has_span or "\ue203" in text or "\ue204" in text or "\ue205" in text or "\ue206" in text


def _replace_span(match: re.Match[str]) -> str:
    kind, *fields = match[2].split(_FIELD)
    if kind.strip().endswith("cite"):
        return ""
    words: list[str] = []
    link = ""
    for field in map(str.strip, fields):
        if field.startswith(("http://", "https://")):
            link = field
        elif field.startswith(("[", "{")) and field.endswith(("]", "}")):
            words += _names(parse_or_broken(field))
        elif field and not _REFERENCE.fullmatch(field):
            words.append(field)
    label = ", ".join(dict.fromkeys(words))
    shown = f"[{label}]({link})" if label and link else label or link
    return match[1] + shown if shown else ""


def _names(value: Any) -> Iterator[str]:  # Any: JSON values have all types
    """Yield the names in a field: of a list that begins with a type, the string after it."""
    if isinstance(value, list):
        texts = [text for text in value if isinstance(text, str)]
        names = [text for text in texts if not _REFERENCE.fullmatch(text)]
        is_typed = len(names) > 1 and len(names) == len(texts)
        yield from names[1:2] if is_typed else names[:1]
        inner: list[Any] = value
    else:
        fields = mapping(value)
        yield from filter(None, (string(fields.get(key)) for key in _NAME_KEYS))
        inner = list(fields.values())
    for child in inner:
        if isinstance(child, list) and any(isinstance(item, list | dict) for item in child):
            for item in child:
                yield from _names(item)
        elif isinstance(child, dict):
            yield from _names(child)


def answer_blocks(text: str) -> list[Block]:
    """Return the blocks of an assistant's text: the thoughts at its beginning, and the answer."""
    blocks: list[Block] = []
    if text[:1] not in _BEFORE_THOUGHT:  # nearly always
        return text_block(Role.ASSISTANT, replace_markup(text))
    while match := _THOUGHT.match(text):
        thought = (match[2] or match[3] or "").strip()
        blocks += text_block(Role.ASSISTANT, thought, Kind.THOUGHT)
        text = text[match.end() :].lstrip("\n")
    return blocks + text_block(Role.ASSISTANT, replace_markup(text))
