"""Slack exports: a folder a channel, a file a day.

A day's file is a list of messages; who wrote them and where is in `users.json` and the lists of
channels beside the folders, any of which may be missing. A reply lies in the file of its own day.
Bots often put all they say into attachments.

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

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import Said, in_pieces, person, with_files
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import instant, mapping, sequence, string

_TS = re.compile(r"\d{9,10}\.\d{6}")  # seconds; unique in a channel
_MARKUP = re.compile(r"<([^<>\s|][^<>|]*)(?:\|([^<>]*))?>")
_SPEECH = frozenset(
    {"", "me_message", "thread_broadcast", "reply_broadcast", "bot_message"}
    | {"file_share", "file_comment"}
)
_CALLS = frozenset({"huddle_thread", "sh_room_created"})
_CHANNELS = ("channels", "groups", "dms", "mpims")
_DEEPEST_BLOCK = 20
_MOST_LISTED = 200_000  # people or channels


def _recognises(sample: Sample) -> bool:
    return isinstance(sample.json, list) and any(
        row.get("type") == "message"
        and _TS.fullmatch(string(row.get("ts")))
        and not row.keys().isdisjoint({"text", "blocks", "attachments", "files"})
        for row in sample.elements
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("slack", _messages(document, reading))


def _messages(document: Document, reading: Reading) -> Iterator[Said | Skipped]:
    people = _People(document, reading)
    chat, title = _channel(document, people)
    for number, value in enumerate(elements(document), start=1):
        row = mapping(value)
        if isinstance(value, Broken):
            yield Skipped(f"message {number} of {title}", value.why)
            continue
        turn = _turn(row, people)
        if turn is None:
            continue
        thread = string(row.get("thread_ts"))
        if thread and (began := instant(thread)):
            yield Said(f"{chat}/{thread}", f"{title}, thread of {began:%Y-%m-%d}", turn)
        else:
            yield Said(chat, title, turn)


class _People:
    """Who is who in the workspace."""

    def __init__(self, document: Document, reading: Reading) -> None:
        self._reading = reading
        self._users = {
            string(user.get("id")): user
            for name in ("org_users", "users")
            for user in _listed(document, f"../{name}.json")
        }

    def name(self, user: str, row: Mapping[str, Any] | None = None) -> str:
        """Return what a user is called, as the workspace or else their message says."""
        known = mapping(self._users.get(user))
        message = row or {}
        profile = mapping(known.get("profile")) or mapping(message.get("user_profile"))
        names = (
            *(profile.get("display_name"), known.get("real_name"), profile.get("real_name")),
            *(known.get("name"), profile.get("name"), message.get("username")),
            mapping(message.get("bot_profile")).get("name"),
        )
        return next(filter(None, map(string, names)), user)

    def role(self, user: str, name: str) -> Role:
        """Return USER for the person's own id, e-mail address or one of their names."""
        known = mapping(self._users.get(user))
        profile = mapping(known.get("profile"))
        others = (known.get("real_name"), known.get("name"), profile.get("email"))
        return person(self._reading, name, user, *map(string, others))

    def words(self, text: str) -> str:
        """Return a text with people, channels and links in words."""
        return html.unescape(_MARKUP.sub(self._plain, text))

    def _plain(self, match: re.Match[str]) -> str:
        target, label = match[1], match[2]
        if target.startswith("@"):
            return f"@{label or self.name(target[1:])}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        return f"{label} ({target})" if label and label != target else target


def _channel(document: Document, people: _People) -> tuple[str, str]:
    """Return the id and the title of the channel that a day belongs to: its folder's name."""
    folder = PurePath(document.name).parent.name
    for kind in _CHANNELS:
        for channel in _listed(document, f"../{kind}.json"):
            number, name = string(channel.get("id")), string(channel.get("name"))
            if folder and folder in (name, number):
                members = map(string, sequence(channel.get("members")))
                listed = ", ".join(people.name(member) for member in members)
                return number or folder, (listed if kind in ("dms", "mpims") else name) or folder
    return folder or "channel", folder or "Slack channel"


def _listed(document: Document, path: str) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a list beside the channel's folder; none where it cannot be read."""
    found = document.beside(path)
    if found is None:
        return ()
    return _read_once(found, found.modified_at) if found.modified_at else _read(found)


