"""Slack exports: a folder per channel, a file per day.

A day's file is a list of messages. The names of people and channels are in `users.json` and the
lists of channels beside the folders, any of which may be missing. A reply is in the file of its own
day. Bots often put their whole text into attachments.

Source: Slack's description of its export, and a published export of 2016.
"""

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import part_label
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_TS = re.compile(r"\d{9,10}\.\d{6}")  # a time in seconds, unique in a channel
_MARKUP = re.compile(r"<([^<>\s|][^<>|]*)(?:\|([^<>]*))?>")
_SPEECH = frozenset(
    {"", "me_message", "thread_broadcast", "reply_broadcast", "bot_message"}
    | {"file_share", "file_comment"}
)
_CALLS = frozenset({"huddle_thread", "sh_room_created"})
_CHANNELS = ("channels", "groups", "dms", "mpims")
_DEEPEST_BLOCK = 20
_MOST_LISTED = 200_000  # people or channels in a list


def _recognises(sample: Sample) -> bool:
    return isinstance(sample.json, list) and any(
        row.get("type") == "message"
        and _TS.fullmatch(string(row.get("ts")))
        and not row.keys().isdisjoint({"text", "blocks", "attachments", "files"})
        for row in sample.elements
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("slack", _messages(document, options))


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    people = _People(document, options)
    chat, title = _channel(document, people)
    for number, value in enumerate(read_elements(document), start=1):
        row = mapping(value)
        document.counter.see()
        if isinstance(value, BrokenValue):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", value.reason)
            continue
        turn = _turn(row, people)
        if turn is None:
            document.counter.omit(Omission.EMPTY)
            continue
        thread = string(row.get("thread_ts"))
        if thread and (started_at := parse_timestamp(thread)):
            yield ChatTurn(f"{chat}/{thread}", f"{title}, thread of {started_at:%Y-%m-%d}", turn)
        else:
            yield ChatTurn(chat, title, turn)


class _People:
    """The people of a workspace."""

    def __init__(self, document: Document, options: ParseOptions) -> None:
        self._options = options
        self._users = {
            string(user.get("id")): user
            for name in ("org_users", "users")
            for user in _load_list(document, f"../{name}.json")
        }

    def name(self, user: str, row: Mapping[str, Any] | None = None) -> str:
        """Return a user's name, from the workspace's list or else from a message of theirs."""
        known = mapping(self._users.get(user))
        message = row or {}
        profile = mapping(known.get("profile")) or mapping(message.get("user_profile"))
        names = (
            profile.get("display_name"),
            known.get("real_name"),
            profile.get("real_name"),
            known.get("name"),
            profile.get("name"),
            message.get("username"),
            mapping(message.get("bot_profile")).get("name"),
        )
        return next(filter(None, map(string, names)), user)

    def role(self, user: str, name: str) -> Role:
        """Return USER for the person's own id, e-mail address or one of their names."""
        known = mapping(self._users.get(user))
        profile = mapping(known.get("profile"))
        others = (known.get("real_name"), known.get("name"), profile.get("email"))
        return sender_role(self._options, name, user, *map(string, others))

    def plain_text(self, text: str) -> str:
        """Return a text with people, channels and links in plain words."""
        return html.unescape(_MARKUP.sub(self._replace_markup, text))

    def _replace_markup(self, match: re.Match[str]) -> str:
        target, label = match[1], match[2]
        if target.startswith("@"):
            return f"@{label or self.name(target[1:])}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        return f"{label} ({target})" if label and label != target else target


def _channel(document: Document, people: _People) -> tuple[str, str]:
    """Return the id and the title of the channel whose folder has the day's file."""
    folder = PurePath(document.name).parent.name
    for kind in _CHANNELS:
        for channel in _load_list(document, f"../{kind}.json"):
            channel_id, name = string(channel.get("id")), string(channel.get("name"))
            if folder and folder in (name, channel_id):
                if kind in ("dms", "mpims"):
                    members = map(string, sequence(channel.get("members")))
                    name = ", ".join(people.name(member) for member in members)
                return channel_id or folder, name or folder
    return folder or "channel", folder or "Slack channel"


def _load_list(document: Document, path: str) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a list beside the channel's folder; none where it cannot be read."""
    file = document.find_file(path)
    if file is None:
        return ()
    return _cached_objects(file, file.modified_at) if file.modified_at else _objects(file)


@lru_cache(maxsize=8)  # every day of every channel needs the same five files
def _cached_objects(document: Document, _modified_at: datetime) -> tuple[Mapping[str, Any], ...]:
    return _objects(document)


def _objects(document: Document) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a list, up to where it is damaged: names are useful, not essential."""
    objects: list[Mapping[str, Any]] = []
    with suppress(InputError):
        objects.extend(map(mapping, islice(read_elements(document), _MOST_LISTED)))
    return tuple(objects)


def _turn(row: Mapping[str, Any], people: _People) -> Turn | None:
    """Return the turn that a message makes; None where it is empty."""
    ts, subtype = string(row.get("ts")), string(row.get("subtype"))
    kind, text = _content(row, people)
    if not ts or (kind is Kind.TEXT and not text.strip()):
        return None
    user = string(row.get("user")) or string(mapping(row.get("comment")).get("user"))
    speaker = people.name(user, row) or "bot"
    is_bot = subtype == "bot_message" or (bool(row.get("bot_id")) and not user)
    role = Role.ASSISTANT if is_bot else people.role(user, speaker)
    thread, sent_at = string(row.get("thread_ts")), parse_timestamp(ts)
    return Turn(
        key=ts,
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=thread if thread != ts else None,
        edited_at=parse_timestamp(mapping(row.get("edited")).get("ts")),
    )


def _content(row: Mapping[str, Any], people: _People) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    subtype = string(row.get("subtype"))
    own_text = _own_text(row)
    if subtype == "tombstone":
        return Kind.DELETED, ""
    if subtype in _CALLS:
        return Kind.CALL, people.plain_text(own_text)
    if subtype not in _SPEECH:
        return Kind.SERVICE, people.plain_text(own_text)
    values = [*sequence(row.get("files")), row.get("file")]
    files = [file for file in map(mapping, values) if file]
    parts = [own_text, *_attachment_texts(row)]
    for file in files:
        parts.append(string(mapping(file.get("initial_comment")).get("comment")))
        parts.append(string(file.get("preview")) if file.get("mode") == "snippet" else "")
        parts.append(
            string(mapping(mapping(file.get("transcription")).get("preview")).get("content"))
        )
    text = people.plain_text("\n".join(filter(None, dict.fromkeys(parts))))
    names = (string(file.get("title")) or string(file.get("name")) for file in files)
    return text_with_files(text, names)


def _own_text(row: Mapping[str, Any]) -> str:
    """Return the text of a message, and the blocks of an app that its text only sums up."""
    text, blocks = string(row.get("text")), sequence(row.get("blocks"))
    if text:
        blocks = [block for block in blocks if mapping(block).get("type") != "rich_text"]
    others = [part for part in _block_texts(blocks) if part.strip() and part not in text]
    return "\n".join(filter(None, (text, *others)))


def _attachment_texts(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of attachments, without Slack's previews of linked pages."""
    for attachment in map(mapping, sequence(row.get("attachments"))):
        is_quote = attachment.get("is_msg_unfurl") or attachment.get("is_share")
        if not is_quote and {"from_url", "original_url"} & attachment.keys():
            continue
        fields = map(mapping, sequence(attachment.get("fields")))
        pairs = (
            ": ".join(filter(None, (string(field.get("title")), string(field.get("value")))))
            for field in fields
        )
        texts = [string(attachment.get(key)) for key in ("pretext", "title", "text")]
        if is_quote and (author := string(attachment.get("author_name"))):
            texts.insert(0, f"[shared from {author}]")
        files = map(mapping, sequence(attachment.get("files")))
        texts += [string(file.get("title")) or string(file.get("name")) for file in files]
        texts += [*pairs, *_block_texts(attachment.get("blocks"))]
        yield "\n".join(filter(None, texts)) or string(attachment.get("fallback"))


def _block_texts(block: object, depth: int = 0) -> list[str]:
    """Return the texts of nested blocks, those of one section on one line."""
    if depth > _DEEPEST_BLOCK:
        return []
    if isinstance(block, list):
        return [text for part in block for text in _block_texts(part, depth + 1)]
    fields = mapping(block)
    if not fields:
        return []
    if fields.get("type") in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
        return ["".join(_block_texts(fields.get("elements"), depth + 1))]
    if fields.get("type") == "link" and fields.get("text"):
        return [f"<{string(fields.get('url'))}|{string(fields['text'])}>"]
    if isinstance(fields.get("text"), str):
        return [fields["text"]]
    if fields.get("type") in ("image", "video"):
        title = fields.get("title")
        return [string(mapping(title).get("text", title)) or string(fields.get("alt_text"))]
    if fields.get("type") == "call":
        call = mapping(mapping(fields.get("call")).get("v1"))
        return [part_label("call", string(call.get("name")))]
    if fields.get("type") in ("user", "channel", "emoji", "link"):
        marks = {
            "user": "<@{user_id}>",
            "channel": "<#{channel_id}>",
            "emoji": ":{name}:",
            "link": "{url}",
        }
        return [marks[fields["type"]].format_map(_BlankDefaults(fields))]
    inner = (fields.get(key) for key in ("text", "fields", "elements"))
    return [text for part in inner for text in _block_texts(part, depth + 1)]


class _BlankDefaults(dict[str, Any]):
    """A mapping in which a missing value is ""."""

    def __missing__(self, key: str) -> str:
        return ""


FORMAT = Format(
    name="slack",
    recognises=_recognises,
    parse=_parse,
    has_threads=True,
    lookups=("integration_logs.json",),
)
