"""SMS Backup & Restore: text messages and calls of an Android phone, as XML.

The phone numbers of a conversation identify it. A message with media keeps its parts with text.
Drafts and messages that failed to be sent are left out. A call is a notice in the conversation with
its number.

Source: the fields that the program documents, and backups of 2014 to 2025.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import call_text
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, parse_timestamp
from memcli.formats.parsing.xml import parse_xml
from memcli.lazy_dataclasses import dataclass, field

_ROOT = re.compile(r"\s*(?:<\?xml[^>]*>|<!--.*?-->|<\?[^>]*>|\s)*<(smses|calls)\b", re.DOTALL)
_RECEIVED, _SENT = "1", "2"  # the other boxes are drafts, the outbox and failed messages
_FROM = "137"  # type of the sender's address in a message with media
_OWN_NUMBER = "insert-address-token"  # a placeholder for the phone's own number
_EMPTY_VALUES = frozenset({"", "null"})
_LAYOUT = "application/smil"  # how the parts stand on the screen
_CONTACTS = frozenset({"text/x-vcard", "text/vcard", "text/directory"})
_CONTACT_NAME = re.compile(r"^FN(?:;[^:\n]*)?:(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_CALL_WORDS = {
    "1": "incoming call",
    "2": "outgoing call",
    "3": "missed call",
    "4": "voicemail",
    "5": "rejected call",
    "6": "blocked call",
    "7": "call answered on another device",
}
_OUTGOING = "2"
_LONGEST_CARD = 1 << 16  # characters that are looked at for a name


def _recognises(sample: Sample) -> bool:
    root = _ROOT.match(sample.text)
    message = "<call " if root and root[1] == "calls" else "<[sm]ms "
    return root is not None and re.search(message, sample.text) is not None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("sms", _messages(document, options))


@dataclass(slots=True)
class _Message:
    """A message as its elements are read."""

    attributes: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sender: str = ""

    def add(self, name: str, attributes: Mapping[str, str]) -> None:
        """Add an element from inside the message."""
        if name == "addr" and attributes.get("type") == _FROM:
            self.sender = attributes.get("address", "")
        kind = attributes.get("ct", "").casefold()
        if name != "part" or kind == _LAYOUT:
            return
        if kind in _CONTACTS:
            self.files.append(f"contact: {_contact_name(attributes)}")
        elif kind == "text/plain":
            self.texts.append(_value(attributes, "text"))
        else:
            names = (_value(attributes, name) for name in ("fn", "name", "cl"))
            self.files.append(next(filter(None, names), ""))


def _contact_name(attributes: Mapping[str, str]) -> str:
    """Return the name on a card, or else the name of its file."""
    card = _value(attributes, "text")
    if not card:
        with suppress(ValueError):
            data = base64.b64decode(_value(attributes, "data")[:_LONGEST_CARD])
            card = data.decode("utf-8", "replace")
    match = _CONTACT_NAME.search(card[:_LONGEST_CARD])
    names = (_value(attributes, name) for name in ("fn", "name", "cl"))
    return match[1] if match else next(filter(None, names), "")


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    keys = MessageKeys()
    mms: _Message | None = None  # the message with media that is open
    count = 0
    for name, attributes in parse_xml(document):
        if name == "mms" and attributes is None and mms:
            yield from _chat_turns(mms, keys, options, document.counter)
            mms = None
        elif attributes is None:
            continue
        elif mms:
            mms.add(name, attributes)
        elif name in ("sms", "mms", "call"):
            count += 1
            if name == "call":
                document.counter.see()
                yield _call_turn(attributes, keys, options)
            elif name == "mms":
                mms = _Message(attributes)
            else:
                sms = _Message(attributes, [_value(attributes, "body")])
                yield from _chat_turns(sms, keys, options, document.counter)
    if not count:
        raise InputError(f"{document.name} holds no text messages and no calls")


def _chat_turns(
    message: _Message, keys: MessageKeys, options: ParseOptions, counter: MessageCounter
) -> Iterator[ChatTurn]:
    """Yield the turn of a message, unless it is empty or was neither sent nor received."""
    counter.see()
    fields = message.attributes
    box = fields.get("type") or fields.get("msg_box", "")
    subject = _value(fields, "subject") or _value(fields, "sub")
    kind, text = text_with_files("\n".join(filter(None, (subject, *message.texts))), message.files)
    if kind is Kind.TEXT and not text.strip():
        counter.omit(Omission.EMPTY)
        return
    if box not in (_RECEIVED, _SENT):
        counter.omit(Omission.DRAFT)
        return
    addresses = _value(fields, "address").split("~")
    numbers = [number for number in addresses if number and number != _OWN_NUMBER]
    if not numbers and box == _RECEIVED and message.sender:
        numbers = [message.sender]
    chat = "~".join(sorted(map(_normalize_number, numbers))) or "unknown"
    title = _contact(fields) or ", ".join(numbers)
    sender = title if len(numbers) < 2 else message.sender
    role = Role.USER if box == _SENT else sender_role(options, sender)
    sent_at = parse_timestamp(fields.get("date"))
    key = keys.next_key(chat, fields.get("date"), box, text)
    clock = Clock.EXACT if sent_at else Clock.NONE
    speaker = options.owner if role is Role.USER else sender
    turn = Turn(key, role, text, speaker or None, sent_at, clock, kind)
    yield ChatTurn(chat, title or "unknown number", turn)


def _call_turn(fields: Mapping[str, str], keys: MessageKeys, options: ParseOptions) -> ChatTurn:
    """Return the notice of a call, with how long it took."""
    number, kind = _value(fields, "number"), _value(fields, "type")
    number = "" if number.startswith("-") else number  # -1, -2, -3: the number is withheld
    title = _contact(fields) or number
    text = call_text(_CALL_WORDS.get(kind, "call"), fields.get("duration"))
    chat = _normalize_number(number) or "unknown"
    key = keys.next_key(chat, fields.get("date"), "call", kind, text)
    sent_at = parse_timestamp(fields.get("date"))
    speaker = options.owner if kind == _OUTGOING else title
    clock = Clock.EXACT if sent_at else Clock.NONE
    turn = Turn(key, Role.SYSTEM, text, speaker or None, sent_at, clock, Kind.CALL)
    return ChatTurn(chat, title or "unknown number", turn)


def _contact(fields: Mapping[str, str]) -> str:
    """Return the name of the contact, "" if the phone has none."""
    name = _value(fields, "contact_name")
    return "" if name == "(Unknown)" else name


def _normalize_number(number: str) -> str:
    """Return a number without the signs between its digits; a name in lower case."""
    digits = re.sub(r"[\s().-]", "", number)
    return digits if re.fullmatch(r"\+?\d+", digits) else number.casefold()


def _value(attributes: Mapping[str, str], name: str) -> str:
    """Return an attribute, "" where the program writes "null" for a missing one."""
    value = attributes.get(name, "")
    return "" if value in _EMPTY_VALUES else value


FORMAT = Format(name="sms", recognises=_recognises, parse=_parse)
