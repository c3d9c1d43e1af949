"""SMS Backup & Restore: text messages of an Android phone, as XML.

A talk is known by the numbers in it. Of a message with media the parts with text count; drafts
and messages that failed to be sent were not said.

Source: the fields that the program documents, and backups of 2014 to 2025.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import Said, in_pieces, person, with_files
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import Keys, instant
from memcli.formats.parsing.xml import events

_ROOT = re.compile(r"\s*(?:<\?xml[^>]*>|<!--.*?-->|<\?[^>]*>|\s)*<smses\b", re.DOTALL)
_RECEIVED, _SENT = "1", "2"  # other boxes: drafts, the outbox, what failed
_FROM = "137"  # what an address in a message with media is to it
_PLACE_HOLDER = "insert-address-token"  # stands for the phone's own number
_NOTHING = frozenset({"", "null"})
_UNSPOKEN = frozenset({"application/smil", "text/x-vcard"})


def _recognises(sample: Sample) -> bool:
    return _ROOT.match(sample.text) is not None and re.search("<[sm]ms ", sample.text) is not None


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("sms", _messages(document, reading))


@dataclass(slots=True)
class _Mms:
    """A message with media, as its elements come."""

    attributes: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sender: str = ""

    def add(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take in an element inside it."""
        if name == "addr" and attributes.get("type") == _FROM:
            self.sender = attributes.get("address", "")
        kind = attributes.get("ct", "")
        if name != "part" or kind in _UNSPOKEN:
            return
        if kind == "text/plain":
            self.texts.append(_value(attributes, "text"))
        else:
            self.files.append(
                next(filter(None, (_value(attributes, n) for n in ("fn", "name", "cl"))), "")
            )


def _messages(document: Document, reading: Reading) -> Iterator[Said | Skipped]:
    keys = Keys()
    mms: _Mms | None = None
    number = 0
    for name, attributes in events(document):
        if name == "mms" and attributes is None and mms:
            yield from _said(mms, keys, reading)
            mms = None
        elif attributes is None:
            continue
        elif mms:
            mms.add(name, attributes)
        elif name in ("sms", "mms"):
            number += 1
            if name == "mms":
                mms = _Mms(attributes)
            else:
                yield from _said(_Mms(attributes, [_value(attributes, "body")]), keys, reading)
    if not number:
        raise InputError(f"{document.name} holds no text messages")


def _said(message: _Mms, keys: Keys, reading: Reading) -> Iterator[Said]:
    fields = message.attributes
    box = fields.get("type") or fields.get("msg_box", "")
    subject = _value(fields, "subject") or _value(fields, "sub")
    kind, text = with_files("\n".join(filter(None, (subject, *message.texts))), message.files)
    if box not in (_RECEIVED, _SENT) or (kind is Kind.TEXT and not text.strip()):
        return
    numbers = [one for one in _value(fields, "address").split("~") if one and one != _PLACE_HOLDER]
    if not numbers and box == _RECEIVED and message.sender:
        numbers = [message.sender]
    chat = "~".join(sorted(map(_plain, numbers))) or "unknown"
    named = _value(fields, "contact_name")
    title = named if named and named != "(Unknown)" else ", ".join(numbers)
    sender = title if len(numbers) < 2 else message.sender
    role = Role.USER if box == _SENT else person(reading, sender)
    sent_at = instant(fields.get("date"))
    key = keys.key(chat, fields.get("date"), box, text)
    clock = Clock.EXACT if sent_at else Clock.NONE
    speaker = reading.owner if role is Role.USER else sender
    yield Said(
        chat,
        title or "unknown number",
        Turn(key, role, text, speaker or None, sent_at, clock, kind),
    )


def _plain(number: str) -> str:
    """Return a number without what people put between its digits; a name as it is."""
    digits = re.sub(r"[\s().-]", "", number)
    return digits if re.fullmatch(r"\+?\d+", digits) else number.casefold()


def _value(attributes: Mapping[str, str], name: str) -> str:
    value = attributes.get(name, "")
    return "" if value in _NOTHING else value


FORMAT = Format(name="sms", title="SMS Backup & Restore", recognises=_recognises, parse=_parse)
