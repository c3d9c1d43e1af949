"""Signal's own plaintext export: `main.jsonl`, a line for each frame of Backups.proto.

People and groups come first, then chats, then messages, which name both by numbers that hold in one
export only. A message is known by its sender and the time at which it was sent.

Source: Backups.proto of Signal, and exports of 2026.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.blocks import part_label
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_FRAMES = frozenset({"account", "recipient", "chat", "chatItem"})
# Fields of a message that are about it and not its content.
_ABOUT = frozenset(
    "chatId authorId dateSent expireStartDate expiresInMs revisions sms incoming outgoing"
    " directionless pinDetails".split()
)
_CALLS = frozenset({"individualCall", "groupCall"})


def _recognises(sample: Sample) -> bool:
    rows = sample_objects(sample, 50)
    return bool(rows) and (
        "backupTimeMs" in rows[0]
        or any("dateSent" in mapping(row.get("chatItem")) for row in rows)
        or (len(rows) > 1 and all(not _FRAMES.isdisjoint(row) and len(row) == 1 for row in rows))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats(FORMAT.name, chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    people = _People()
    for number, value in read_json_lines(document):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number:,}", value.reason)
            continue
        row = mapping(value)
        if item := mapping(row.get("chatItem")):
            yield people.message(item)
        else:
            people.add(row)


class _People:
    """The people, groups and chats of an export, by their numbers."""

    def __init__(self) -> None:
        self._owner = ""
        self._own_number = ""
        self._names: dict[str, str] = {}
        self._identities: dict[str, str] = {}  # what names a person or group in every export
        self._chats: dict[str, str] = {}  # the number of the person or group of a chat

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a frame that is no message."""
        account, recipient, chat = (
            mapping(row.get(key)) for key in ("account", "recipient", "chat")
        )
        if account:
            self._owner = _full_name(account, "given", "family") or string(account.get("username"))
        if number := string(recipient.get("id")):
            if "self" in recipient:
                self._own_number = number
            self._names[number] = _recipient_name(recipient)
            self._identities[number] = _identity(recipient) or number
        if number := string(chat.get("id")):
            self._chats[number] = string(chat.get("recipientId"))

    def message(self, item: Mapping[str, Any]) -> ChatMessage:
        """Return the message of a frame."""
        author, recipient = (
            string(item.get("authorId")),
            self._chats.get(string(item.get("chatId"))),
        )
        recipient = recipient or "chat"
        is_owner = "outgoing" in item or (author == self._own_number and author != "")
        revisions = [mapping(each) for each in sequence(item.get("revisions"))]
        sent = [string(each.get("dateSent")) for each in (*revisions[:1], item)]
        content = {key: value for key, value in item.items() if key not in _ABOUT}
        kind, text, files = _content(content)
        is_note = recipient == self._own_number and recipient != ""
        name = self._names.get(recipient) or "Signal chat"
        return ChatMessage(
            chat=self._identities.get(recipient, recipient),
            title="Note to Self" if is_note else name,
            speaker=self._owner if is_owner else self._names.get(author, ""),
            text=text,
            time=parse_timestamp(sent[0]),
            key=f"{self._identities.get(author, author)}/{sent[0]}",
            files=files,
            is_owner=is_owner,
            kind=kind,
            edited_at=parse_timestamp(sent[-1]) if revisions else None,
        )


def _full_name(fields: Mapping[str, Any], given: str, family: str) -> str:
    """Return a name made of two fields whose names end in "Name"."""
    parts = (string(fields.get(f"{part}Name")) for part in (given, family))
    return " ".join(filter(None, parts))


def _recipient_name(recipient: Mapping[str, Any]) -> str:
    """Return the name of a person, group or list, as Signal shows it."""
    contact, group = mapping(recipient.get("contact")), mapping(recipient.get("group"))
    if group:
        title = mapping(mapping(group.get("snapshot")).get("title")).get("title")
        return string(title) or "Signal group"
    if "releaseNotes" in recipient:
        return "Signal"
    if "distributionList" in recipient:
        lists = mapping(mapping(recipient["distributionList"]).get("distributionList"))
        return string(lists.get("name")) or "My Story"
    nickname = mapping(contact.get("nickname"))
    return (
        " ".join(filter(None, (string(nickname.get("given")), string(nickname.get("family")))))
        or _full_name(contact, "systemGiven", "systemFamily")
        or _full_name(contact, "profileGiven", "profileFamily")
        or string(contact.get("username"))
        or _phone(contact)
    )


