"""Element's "Export chat" as JSON: a room, with its Matrix events.

Element has applied the edits already; the events that made them may be there as well. Messages that
could not be decrypted are left out and reported.

Source: JSONExport.ts of matrix-react-sdk.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_MESSAGE = ("messages", "[]")
_TARGET = re.compile(r'<a\b[^>]*?\bhref="(https?://[^"]{1,2000})"')
_FILES = frozenset({"m.image", "m.file", "m.audio", "m.video"})
_NOTICES = {"m.room.name": "name", "m.room.topic": "topic"}
_CALLS = frozenset({"m.call.invite", "m.call.hangup"})
_VERIFICATION = "m.key.verification.request"
_POLLS = ("m.poll.start", "org.matrix.msc3381.poll.start")


def _recognises(sample: Sample) -> bool:
    return any(
        {"type", "sender", "origin_server_ts", "content"} <= event.keys()
        for event in map(mapping, sequence(mapping(sample.json).get("messages")))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("matrix", _events(document, options))


def _events(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    info: dict[str, str] = {}
    keys, number = MessageKeys(), 0
    for path, value in scan_json(document, [_MESSAGE]):
        if len(path) == 1 and isinstance(value, str):
            info[path[0]] = value
        if path != _MESSAGE:
            continue
        number += 1
        if "room_name" not in info:  # it comes first, unless the file was rewritten
            info = {"room_name": "", **_room_info(document), **info}
        title = info["room_name"] or "Matrix room"
        event = mapping(value)
        document.counter.see()
        if isinstance(value, BrokenValue):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", value.reason)
        elif event.get("type") == "m.room.encrypted" and not _is_redacted(event):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", "is encrypted")
        elif turn := _turn(event, keys, options):
            yield from _place_turn(string(event.get("room_id")) or title, title, event, turn)
        else:
            is_message = event.get("type") == "m.room.message"
            document.counter.omit(Omission.EMPTY if is_message else Omission.BOOKKEEPING)


def _room_info(document: Document) -> dict[str, str]:
    """Return the texts at the top of the export, such as the name of the room."""
    info: dict[str, str] = {}
    try:
        for path, value in scan_json(document, [_MESSAGE]):
            if len(path) == 1 and isinstance(value, str):
                info[path[0]] = value
    except InputError:
        pass  # reading the messages reports it
    return info


def _place_turn(room: str, title: str, event: Mapping[str, Any], turn: Turn) -> Iterator[ChatTurn]:
    """Yield the turn in its room, or in its thread, which is a conversation of its own."""
    relation = mapping(mapping(event.get("content")).get("m.relates_to"))
    root = string(relation.get("event_id"))
    if relation.get("rel_type") == "m.thread" and root:
        yield ChatTurn(f"{room}/{root}", f"{title}, thread", turn)
    else:
        yield ChatTurn(room, title, turn)


def _turn(event: Mapping[str, Any], keys: MessageKeys, options: ParseOptions) -> Turn | None:
    """Return the turn that an event makes; None where it is no message, or only edits one."""
    content = mapping(event.get("content"))
    relation = mapping(content.get("m.relates_to"))
    kind, text = _content(event, content)
    if kind is None or relation.get("rel_type") == "m.replace" or (kind is Kind.TEXT and not text):
        return None
    sender = string(event.get("sender"))
    name = string(mapping(event.get("sender_profile")).get("displayname")) or sender
    reply_to = string(mapping(relation.get("m.in_reply_to")).get("event_id"))
    sent_at = parse_timestamp(event.get("origin_server_ts"))
    last_edit = mapping(mapping(mapping(event.get("unsigned")).get("m.relations")).get("m.replace"))
    role = (
        Role.ASSISTANT
        if content.get("msgtype") == "m.notice"
        else sender_role(options, name, sender)
    )
    return Turn(
        key=string(event.get("event_id")) or keys.next_key(sent_at, sender, text),
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=name or None,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=reply_to or string(relation.get("event_id")) or None,
        edited_at=parse_timestamp(last_edit.get("origin_server_ts")),
    )


def _content(event: Mapping[str, Any], content: Mapping[str, Any]) -> tuple[Kind | None, str]:
    """Return the kind and the text of an event; no kind where it is no message."""
    kind, body = string(event.get("type")), string(content.get("body"))
    if kind in _NOTICES:
        return Kind.SERVICE, string(content.get(_NOTICES[kind]))
    if kind in _CALLS:
        return Kind.CALL, ""
    if content.get("msgtype") == _VERIFICATION:
        return Kind.SERVICE, body
    if _is_redacted(event):
        return Kind.DELETED, ""
    if kind == "m.sticker" or content.get("msgtype") in _FILES:
        name = string(content.get("filename"))
        return Kind.MEDIA, f"{body}\n[{name}]" if name and name != body else body
    if kind in _POLLS:
        return Kind.TEXT, _poll_text(mapping(content.get(kind, content.get(_POLLS[0]))))
    if kind != "m.room.message":
        # Events of newer kinds have their text in a form for clients that do not know them.
        body = body or _extensible_text(content)
        return (Kind.TEXT if body and "state_key" not in event else None), body
    new_content = mapping(content.get("m.new_content")) or content
    body = _without_quote(string(new_content.get("body")) or body, content)
    if "formatted_body" not in new_content and "geo_uri" not in content:
        return Kind.TEXT, body
    place = string(content.get("geo_uri"))
    targets = [place, *_link_targets(string(new_content.get("formatted_body")))]
    missing = [target for target in dict.fromkeys(targets) if target not in body]
    return Kind.TEXT, "\n".join(filter(None, (body, *missing)))


def _is_redacted(event: Mapping[str, Any]) -> bool:
    """Return whether a message was deleted: nothing but the event is left."""
    content = mapping(event.get("content"))
    if len(content) > 1 or content.keys() - {"m.relates_to"}:
        return False
    return event.get("type") in ("m.room.message", "m.room.encrypted", "m.sticker", *_POLLS)


def _extensible_text(content: Mapping[str, Any]) -> str:
    """Return the text of an event in the form of extensible events."""
    for name in ("m.text", "org.matrix.msc1767.text"):
        value = content.get(name)
        texts = [mapping(part).get("body") for part in sequence(value)] or [value]
        if text := next(filter(None, map(string, texts)), ""):
            return text
    return ""


def _poll_text(poll: Mapping[str, Any]) -> str:
    """Return the question of a poll and its answers."""
    answers = map(mapping, sequence(poll.get("answers")))
    lines = [_extensible_text(mapping(poll.get("question")))]
    lines += [f"- {_extensible_text(answer)}" for answer in answers]
    return "\n".join(filter(None, lines))


def _link_targets(html: str) -> list[str]:
    """Return the targets of the links in a formatted text, but not the people it mentions."""
    targets = (unescape(target) for target in _TARGET.findall(html))
    return [target for target in targets if not target.startswith("https://matrix.to/")]


def _without_quote(body: str, content: Mapping[str, Any]) -> str:
    """Return a reply without the lines that it repeats of the message it answers."""
    if "m.in_reply_to" not in mapping(content.get("m.relates_to")) or not body.startswith("> <"):
        return body
    _, blank, own = body.partition("\n\n")
    return own if blank else body


FORMAT = Format(name="matrix", recognises=_recognises, parse=_parse)
