"""Recognises the sentences that Messenger and Instagram write in place of a person.

Most are known by their form, in any language; `messenger_notices.toml` has those that are not.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from unicodedata import category, normalize

from memcli.lazy_dataclasses import dataclass

_LONGEST_NOTICE = 200  # characters
_LONGEST_SENTENCE = 60  # of a sentence about a file, without the name it begins with
_BESIDE = r"[^\n]{1,80}?"
# An emoji among words, and a blank at the end, as no program of a person leaves it.
_REACTION = re.compile(rf"(?P<before>{_BESIDE}\s)(?P<emoji>\S{{1,12}})\s(?P<after>{_BESIDE}) ")
_SYMBOL = re.compile("[\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff]")
_ENGLISH_SENT = re.compile(r".{1,100} sent (?:an attachment|a link|a photo|a video)\.")
_GROUP_NOTICE = re.compile(
    r" (?:named the group|left the group|changed the (?:theme|group photo|chat theme)"
    r"|set (?:the nickname|your nickname|the quick reaction)|added .{1,200} to the group)\b",
    re.DOTALL,
)
_LONGEST_NAME = 100  # characters before the words of a notice about a group


@dataclass(frozen=True, slots=True)
class _Notices:
    """The notices of all languages, in plain form."""

    liked: frozenset[str]
    reacted: re.Pattern[str]
    sent: frozenset[str]


@cache
def _load_notices() -> _Notices:
    file = files("memcli.formats.messengers").joinpath("messenger_notices.toml")
    tables = tomllib.loads(file.read_bytes().decode()).values()

    def collect(key: str) -> list[str]:
        return [_plain(text) for table in tables for text in table.get(key, ())]

    return _Notices(
        liked=frozenset(collect("liked")),
        reacted=re.compile(
            "|".join(
                re.escape(text).replace(re.escape("{emoji}"), r"\S{1,20}")
                for text in collect("reacted")
            )
        ),
        sent=frozenset(collect("sent")),
    )


def _plain(text: str) -> str:
    text = text if text.isascii() else normalize("NFC", text)
    return " ".join(text.casefold().split()).rstrip(".。")


def is_chat_notice(text: str, speaker: str) -> bool:
    """Return whether a message without files is a notice: a reaction, a like, a group's new name.

    Args:
        text: the message as it is, with blanks at its end.
        speaker: the name of its sender, with which notices about groups begin.
    """
    group = _GROUP_NOTICE.search(text, 1)
    if group and group.start() <= _LONGEST_NAME:
        return True
    if len(text) > _LONGEST_NOTICE or "\n" in text:
        return False
    match = _REACTION.fullmatch(text) if text.endswith(" ") else None
    if match and _is_emoji(match["emoji"]):
        return True
    notices = _load_notices()
    if len(text) <= _LONGEST_SENTENCE and _plain(text) in notices.liked:
        return True
    if _SYMBOL.search(text) and notices.reacted.fullmatch(_plain(text)):
        return True
    # "Ann Lee changed the group's name." in any language; nobody speaks of himself like that.
    return " " in speaker and text.startswith(f"{speaker} ") and text.endswith(".")


def is_file_notice(text: str, speaker: str, *, is_share: bool) -> bool:
    """Return whether the text of a message with a file or a link only says that it was sent.

    Args:
        text: of the message.
        speaker: the name of its sender.
        is_share: whether it has a shared link or post, to which nobody can write a caption.
    """
    if len(text) > _LONGEST_NOTICE or "\n" in text:
        return False
    if _plain(text) in _load_notices().sent or _ENGLISH_SENT.fullmatch(text):
        return True
    names = [name for name in (speaker, speaker.partition(" ")[0]) if name]
    is_sentence = text.rstrip().endswith((".", "。", "।"))
    is_about_sender = is_sentence and any(text.startswith(f"{name} ") for name in names)
    return is_share and is_about_sender and len(text) - len(names[0]) <= _LONGEST_SENTENCE


def _is_emoji(text: str) -> bool:
    return not any(letter.isalnum() for letter in text) and any(
        category(letter) == "So" or letter > "\U0001f000" for letter in text
    )