def _phone(contact: Mapping[str, Any]) -> str:
    number = string(contact.get("e164"))
    return f"+{number}" if number else ""


def _identity(recipient: Mapping[str, Any]) -> str:
    """Return what names a person or group in every export."""
    contact, group = mapping(recipient.get("contact")), mapping(recipient.get("group"))
    if "self" in recipient:
        return "self"
    return next(
        filter(
            None,
            (
                string(contact.get("aci")),
                string(contact.get("pni")),
                string(contact.get("e164")),
                string(group.get("masterKey")),
            ),
        ),
        "",
    )


def _content(content: Mapping[str, Any]) -> tuple[Kind, str, list[str]]:
    """Return the kind of a message, its text, and the names of its files."""
    name, value = next(iter(content.items()), ("", None))
    fields = mapping(value)
    match name:
        case "standardMessage":
            return Kind.TEXT, *_standard(fields)
        case "updateMessage":
            return _update(fields)
        case "remoteDeletedMessage" | "adminDeletedMessage":
            return Kind.DELETED, "", []
        case "stickerMessage":
            emoji = string(mapping(fields.get("sticker")).get("emoji"))
            return Kind.MEDIA, emoji, [] if emoji else [""]
        case "contactMessage":
            return Kind.MEDIA, _contact(fields), [""]
        case "viewOnceMessage":
            return Kind.MEDIA, "", [_file_name(mapping(fields.get("attachment")))]
        case "directStoryReplyMessage":
            reply = mapping(mapping(fields.get("textReply")).get("text"))
            return Kind.TEXT, string(reply.get("body")) or string(fields.get("emoji")), []
        case "poll":
            options = (mapping(option).get("option") for option in sequence(fields.get("options")))
            lines = [string(fields.get("question")), *(f"- {string(each)}" for each in options)]
            return Kind.MEDIA, "\n".join(filter(None, lines)), [""]
    # Content of a newer kind: its text, or else its name.
    text = string(mapping(fields.get("text")).get("body")) or string(fields.get("text"))
    label = part_label(name, string(fields.get("title")) or string(fields.get("note")))
    return (Kind.TEXT, text, []) if text else (Kind.MEDIA, label if name else "", [])


def _standard(fields: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the text of an ordinary message and the names of its files."""
    text = string(mapping(fields.get("text")).get("body"))
    files = [_file_name(mapping(file)) for file in sequence(fields.get("attachments"))]
    if not text:
        links = (mapping(link) for link in sequence(fields.get("linkPreview")))
        text = "\n".join(filter(None, (string(link.get("url")) for link in links)))
    return text, files


def _file_name(attachment: Mapping[str, Any]) -> str:
    """Return the name of a file, "" if it has none."""
    pointer = mapping(attachment.get("pointer"))
    if name := string(pointer.get("fileName")):
        return name
    return "voice message" if string(attachment.get("flag")) == "VOICE_MESSAGE" else ""


def _contact(fields: Mapping[str, Any]) -> str:
    """Return the name and the numbers of a contact that was sent."""
    contact = mapping(fields.get("contact"))
    name = _full_name(mapping(contact.get("name")), "given", "family")
    numbers = (string(mapping(each).get("value")) for each in sequence(contact.get("number")))
    return " ".join(filter(None, (name, *numbers)))


def _update(fields: Mapping[str, Any]) -> tuple[Kind, str, list[str]]:
    """Return the kind and the text of a notice of Signal's own."""
    name, value = next(iter(fields.items()), ("update", None))
    detail = string(mapping(value).get("type")) or string(mapping(value).get("state"))
    if not detail:
        updates = (mapping(each) for each in sequence(mapping(value).get("updates")))
        detail = ", ".join(next(iter(each), "") for each in updates)
    words = detail.replace("_", " ").lower() if detail.isupper() else detail
    return (
        Kind.CALL if name in _CALLS else Kind.SERVICE,
        f"{name}: {words}" if words else name,
        [],
    )


FORMAT = Format(name="signal_plaintext", recognises=_recognises, parse=_parse)
