"""DiscordChatExporter's JSON: a channel, a thread or a direct message a file, or several by date.

Message and channel ids are Discord's own, the same as in Discord's data package, so that what both
hold is kept once.

Source: JsonMessageWriter.cs and MessageKind.cs of DiscordChatExporter.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.formats.building.long_chats import Said, in_pieces, person, with_files
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, scan
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import Keys, instant, mapping, sequence, string

_MESSAGE = ("messages", "[]")
_HEADS = (("guild",), ("channel",))
_SPEECH = frozenset({"Default", "Reply", "ChatInputCommand", "ContextMenuCommand", "20", "23", ""})
_DIRECT = "0"  # guild of direct messages


def _recognises(sample: Sample) -> bool:
    top = mapping(sample.json)
    return bool(mapping(top.get("channel")).get("id")) and any(
        {"id", "timestamp", "content"} <= message.keys() and "id" in mapping(message.get("author"))
        for message in map(mapping, sequence(top.get("messages")))
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("discord", _messages(document, reading))


def _messages(document: Document, reading: Reading) -> Iterator[Said | Skipped]:
    heads: dict[str, Mapping[str, Any]] = {}
    keys, number = Keys(), 0
    for path, value in scan(document, [_MESSAGE, *_HEADS]):
        if path in _HEADS:
            heads[path[0]] = mapping(value)
        if path != _MESSAGE:
            continue
        if "channel" not in heads:  # they come first, but for a file that was rewritten
            heads |= {
                path[0]: mapping(head) for path, head in scan(document, _HEADS) if path in _HEADS
            }
        number += 1
        chat, title = _channel(heads)
        if isinstance(value, Broken):
            yield Skipped(f"message {number} of {title}", value.why)
        elif turn := _turn(mapping(value), keys, reading):
            yield Said(chat, title, turn)


def _channel(heads: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    channel, guild = heads.get("channel", {}), heads.get("guild", {})
    name, server = string(channel.get("name")), string(guild.get("name"))
    direct = string(guild.get("id")) in ("", _DIRECT)
    title = name if direct or not server else f"{name} ({server})"
    return string(channel.get("id")) or "channel", title or "Discord channel"


def _turn(message: Mapping[str, Any], keys: Keys, reading: Reading) -> Turn | None:
    """Return the turn a message makes; None where it holds nothing."""
    author = mapping(message.get("author"))
    names = [string(author.get(name)) for name in ("nickname", "name", "id")]
    kind, text = _content(message, robot=author.get("isBot") is True)
    if kind is Kind.TEXT and not text.strip():
        return None
    sent_at = instant(message.get("timestamp"))
    reference = mapping(message.get("reference"))
    answers = string(message.get("type")) == "Reply" or reference.get("type") in (None, "Default")
    role = Role.ASSISTANT if author.get("isBot") is True else person(reading, *names)
    return Turn(
        key=string(message.get("id")) or keys.key(sent_at, names, text),
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=next(filter(None, names), None),
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=(string(reference.get("messageId")) or None) if answers else None,
        edited_at=instant(message.get("timestampEdited")),
    )


def _content(message: Mapping[str, Any], *, robot: bool) -> tuple[Kind, str]:
    """Return what a message is and says; of links that people post, not the preview."""
    words, kind = string(message.get("content")), string(message.get("type"))
    if kind == "Call":
        return Kind.CALL, words
    if kind not in _SPEECH:
        return Kind.SERVICE, words
    forwarded = mapping(message.get("forwardedMessage"))
    parts = [words, string(mapping(mapping(message.get("poll")).get("question")).get("text"))]
    if robot or not words:
        parts += _embedded(message)
    if forwarded:
        inner = "\n".join(filter(None, (string(forwarded.get("content")), *_embedded(forwarded))))
        parts.append(f"[forwarded] {inner}" if inner else "")
    files = [*sequence(message.get("attachments")), *sequence(forwarded.get("attachments"))]
    names = [_file_name(mapping(file)) for file in files]
    names += [string(mapping(one).get("name")) for one in sequence(message.get("stickers"))]
    return with_files("\n".join(filter(None, parts)), names)


def _embedded(message: Mapping[str, Any]) -> Iterator[str]:
    for embed in map(mapping, sequence(message.get("embeds"))):
        yield from (string(embed.get(name)) for name in ("title", "description"))
        for part in map(mapping, sequence(embed.get("fields"))):
            yield ": ".join(filter(None, (string(part.get("name")), string(part.get("value")))))


def _file_name(file: Mapping[str, Any]) -> str:
    return string(file.get("fileName")) or string(file.get("url")).rpartition("/")[2]


FORMAT = Format(
    name="discord",
    title="DiscordChatExporter export",
    recognises=_recognises,
    parse=_parse,
)
