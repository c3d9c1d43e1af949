"""Recognises the texts that WhatsApp itself writes into a chat.

The phrases of all languages are in `whatsapp_phrases.toml`, which explains how to add one. Where
the form of a text tells what it is, as in `<attached: 0001-PHOTO.jpg>`, its language does not
matter.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from unicodedata import normalize

from memcli.domain import Kind
from memcli.lazy_dataclasses import dataclass

# Direction marks and the byte order mark, which are invisible.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
SYSTEM_MARK = "\u200e"  # on iPhones it begins the texts that nobody typed

_LONGEST_PHRASE = 300  # characters
_LONGEST_REMARK = 80
_VERB_PHRASES = 3  # a word that so many phrases end in says that something is left out
_INVISIBLE = re.compile(f"[{MARKS}]")
_FILE = r"[^\n<>]{1,200}\.\w{2,5}"  # the name of a file
# Texts that are a file, in any language.
_ATTACHED_FILES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"<[^<>\n:：]{{1,40}}\s?[:：]\s?{_FILE}\s?>",  # iPhones: <attached: 0001-PHOTO.jpg>
        rf"(?P<name>{_FILE})(?: • [^\n<>]{{1,40}})?"
        r" <[^<>\n:：]{1,40}\s?[:：]\s?[\d-]*(?P=name)\s?>",
        rf"{_FILE} <[^<>\n:：.]{{2,40}}>",  # older iPhones: 2015-08-04-PHOTO-1.jpg <attached>
        r"(?:IMG|VID|PTT|AUD|STK|DOC)-\d{8}-WA\d{4,}\.\w{2,5} \([^()\n]{2,40}\)",  # Android
    )
)
_FILE_AND_REMARK = re.compile(rf"{_FILE} [(](?P<remark>[^()\n]{{2,40}})[)]")
_FILE_AND_NOTE = re.compile(rf"{_FILE} (?P<note>[^\n]+)")
_GENERAL_NAME = re.compile(
    r"(?:_chat|(?:whatsapp[ _-]?)?(?:chats?|messages?|exports?|history|conversations?)?|-)"
    r"(?:[ _-]*\(?\d{0,3}\)?|(?: - | )(?:copy|kopie|copia|copie|kopia))",
    re.IGNORECASE,
)
_DASHED_NAME = re.compile(r".*whatsapp.{0,30}? [-–] (.+)", re.IGNORECASE)
_COPY_NUMBER = re.compile(r"[\s_]*\(\d{1,2}\)$")  # browsers add it to a second download
_QUOTED = re.compile('["“«„「『”](.{1,100}?)["”»“」』]')


@dataclass(frozen=True, slots=True)
class WhatsAppPhrases:
    """WhatsApp's texts in all languages, as `comparable_phrase` returns them."""

    omitted: frozenset[str]
    media: frozenset[str]
    last_words: frozenset[str]  # of the two before
    verbs: frozenset[str]  # the last words of several: <File omitted> is understood through them
    attached: frozenset[str]
    deleted: frozenset[str]
    deleted_by: re.Pattern[str]
    edited: frozenset[str]
    calls: tuple[str, ...]
    encryption: tuple[str, ...]
    location: frozenset[str]
    created: tuple[str, ...]
    events: tuple[str, ...]
    file_names: tuple[re.Pattern[str], ...]


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    """Return the table of each language."""
    text = files("memcli.formats.messengers").joinpath("whatsapp_phrases.toml").read_bytes()
    return tomllib.loads(text.decode())


