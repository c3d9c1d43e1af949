"""Google Hangouts in Google Takeout: all conversations in `Hangouts.json`.

Source: Takeouts of 2013 to 2022 as open programs read them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, sequence, string
from memcli.formats.parsing.written_times import parse_written_time

_EVENTS = (
    ("conversations", "[]", "events", "[]"),
    ("conversation_state", "[]", "conversation_state", "event", "[]"),  # before 2017
)
_INFO = (
    ("conversations", "[]", "conversation"),
    ("conversation_state", "[]", "conversation_state", "conversation"),
)
_NOTICES = {
    "ADD_USER": "joined",
    "REMOVE_USER": "left",
    "RENAME_CONVERSATION": "renamed the conversation",
}


def _recognises(sample: Sample) -> bool:
    top = mapping(sample.json)
    for conversation in map(mapping, sequence(top.get("conversations"))):
        if "events" in conversation and "conversation" in conversation:
            return True
    states = map(mapping, sequence(top.get("conversation_state")))
    return any("event" in mapping(state.get("conversation_state")) for state in states)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("hangouts", chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    info: Mapping[str, Any] = {}
    names: dict[str, str] = {}
    known: Any = None
    for _, details, value in read_messages(document, _EVENTS, _INFO):
        conversation = next((details[path] for path in _INFO if details.get(path)), None)
        if conversation is not known:
            known, outer = conversation, mapping(conversation)
            info = mapping(outer.get("conversation")) or outer
            names = _names(info)
        if isinstance(value, BrokenValue):
            yield Skipped("an event", value.reason)
        else:
            yield _message(mapping(value), info, names)


def _names(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the people in a conversation by their ids."""
    return {
        string(mapping(each.get("id")).get("gaia_id")): string(each.get("fallback_name"))
        for each in map(mapping, sequence(info.get("participant_data")))
    }


def _message(
    event: Mapping[str, Any], info: Mapping[str, Any], names: Mapping[str, str]
) -> ChatMessage:
    own_state = mapping(info.get("self_conversation_state"))
    reader = mapping(mapping(own_state.get("self_read_state")).get("participant_id"))
    owner = string(reader.get("gaia_id"))
    others = [name for each, name in names.items() if each != owner and name]
    sender = string(mapping(event.get("sender_id")).get("gaia_id"))
    kind, text, files = _content(event)
    chat = mapping(event.get("conversation_id")) or mapping(info.get("conversation_id"))
    title = string(info.get("name")) or ", ".join(others) or "Hangouts"
    return ChatMessage(
        chat=string(chat.get("id")) or string(info.get("id")) or title,
        title=title,
        speaker=names.get(sender) or sender,
        text=text,
        time=parse_written_time(string(event.get("timestamp"))),
        key=string(event.get("event_id")),
        files=files,
        is_owner=bool(owner) and sender == owner,
        kind=kind,
        other_names=(sender,),
    )


def _content(event: Mapping[str, Any]) -> tuple[Kind, str, list[str]]:
    """Return the kind, the text and the files of an event."""
    type_name = string(event.get("event_type"))
    if type_name == "HANGOUT_EVENT" or "hangout_event" in event:
        return Kind.CALL, string(mapping(event.get("hangout_event")).get("event_type")), []
    if "chat_message" not in event:
        renamed = string(mapping(event.get("conversation_rename")).get("new_name"))
        notice = _NOTICES.get(type_name, type_name.replace("_", " ").casefold())
        return Kind.SERVICE, f"{notice} {renamed}".strip(), []
    content = mapping(mapping(event["chat_message"]).get("message_content"))
    parts = []
    for segment in map(mapping, sequence(content.get("segment"))):
        is_break = segment.get("type") == "LINE_BREAK"
        text = string(segment.get("text"))
        target = string(mapping(segment.get("link_data")).get("link_target"))
        is_named = segment.get("type") == "LINK" and text and text not in target
        parts.append("\n" if is_break else f"{text} ({target})" if is_named and target else text)
    files = [_file_name(mapping(each)) for each in sequence(content.get("attachment"))]
    return Kind.TEXT, "".join(parts), files


def _file_name(attachment: Mapping[str, Any]) -> str:
    """Return the name of a picture, or the name of a place."""
    item = mapping(attachment.get("embed_item"))
    photo, place = mapping(item.get("plus_photo")), mapping(item.get("place_v2"))
    link = string(photo.get("url")) or string(mapping(photo.get("thumbnail")).get("image_url"))
    return link.partition("?")[0].rpartition("/")[2] or string(place.get("name"))


FORMAT = Format(name="hangouts", recognises=_recognises, parse=_parse)
