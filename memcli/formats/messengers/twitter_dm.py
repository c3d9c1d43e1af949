"""Direct messages in an archive of X, once Twitter: JavaScript that sets a list.

They are in `direct-messages.js`, and for groups in `direct-messages-group.js`. People are numbers;
that of the owner is in `account.js` beside it.

Source: archives as open programs read them; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string
from memcli.formats.parsing.x_archive import archive_list, archive_list_name

_NOTICES = {
    "joinConversation": "joined",
    "participantsJoin": "joined",
    "participantsLeave": "left",
    "conversationNameUpdate": "named the conversation",
}


def _recognises(sample: Sample) -> bool:
    return re.match(r"direct_messages?", archive_list_name(sample.head)) is not None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("twitter_dm", _messages(document, options))


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    owner, keys = _owner_id(document), MessageKeys()
    for number, value in enumerate(read_elements(archive_list(document)), start=1):
        if isinstance(value, BrokenValue):
            document.counter.see_parts([], Omission.UNREADABLE)
            yield Skipped(f"conversation {number}", value.reason)
            continue
        conversation = mapping(mapping(value).get("dmConversation"))
        key = string(conversation.get("conversationId")) or f"conversation {number}"
        others = [account for account in key.split("-") if account != owner]
        title = string(conversation.get("name")) or ("Direct message with " + ", ".join(others))
        for event in map(mapping, sequence(conversation.get("messages"))):
            for kind, fields in event.items():
                document.counter.see()
                if turn := _turn(kind, mapping(fields), owner, keys, options):
                    yield ChatTurn(key, title, turn)
                else:
                    document.counter.omit(Omission.EMPTY)


def _owner_id(document: Document) -> str:
    """Return the number of the owner's account, "" where the archive does not say."""
    account = document.find_file("account.js")
    try:
        first = next(chain(read_elements(archive_list(account)) if account else (), [None]))
    except InputError:
        return ""
    return string(mapping(mapping(first).get("account")).get("accountId"))


def _turn(
    kind: str, fields: Mapping[str, Any], owner: str, keys: MessageKeys, options: ParseOptions
) -> Turn | None:
    """Return the turn that an event makes; None where it is empty."""
    sender = string(fields.get("senderId")) or string(fields.get("initiatingUserId"))
    sent_at = parse_timestamp(fields.get("createdAt"))
    clock = Clock.EXACT if sent_at else Clock.NONE
    if kind in _NOTICES:
        text = f"{_NOTICES[kind]} {string(fields.get('name'))}".strip()
        key = keys.next_key(kind, fields.get("createdAt"), sender, text)
        return Turn(key, Role.SYSTEM, text, sender or None, sent_at, clock, Kind.SERVICE)
    files = [string(url).rpartition("/")[2] for url in sequence(fields.get("mediaUrls"))]
    turn_kind, text = text_with_files(_text(fields), [] if string(fields.get("text")) else files)
    if turn_kind is Kind.TEXT and not text.strip():
        return None  # among the events of unknown kinds are some with a text
    key = string(fields.get("id")) or keys.next_key(sent_at, sender, text)
    role = Role.USER if sender and sender == owner else sender_role(options, sender)
    return Turn(key, role, text, sender or None, sent_at, clock, turn_kind)


def _text(fields: Mapping[str, Any]) -> str:
    """Return the text of a message, with whole links in place of shortened ones."""
    text = string(fields.get("text"))
    for link in map(mapping, sequence(fields.get("urls"))):
        short, whole = string(link.get("url")), string(link.get("expanded"))
        text = text.replace(short, whole) if short and whole else text
    return text


FORMAT = Format(
    name="twitter_dm",
    recognises=_recognises,
    parse=_parse,
    lookups=(
        "account.js",
        "manifest.js",
    ),
)
