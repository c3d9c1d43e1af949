"""DiscordChatExporter's plain text: a file per channel, thread or direct message.

    [23/10/2025 11:44] odile (pinned)
    gate code 4471

    {Attachments}
    https://cdn.discordapp.com/attachments/1/2/map.png

Source: PlainTextMessageWriter.cs of DiscordChatExporter.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath

from memcli.domain import Doubt, Kind
from memcli.formats.building.long_chats import split_chats, text_with_files
from memcli.formats.building.text_chat import (
    NO_MESSAGE,
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import read_lines, sample_lines
from memcli.formats.parsing.written_times import DateReader, parse_written_time

_HEAD = re.compile(r"\[([^\[\]]{8,60})\] (\S.{0,100}?)(?: \(pinned\))?")
_RULE = re.compile(r"={62}")
_PART = re.compile(r"^\{(Attachments|Embed|Stickers|Reactions)\}$", re.MULTILINE)
_CHANNEL_ID = re.compile(r"\s*\[(\d+)\](?: \[part \d+\])?$")
_DIRECT = frozenset({"Direct Messages", "Direct Message"})
_DISCRIMINATOR = re.compile(r"#\d{4}$")
# The sentences that DiscordChatExporter writes for notices, as Message.cs has them.
_CALL = re.compile(r"Started a call that lasted [\d.,]+ minutes?\.")
_NOTICE = re.compile(
    r"(?:Added .{1,100} to|Removed .{1,100} from|Left) the group\."
    r"|Changed the channel (?:name(?:: .{1,100})?|icon)\.?"
    r"|Pinned a message\.|Started a thread\.|Joined the server\."
)
_SAMPLE_LINES = 5_000


def channel_in_file_name(document: Document) -> tuple[str, str]:
    """Return the id and the title of a channel: `Guild - Category - channel [123].csv`."""
    name = PurePath(chat_name(document)).name
    number = _CHANNEL_ID.search(name)
    guild, *_, channel = ["", *_CHANNEL_ID.sub("", name).split(" - ")][-3:]
    title = channel if guild in _DIRECT or not guild else f"{channel} ({guild})"
    return number[1] if number else chat_key_and_title(title)[0], title


def notice_kind(text: str) -> Kind:
    """Return the kind of a message that is exactly a sentence which stands for a notice."""
    if _CALL.fullmatch(text.strip()):
        return Kind.CALL
    return Kind.SERVICE if _NOTICE.fullmatch(text.strip()) else Kind.TEXT


def plain_author(name: str) -> str:
    """Return a name without the four digits that old accounts have."""
    return _DISCRIMINATOR.sub("", name.strip())


def _recognises(sample: Sample) -> bool:
    head = sample_lines(sample, 60)
    has_preamble = any(line.startswith(("Guild: ", "Channel: ")) for line in head[1:4])
    return (
        _RULE.fullmatch(head[0].strip()) is not None
        and has_preamble
        and any(_is_head(line.rstrip()) for line in head)
    )


def _is_head(line: str) -> bool:
    match = _HEAD.fullmatch(line)
    return match is not None and parse_written_time(match[1]) is not None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    head = [line or "" for line in islice(read_lines(document), _SAMPLE_LINES)]
    matches = map(_HEAD.fullmatch, (line.rstrip() for line in head))
    dates = DateReader(match[1] for match in matches if match)
    if dates.is_ambiguous:
        yield Doubt("dates", f"day and month cannot be told apart, read as {dates.order}")
    chat = _channel(document, head[:4])

    def parse_start(line: str) -> MessageStart | None:
        line = line.rstrip()
        if _RULE.fullmatch(line):
            return MessageStart(None, NO_MESSAGE, "")
        match = _HEAD.fullmatch(line)
        time = dates.parse(match[1]) if match else None
        return MessageStart(time, plain_author(match[2]), "") if match and time else None

    yield from split_chats(
        "discord_text", parse_text_chat(document, options, chat, parse_start, _content)
    )


def _channel(document: Document, head: list[str]) -> tuple[str, str]:
    """Return the id and the title of the channel, as the file's name and its head state them."""
    fields = dict(line.strip().partition(": ")[::2] for line in head)
    chat, title = channel_in_file_name(document)
    channel = fields.get("Channel", "").rpartition(" / ")[2]
    guild = fields.get("Guild", "")
    if channel:
        title = channel if guild in _DIRECT or not guild else f"{channel} ({guild})"
    is_numbered = chat.isdigit()
    return (chat if is_numbered else chat_key_and_title(title)[0]), title


def _content(head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message, with the names of its files."""
    if not head.speaker.strip():
        return Kind.TEXT, ""  # the lines at the end, which count the messages
    words, *parts = _PART.split(text)
    files: list[str] = []
    for name, content in zip(parts[::2], parts[1::2], strict=True):
        if name in ("Attachments", "Stickers"):
            files += [link.partition("?")[0].rpartition("/")[2] for link in content.split()]
        elif name == "Embed" and not words.strip():
            words = content
    kind = notice_kind(words)
    return text_with_files(words.strip(), files) if kind is Kind.TEXT else (kind, words.strip())


FORMAT = Format(name="discord_text", recognises=_recognises, parse=_parse)