@lru_cache(maxsize=8)  # every day of every channel asks for the same five files
def _read_once(document: Document, _modified_at: datetime) -> tuple[Mapping[str, Any], ...]:
    return _read(document)


def _read(document: Document) -> tuple[Mapping[str, Any], ...]:
    found: list[Mapping[str, Any]] = []
    with suppress(InputError):  # names are a help, not what was said
        found.extend(map(mapping, islice(elements(document), _MOST_LISTED)))
    return tuple(found)


def _turn(row: Mapping[str, Any], people: _People) -> Turn | None:
    """Return the turn a message makes; None where it holds nothing."""
    ts, subtype = string(row.get("ts")), string(row.get("subtype"))
    kind, text = _content(row, people)
    if not ts or (kind is Kind.TEXT and not text.strip()):
        return None
    user = string(row.get("user")) or string(mapping(row.get("comment")).get("user"))
    speaker = people.name(user, row) or "bot"
    robot = subtype == "bot_message" or (bool(row.get("bot_id")) and not user)
    service = kind is Kind.SERVICE
    thread, sent_at = string(row.get("thread_ts")), instant(ts)
    return Turn(
        key=ts,
        role=Role.SYSTEM if service else Role.ASSISTANT if robot else people.role(user, speaker),
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=thread if thread != ts else None,
        edited_at=instant(mapping(row.get("edited")).get("ts")),
    )


def _content(row: Mapping[str, Any], people: _People) -> tuple[Kind, str]:
    subtype = string(row.get("subtype"))
    said = string(row.get("text")) or "\n".join(_block_texts(row.get("blocks")))
    if subtype == "tombstone":
        return Kind.DELETED, ""
    if subtype in _CALLS:
        return Kind.CALL, people.words(said)
    if subtype not in _SPEECH:
        return Kind.SERVICE, people.words(said)
    files = [*sequence(row.get("files")), row.get("file")]
    shared = [file for file in map(mapping, files) if file]
    parts = [said, *_attached(row)]
    for file in shared:
        parts.append(string(mapping(file.get("initial_comment")).get("comment")))
        parts.append(string(file.get("preview")) if file.get("mode") == "snippet" else "")
    text = people.words("\n".join(filter(None, dict.fromkeys(parts))))
    return with_files(
        text, (string(file.get("title")) or string(file.get("name")) for file in shared)
    )


def _attached(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield what attachments say; not what Slack shows of a page that is linked to."""
    for attachment in map(mapping, sequence(row.get("attachments"))):
        quoted = attachment.get("is_msg_unfurl") or attachment.get("is_share")
        if not quoted and {"from_url", "original_url"} & attachment.keys():
            continue
        fields = map(mapping, sequence(attachment.get("fields")))
        pairs = (
            ": ".join(filter(None, (string(f.get("title")), string(f.get("value")))))
            for f in fields
        )
        keys = ("pretext", "title", "text")
        own = [*(string(attachment.get(key)) for key in keys), *pairs]
        own += _block_texts(attachment.get("blocks"))
        yield "\n".join(filter(None, own)) or string(attachment.get("fallback"))


def _block_texts(block: object, depth: int = 0) -> list[str]:
    """Return the texts of nested blocks, those of one section on one line."""
    if depth > _DEEPEST_BLOCK:
        return []
    if isinstance(block, list):
        return [text for part in block for text in _block_texts(part, depth + 1)]
    found = mapping(block)
    if not found:
        return []
    if found.get("type") in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
        return ["".join(_block_texts(found.get("elements"), depth + 1))]
    if isinstance(found.get("text"), str):
        return [found["text"]]
    if found.get("type") in ("user", "channel", "emoji", "link"):
        marks = {
            "user": "<@{user_id}>",
            "channel": "<#{channel_id}>",
            "emoji": ":{name}:",
            "link": "{url}",
        }
        return [marks[found["type"]].format_map(_Blank(found))]
    inner = (found.get(key) for key in ("text", "fields", "elements"))
    return [text for part in inner for text in _block_texts(part, depth + 1)]


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


FORMAT = Format(
    name="slack", title="Slack export", recognises=_recognises, parse=_parse, threads=True
)