@cache
def load_whatsapp_phrases() -> WhatsAppPhrases:
    """Return the phrases of all languages."""
    tables = _tables().values()

    def collect(key: str) -> list[str]:
        return [phrase for table in tables for phrase in table.get(key, ())]

    def collect_plain(key: str) -> list[str]:
        return list(dict.fromkeys(map(comparable_phrase, collect(key))))

    omitted, media, deleted = map(collect_plain, ("omitted", "media", "deleted"))
    created = tuple(map(str.casefold, collect("created")))
    last_words = Counter(phrase.rpartition(" ")[2] for phrase in (*omitted, *media))
    return WhatsAppPhrases(
        omitted=frozenset(omitted),
        media=frozenset(media),
        last_words=frozenset(last_words),
        verbs=frozenset(word for word, count in last_words.items() if count >= _VERB_PHRASES),
        attached=frozenset(collect_plain("attached")),
        deleted=frozenset(phrase for phrase in deleted if "{name}" not in phrase),
        deleted_by=re.compile("|".join(map(_name_pattern, deleted))),
        edited=frozenset(collect_plain("edited")),
        calls=tuple(collect_plain("calls")),
        encryption=tuple(collect_plain("encryption")),
        location=frozenset(collect_plain("location")),
        created=created,
        events=(*created, *map(str.casefold, collect("events"))),
        file_names=tuple(
            map(_file_name_pattern, sorted(collect("file_names"), key=len, reverse=True))
        ),
    )


def day_periods() -> dict[str, tuple[int, int]]:
    """Return the words beside a time, with the hours from which and before which they hold.

    The words are in lower case. Hours go from 0 to 24; a period may go on over midnight.
    """
    periods: dict[str, tuple[int, int]] = {}
    for table in _tables().values():
        for word, (start, stop) in table.get("day_periods", {}).items():
            periods.setdefault(word.casefold(), (start, stop))
    return periods


def comparable_phrase(text: str) -> str:
    """Return a text as phrases are compared: without marks, case and a full stop at the end."""
    bare = text
    if not text.isascii():
        bare = normalize("NFC", _INVISIBLE.sub("", text)).replace("’", "'")
    return " ".join(bare.casefold().split()).rstrip(".。।").strip()


def _name_pattern(phrase: str) -> str:
    """Return a pattern for a plain phrase in which `{name}` may stand for a name."""
    return "[^\n]{1,100}".join(map(re.escape, phrase.split("{name}")))


def _file_name_pattern(template: str) -> re.Pattern[str]:
    """Return a pattern for the names of files; the first group is the name of the chat."""
    escaped = re.escape(template).replace(re.escape("{name}"), "(.+?)")
    spaced = re.sub(r"(?:\\? )+", r"[\\s_]+", escaped)  # blanks become underscores on the way
    return re.compile(re.sub(r"(?<=\w)\\-(?=\w)", r"[\\s_-]", spaced), re.IGNORECASE)


def parse_chat_name(document_name: str) -> str | None:
    """Return the name of the person or group of a chat, from that of its file; None without one.

    iPhones name every chat `_chat.txt` and put the name on the archive around it. Any other folder
    is a place where chats lie, and does not name them.
    """
    folder, _, name = document_name.rstrip("/").rpartition("/")
    stem = _strip_suffix(name, ".txt")
    if not _GENERAL_NAME.fullmatch(stem):
        return _parse_file_name(stem) or stem.strip() or None
    return _parse_file_name(_strip_suffix(folder.rpartition("/")[2], ".zip"))


def parse_archive_name(document_name: str) -> str | None:
    """Return the name of the zip that a chat is in, for a title; None without a telling one."""
    folder = document_name.rstrip("/").rpartition("/")[0].rpartition("/")[2]
    stem = _strip_suffix(folder, ".zip")
    return stem if stem != folder and not _GENERAL_NAME.fullmatch(stem) else None


def _parse_file_name(stem: str) -> str | None:
    """Return the name of a chat in the name that WhatsApp gives a file; None in any other."""
    if "whatsapp" not in stem.casefold() and not any(map(_is_other_script, stem)):
        return None
    stem = _COPY_NUMBER.sub("", stem)
    for pattern in (*load_whatsapp_phrases().file_names, _DASHED_NAME):
        if match := pattern.fullmatch(stem):
            name = match[1] if " " in stem else match[1].replace("_", " ")
            return name.strip() or None
    return None


def _is_other_script(letter: str) -> bool:
    return letter > "\u0250"  # some languages spell WhatsApp in their own script


def parse_group_name(line: str) -> str | None:
    """Return the name of the group whose creation a line reports; None for any other line."""
    line = line[:_LONGEST_PHRASE]
    lower = line.casefold()
    if not any(phrase in lower for phrase in load_whatsapp_phrases().created):
        return None
    match = _QUOTED.search(line)
    return match[1] if match else None


