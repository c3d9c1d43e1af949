"""Finds out who speaks in a WhatsApp chat: the name before a colon, which may have colons itself.

Sentences of WhatsApp's own may have a colon, too: in the quoted name of a group, before a
description. A label that a person writes, as in "location: ...", is not part of a name.
"""

from collections import Counter
from collections.abc import Iterable

from memcli.formats.messengers.whatsapp_words import (
    MARKS,
    SYSTEM_MARK,
    comparable_phrase,
    is_event,
    is_location_word,
)
from memcli.lazy_dataclasses import dataclass, field

_LONGEST_NAME = 100
_MOST_NAMES = 20_000
_MOST_REMARKS = 1_000
_LONGEST_REMARK = 60  # characters
_REMARK_MESSAGES = 3  # messages that must have a remark in an unknown language
_QUOTES = frozenset('"“”„«»「」『』')
_LINK = ("http://", "https://", "geo:", "www.")


@dataclass(slots=True)
class SenderStatistics:
    """Counts of the texts that may be a sender's name, over the lines of one style."""

    first: Counter[str] = field(default_factory=Counter)  # texts before the first ": "
    # The text before the first ": ", and the text before the second one.
    longer: Counter[tuple[str, str]] = field(default_factory=Counter)
    wordy: set[tuple[str, str]] = field(default_factory=set)  # of these, with more than a link
    unspaced: Counter[str] = field(default_factory=Counter)  # texts before a ":" without a space

    def add(self, rest: str, candidates: list[str], *, bracketed: bool) -> None:
        """Count the names with which a line may begin.

        Args:
            rest: the line after its time.
            candidates: its `name_candidates`.
            bracketed: whether the time is in brackets, as iPhones write it.
        """
        if rest.startswith(SYSTEM_MARK):  # on iPhones this marks WhatsApp's own lines
            return
        unspaced = unspaced_name(rest)
        if len(self.first) + len(self.longer) + len(self.unspaced) > _MOST_NAMES:
            return
        if unspaced and not is_event(unspaced):
            self.unspaced[unspaced] += 1
        if not candidates or is_event(candidates[0]):
            return
        if bracketed and rest.startswith(SYSTEM_MARK, len(candidates[0]) + 2):
            return  # a line of WhatsApp's own, under the name of the person or group it is about
        self.first[candidates[0]] += 1
        if len(candidates) > 1:
            pair = candidates[0], candidates[1]
            self.longer[pair] += 1
            text = rest[len(candidates[1]) + 2 :].strip(f"{MARKS} ")
            if " " in text or not text.startswith(_LINK):
                self.wordy.add(pair)

    def senders(self, chat_name: str | None) -> list[str]:
        """Return the senders' names, in the order in which they first speak.

        A name contains a ": " if the same text follows its first half on every line, and that is
        no label: a word in small letters, a word before links alone, a word of the person after
        whom the chat is named.
        """
        if self.unspaced.total() > self.first.total():
            return list(self.unspaced)
        longer_names: dict[str, list[str]] = {}
        explained: Counter[str] = Counter()
        for (first_half, whole), count in self.longer.items():
            if count > 1 and not self._is_labelled(first_half, whole, chat_name):
                longer_names.setdefault(first_half, []).append(whole)
                explained[first_half] += count
        names: list[str] = []
        for name, count in self.first.items():
            names += longer_names[name] if explained[name] == count else [name]
        return names

    def _is_labelled(self, first_half: str, whole: str, chat_name: str | None) -> bool:
        label = whole[len(first_half) + 2 :]
        if chat_name is not None and comparable_phrase(chat_name) == comparable_phrase(first_half):
            return True
        return (
            (first_half, whole) not in self.wordy
            or (label[:1].islower() and " " not in label)
            or is_location_word(label)
        )


def name_candidates(rest: str) -> list[str]:
    """Return the texts before the first and before the second ": " of a line.

    There are none where the first one is inside quotation marks, as in the name of a group.
    """
    candidates: list[str] = []
    at = -1
    padded = rest[: 2 * _LONGEST_NAME].rstrip() + " "
    while len(candidates) < 2 and 0 < (at := padded.find(": ", at + 1)) <= _LONGEST_NAME:
        candidates.append(padded[:at])
    if candidates and _ends_inside_quotes(candidates[0], rest):
        return []
    return candidates


def _ends_inside_quotes(start: str, rest: str) -> bool:
    """Return whether a quotation that begins in the start of a line ends after it."""
    if _QUOTES.isdisjoint(start) or sum(letter in _QUOTES for letter in start) % 2 == 0:
        return False
    return not _QUOTES.isdisjoint(rest[len(start) :])


def unspaced_name(rest: str) -> str | None:
    """Return the text before the first ":" of a line, if no space follows it."""
    name, colon, text = rest[: 2 * _LONGEST_NAME].partition(":")
    return name if colon and 0 < len(name) <= _LONGEST_NAME and text[:1].strip() else None


@dataclass(slots=True)
class RemarkStatistics:
    """Counts of the remarks in angle brackets, to find WhatsApp's own in an unknown language."""

    whole: Counter[str] = field(default_factory=Counter)  # remarks that are a whole message
    trailing: Counter[str] = field(default_factory=Counter)  # remarks after words

    def add(self, rest: str) -> None:
        """Count the remark at the end of a line, if there is one."""
        if not rest.endswith(">") or len(self.whole) + len(self.trailing) > _MOST_REMARKS:
            return
        at = rest.rfind("<", -_LONGEST_REMARK)
        if at > 0 and (remark := comparable_phrase(rest[at + 1 : -1])):
            before = rest[:at].rstrip(f"{MARKS} ")
            (self.whole if before.endswith(":") else self.trailing)[remark] += 1

    def omissions(self) -> frozenset[str]:
        """Return the remarks that stand in place of files."""
        return _frequent(self.whole)

    def edits(self) -> frozenset[str]:
        """Return the remarks that are added to messages."""
        return _frequent(self.trailing) - self.whole.keys()


def _frequent(counts: Counter[str]) -> frozenset[str]:
    """Return the remarks of several words that occur often enough; nothing typed looks like it."""
    return frozenset(
        remark
        for remark, count in counts.items()
        if count >= _REMARK_MESSAGES and _is_phrase(remark)
    )


def _is_phrase(remark: str) -> bool:
    """Return whether a remark is made of words, more than one where words have spaces."""
    words = remark.split()
    is_wordy = all(letter.isalpha() or not letter.isascii() for word in words for letter in word)
    return is_wordy and (len(words) > 1 or (len(remark) > 3 and not remark.isascii()))


def title_after(people: Iterable[str]) -> str:
    """Return a title made of the names of people, the first four."""
    names = list(people)
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
