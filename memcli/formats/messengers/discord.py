"""DiscordChatExporter's JSON: a file per channel, thread or direct message, or several by date.

Message and channel ids are Discord's own, the same as in Discord's data package, so a message that
both have is stored once.

Source: JsonMessageWriter.cs and MessageKind.cs of DiscordChatExporter.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_MESSAGE = ("messages", "[]")
_INFO = (("guild",), ("channel",))
_SPEECH = frozenset({"Default", "Reply", "ChatInputCommand", "ContextMenuCommand", "20", "23", ""})
_DIRECT = "0"  # id that stands for the guild in direct messages


def _recognises(sample: Sample) -> bool:
    top = mapping(sample.json)
    return bool(mapping(top.get("channel")).get("id")) and any(
        {"id", "timestamp", "content"} <= message.keys() and "id" in mapping(message.get("author"))
        for message in map(mapping, sequence(top.get("messages")))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("discord", _messages(document, options))


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    info: dict[str, Mapping[str, Any]] = {}
    keys, number = MessageKeys(), 0
    for path, value in scan_json(document, [_MESSAGE, *_INFO]):
        if path in _INFO:
            info[path[0]] = mapping(value)
        if path != _MESSAGE:
            continue
        if "channel" not in info:  # it comes first, unless the file was rewritten
            info |= {
                path[0]: mapping(head) for path, head in scan_json(document, _INFO) if path in _INFO
            }
        number += 1
        document.counter.see()
        chat, title = _channel(info)
        if isinstance(value, BrokenValue):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", value.reason)
        elif turn := _turn(mapping(value), keys, options):
            yield ChatTurn(chat, title, turn)
        else:
            document.counter.omit(Omission.EMPTY)


def _channel(info: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Return the id and the title of the channel."""
    channel, guild = info.get("channel", {}), info.get("guild", {})
    name, server = string(channel.get("name")), string(guild.get("name"))
    is_direct = string(guild.get("id")) in ("", _DIRECT)
    title = name if is_direct or not server else f"{name} ({server})"
    return string(channel.get("id")) or "channel", title or "Discord channel"


def _turn(message: Mapping[str, Any], keys: MessageKeys, options: ParseOptions) -> Turn | None:
    """Return the turn that a message makes; None where it is empty."""
    author = mapping(message.get("author"))
    names = [string(author.get(name)) for name in ("nickname", "name", "id")]
    is_bot = author.get("isBot") is True
    kind, text = _content(message, is_bot=is_bot)
    if kind is Kind.TEXT and not text.strip():
        return None
    sent_at = parse_timestamp(message.get("timestamp"))
    reference = mapping(message.get("reference"))
    is_reply = string(message.get("type")) == "Reply" or reference.get("type") in (None, "Default")
    role = Role.ASSISTANT if is_bot else sender_role(options, *names)
    return Turn(
        key=string(message.get("id")) or keys.next_key(sent_at, names, text),
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=next(filter(None, names), None),
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=(string(reference.get("messageId")) or None) if is_reply else None,
        edited_at=parse_timestamp(message.get("timestampEdited")),
    )


def _content(message: Mapping[str, Any], *, is_bot: bool) -> tuple[Kind, str]:
    """Return the kind and the text of a message, without the previews of links people post."""
    words, kind = string(message.get("content")), string(message.get("type"))
    if kind == "Call":
        return Kind.CALL, words
    if kind not in _SPEECH:
        return Kind.SERVICE, words or "\n".join(filter(None, _embedded_texts(message)))
    forwarded = mapping(message.get("forwardedMessage"))
    parts = [words, *_poll_texts(mapping(message.get("poll")))]
    if is_bot or not words:
        parts += _embedded_texts(message)
    if forwarded:
        inner = "\n".join(
            filter(None, (string(forwarded.get("content")), *_embedded_texts(forwarded)))
        )
        parts.append(f"[forwarded] {inner}" if inner else "")
    files = [*sequence(message.get("attachments")), *sequence(forwarded.get("attachments"))]
    names = [_file_name(mapping(file)) for file in files]
    names += [string(mapping(sticker).get("name")) for sticker in sequence(message.get("stickers"))]
    return text_with_files("\n".join(filter(None, parts)), names)


def _poll_texts(poll: Mapping[str, Any]) -> Iterator[str]:
    """Yield the question of a poll and its answers."""
    yield string(mapping(poll.get("question")).get("text"))
    for answer in map(mapping, sequence(poll.get("answers"))):
        media = mapping(answer.get("pollMedia", answer.get("poll_media")))
        if text := string(media.get("text")) or string(answer.get("text")):
            yield f"- {text}"


def _embedded_texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of the boxes that are embedded in a message."""
    for embed in map(mapping, sequence(message.get("embeds"))):
        yield from (string(embed.get(name)) for name in ("title", "description"))
        for part in map(mapping, sequence(embed.get("fields"))):
            yield ": ".join(filter(None, (string(part.get("name")), string(part.get("value")))))


def _file_name(file: Mapping[str, Any]) -> str:
    return string(file.get("fileName")) or string(file.get("url")).rpartition("/")[2]


FORMAT = Format(name="discord", recognises=_recognises, parse=_parse)