@lru_cache(maxsize=4096)  # the same names come again and again
def is_event(text: str) -> bool:
    """Return whether the text in the place of a name is a sentence of WhatsApp's own."""
    lower = text.casefold()
    return any(phrase in lower for phrase in load_whatsapp_phrases().events)


def is_location_word(text: str) -> bool:
    """Return whether a text is the word that WhatsApp puts before the link of a place."""
    return comparable_phrase(text) in load_whatsapp_phrases().location


def is_encryption_notice(text: str) -> bool:
    """Return whether a text is the notice that begins every chat."""
    start = text[:_LONGEST_PHRASE]
    return comparable_phrase(start).startswith(load_whatsapp_phrases().encryption)


def is_call_notice(text: str) -> bool:
    """Return whether a line of WhatsApp's own reports a call."""
    return len(text) <= _LONGEST_PHRASE and comparable_phrase(text).startswith(
        load_whatsapp_phrases().calls
    )


def strip_remarks(text: str, unknown_remarks: Collection[str] = ()) -> str:
    """Return a message's text as its sender wrote it, without the marks and remarks around it.

    Args:
        text: as the file has it.
        unknown_remarks: plain remarks that the file has at the end of many messages.
    """
    invisible = f"{MARKS} \t\r\n\u202f\0"
    text = text.strip(invisible)
    at = text.rfind("<") if text.endswith(">") else -1
    if at >= 0 and len(text) - at <= _LONGEST_REMARK:
        remark = comparable_phrase(text[at + 1 : -1])
        is_marked = at > 0 and text[at - 1] == SYSTEM_MARK and ":" not in remark
        known = remark in load_whatsapp_phrases().edited or remark in unknown_remarks
        if known or (
            is_marked and text[:at].strip(invisible) and not _is_file(text, is_marked=True)
        ):
            text = text[:at].rstrip(invisible)
    return text.strip()


def classify_text(text: str, *, is_marked: bool = False) -> Kind:
    """Return the kind of a turn with this text, after `strip_remarks`.

    Args:
        text: of the message.
        is_marked: whether the file has a mark before it, as before the name of a file.
    """
    if len(text) > _LONGEST_PHRASE or "\n" in text:
        return Kind.TEXT
    plain, phrases = comparable_phrase(text), load_whatsapp_phrases()
    if not plain or plain == "null" or plain in phrases.omitted:
        return Kind.MEDIA
    if plain in phrases.deleted or phrases.deleted_by.fullmatch(plain):
        return Kind.DELETED
    if _is_omission(text, plain) or _is_file(text, is_marked=is_marked):
        return Kind.MEDIA
    return Kind.TEXT


def _is_omission(text: str, plain: str) -> bool:
    """Return whether a text stands in place of a file: <Media omitted>, A.pdf document omitted."""
    phrases = load_whatsapp_phrases()
    if plain.startswith("<") and plain.endswith(">"):
        inside = plain[1:-1].strip(" .")
        if inside in phrases.media or inside in phrases.omitted:
            return True
        return len(inside) <= 40 and " " in inside and inside.split()[-1] in phrases.verbs
    if plain.rpartition(" ")[2] not in phrases.last_words:
        return False
    if comparable_phrase(text.rpartition(SYSTEM_MARK)[2]) in phrases.omitted:
        return True
    match = _FILE_AND_NOTE.fullmatch(plain)
    return match is not None and match["note"] in phrases.omitted


def _is_file(text: str, *, is_marked: bool) -> bool:
    """Return whether a text is nothing but the name of a file that was sent."""
    if not text.endswith((">", ")")):
        return False
    bare = _INVISIBLE.sub("", text).strip()
    if any(pattern.fullmatch(bare) for pattern in _ATTACHED_FILES):
        return True
    match = _FILE_AND_REMARK.fullmatch(bare)
    return match is not None and (
        is_marked or comparable_phrase(match["remark"]) in load_whatsapp_phrases().attached
    )


def _strip_suffix(name: str, suffix: str) -> str:
    """Return a name without a suffix, which may be in either case."""
    return name[: -len(suffix)] if name.casefold().endswith(suffix) else name
