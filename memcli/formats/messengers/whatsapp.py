"""WhatsApp's "Export chat": a text file per chat, or a zip with one inside.

The file is read twice: first to learn how it writes its headers and who takes part, then to yield
the messages.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from unicodedata import normalize

from memcli.domain import Clock, Doubt, Kind, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, WallClock, split_chats
from memcli.formats.building.text_chat import LONGEST_MESSAGE
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.messengers.whatsapp_headers import (
    DateOrder,
    Header,
    HeaderStyle,
    StyleStatistics,
    count_seam,
    infer_date_order,
    native_styles,
    parse_header,
)
from memcli.formats.messengers.whatsapp_senders import (
    RemarkStatistics,
    SenderStatistics,
    name_candidates,
    title_after,
    unspaced_name,
)
from memcli.formats.messengers.whatsapp_words import (
    MARKS,
    SYSTEM_MARK,
    classify_text,
    comparable_phrase,
    is_call_notice,
    is_encryption_notice,
    is_event,
    parse_archive_name,
    parse_chat_name,
    parse_group_name,
    strip_remarks,
)
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import MessageKeys
from memcli.lazy_dataclasses import dataclass

_LOG_LEVELS = frozenset(
    "debug info notice warn warning error err critical fatal trace alert emergency".split()
)
_LONGEST_OMISSION = 60  # characters of a text in place of a file
_PROGRAM = re.compile(r"[a-z_][\w./@-]*(?:\[\d+\])?")  # app.worker, sshd[123]


def _recognises(sample: Sample) -> bool:
    """Return whether two lines, or the very first, are a header with a sender."""
    if sample.name.casefold().endswith(".md"):
        return False
    filled = [line for line in sample_lines(sample, 200) if line.strip(f"{MARKS} \t")]
    if not filled or filled[0].lstrip(f"{MARKS} \t").startswith(("{", "<", '["', "[{")):
        return False
    headers = [
        header for line in filled if (header := parse_header(line)) and _apparent_sender(header)
    ]
    if not headers or all(_is_signal(header.style) for header in headers):
        return False
    if "whatsapp" not in sample.name.casefold() and all(map(_is_log, headers)):
        return False
    return len(headers) >= 2 or parse_header(filled[0]) is not None


def _is_signal(style: HeaderStyle) -> bool:
    """Return whether a header is Signal's, `[2019-05-29, 15:04]`.

    WhatsApp writes seconds wherever it writes brackets.
    """
    return style.bracketed and style.year_first and style.separator == "-" and not style.seconds


def _is_log(header: Header) -> bool:
    """Return whether a header is rather that of a line in a program's log."""
    style, sender = header.style, _apparent_sender(header)
    if not _LOG_LEVELS.isdisjoint(re.split(r"[\s.\[\]|/()<>:*_-]+", sender.casefold())):
        return True
    is_iso = style.year_first and style.separator == "-" and style.seconds
    return is_iso and (not style.bracketed or _PROGRAM.fullmatch(sender) is not None)


def _apparent_sender(header: Header) -> str:
    """Return the text that looks like a sender, "" where there is none."""
    candidates = name_candidates(header.rest)
    return candidates[0] if candidates else unspaced_name(header.rest) or ""


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    """Yield the chat in pieces.

    Raises:
        InputError: not one line begins a message.
    """
    survey = _survey_file(document, options)
    if survey.ambiguous:
        yield Doubt("dates", "day and month cannot be told apart, read as day/month")
    turns = _chat_turns(document, options, survey)
    # A phone's clock may have been wrong for a while; the order of the file is right.
    yield from split_chats(FORMAT.name, turns, keep_order=True)


@dataclass(slots=True)
class _Survey:
    """The findings of the first reading."""

    styles: frozenset[HeaderStyle]
    order: DateOrder
    ambiguous: bool  # True if nothing in the file decides the order
    senders: frozenset[str]
    omissions: frozenset[str]  # remarks in place of files that are no known phrases
    edits: frozenset[str]  # remarks after edited messages that are no known phrases
    key: str
    title: str


def _survey_file(document: Document, options: ParseOptions) -> _Survey:
    """Read the whole file for its styles, its order of day and month, and its senders.

    Raises:
        InputError: not one line begins a message.
    """
    statistics: dict[HeaderStyle, StyleStatistics] = {}
    names: dict[HeaderStyle, SenderStatistics] = {}
    remarks, opening = RemarkStatistics(), _Opening()
    previous: Header | None = None
    for line in _readable_lines(document):
        header = parse_header(line)
        if header is None:
            continue
        style = header.style
        if style not in statistics:
            statistics[style], names[style] = StyleStatistics(), SenderStatistics()
        statistics[style].add(header)
        if previous is not None and previous.style != style:
            count_seam(previous, header, statistics)
        candidates = name_candidates(header.rest)
        names[style].add(header.rest, candidates, bracketed=style.bracketed)
        remarks.add(header.rest)
        opening.add(line, header, candidates)
        previous = header
    if not statistics:
        raise InputError(f"{document.name} holds no WhatsApp messages")
    styles = native_styles(statistics)
    order = infer_date_order(statistics[style] for style in styles)
    name = parse_chat_name(document.name)
    senders = [sender for style in styles for sender in names[style].senders(name)]
    key, title = _key_and_title(document, options, opening, senders)
    return _Survey(
        styles=frozenset(styles),
        order=order or DateOrder.DAY_FIRST,
        ambiguous=order is None and any(statistics[style].ambiguous for style in styles),
        senders=frozenset(senders),
        omissions=remarks.omissions(),
        edits=remarks.edits(),
        key=key,
        title=title,
    )


@dataclass(slots=True)
class _Opening:
    """The first lines of a chat, which name it where its file does not."""

    header: str = ""  # the first line
    spoken: str = ""  # the first line that a person wrote
    group: str | None = None  # the name that a new group was given
    author: str | None = None  # the name above the first notice: the contact's, or the group's

    def add(self, line: str, header: Header, candidates: list[str]) -> None:
        """Take in a line that begins a message, and its `name_candidates`."""
        is_first = not self.header
        self.header = self.header or line
        has_author = bool(candidates) and not is_event(candidates[0])
        if has_author and not header.rest.startswith(SYSTEM_MARK, len(candidates[0]) + 2):
            self.spoken = self.spoken or line
            return
        self.group = self.group or parse_group_name(header.rest)
        if has_author and is_first:
            self.author = candidates[0]


def _key_and_title(
    document: Document, options: ParseOptions, opening: _Opening, senders: list[str]
) -> tuple[str, str]:
    """Return the key and the title of a chat: its name, else its first lines and its people."""
    if name := parse_chat_name(document.name) or opening.group:
        return normalize("NFC", name).casefold(), name
    owners = {_comparable(owner) for owner in options.own_names}
    people = {_shown_name(sender): None for sender in senders}
    others = [person for person in people if _comparable(person) not in owners] or list(people)
    author = _shown_name(opening.author) if opening.author else None
    title = parse_archive_name(document.name) or author or title_after(others) or "WhatsApp chat"
    lines = dict.fromkeys((opening.header, opening.spoken or opening.header))
    return fingerprint(*lines), title


def _shown_name(name: str) -> str:
    """Return a name as people see it."""
    return name.strip(f"{MARKS} \u00a0\u202f~")


def _readable_lines(document: Document) -> Iterator[str]:
    """Yield the lines up to where the file is damaged; the second reading reports the damage."""
    with suppress(InputError):
        for line in read_lines(document):
            if line is not None:
                yield line


@dataclass(slots=True)
class _Message:
    """A message as it is read: its header, and its lines."""

    header: Header
    lines: list[str]
    size: int  # characters
    is_marked: bool  # True if the mark of a file or the like is before the time


def _chat_turns(
    document: Document, options: ParseOptions, survey: _Survey
) -> Iterator[ChatTurn | Skipped]:
    """Yield the messages as turns, and the parts that are left out."""
    builder = _TurnBuilder(options, survey)
    for message in _messages(document, survey.styles):
        if isinstance(message, Skipped):
            yield message
        else:
            document.counter.see()
            yield ChatTurn(survey.key, survey.title, builder.build(message))


def _messages(document: Document, styles: frozenset[HeaderStyle]) -> Iterator[_Message | Skipped]:  # noqa: C901  # a state machine reads best whole
    """Yield the messages; one that the file breaks off in, too, before the error."""
    message: _Message | None = None
    reported_preamble = False
    try:
        for number, line in enumerate(read_lines(document), 1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
                continue
            header = parse_header(line)
            if header and header.style in styles:
                if message:
                    yield message
                is_marked = line.startswith(SYSTEM_MARK)
                message = _Message(header, [header.rest], len(header.rest), is_marked)
            elif message is None:
                if line.strip() and not reported_preamble and not is_encryption_notice(line):
                    reported_preamble = True
                    yield Skipped(f"line {number:,}", "comes before the first message", lost=False)
            elif message.size <= LONGEST_MESSAGE:
                message.lines.append(line)
                message.size += len(line) + 1
                if message.size > LONGEST_MESSAGE:
                    yield Skipped(
                        f"line {number:,}", f"the message exceeds {LONGEST_MESSAGE:,} characters"
                    )
    except InputError:
        if message:
            yield message
        raise
    if message:
        yield message


class _TurnBuilder:
    """A builder of turns, message by message."""

    def __init__(self, options: ParseOptions, survey: _Survey) -> None:
        self._survey = survey
        self._own_names = {_comparable(name) for name in options.own_names}
        self._keys, self._clock = MessageKeys(), WallClock(options.timezone)

    def build(self, message: _Message) -> Turn:
        """Return the turn that the next message makes."""
        header, whole = message.header, "\n".join(message.lines)
        name = self._sender(header.rest)
        rest = whole[len(name) + 1 :].lstrip(" ") if name else whole
        written = strip_remarks(rest, self._survey.edits)
        speaker = _shown_name(name) if name else None
        role, kind = self._role_and_kind(message, speaker, rest, written)
        key_speaker = None if self._is_encryption_notice(rest) else speaker
        naive = header.wall_time(self._survey.order)
        sent_at, clock = self._clock.read(naive)
        if sent_at is None and self._clock.last is not None:  # in the piece before, it may be
            sent_at, clock = self._clock.last, Clock.INHERITED
        stamp = naive.isoformat() if naive else (header.numbers, header.clock)
        return Turn(
            key=self._keys.next_key(stamp, key_speaker, written),
            role=role,
            text=written.replace(SYSTEM_MARK, ""),
            speaker=speaker if role is not Role.SYSTEM else None,
            sent_at=sent_at,
            clock=clock,
            kind=kind,
        )

    def _is_encryption_notice(self, rest: str) -> bool:
        is_first = self._clock.last is None
        return (is_first or rest.startswith(SYSTEM_MARK)) and is_encryption_notice(rest)

    def _role_and_kind(
        self, message: _Message, speaker: str | None, rest: str, text: str
    ) -> tuple[Role, Kind]:
        """Return the role and the kind of a message.

        Args:
            message: as the file has it.
            speaker: the name that it has; None if it has none.
            rest: all that follows the name.
            text: the same without remarks.
        """
        kind = Kind.SERVICE
        if speaker is not None and not self._is_encryption_notice(rest):
            is_marked = rest.startswith(SYSTEM_MARK)
            kind = self._classify(text, is_marked=is_marked)
            if kind is Kind.TEXT and is_marked and message.header.style.bracketed:
                kind = _classify_marked(rest, text, is_file=message.is_marked)
        elif is_call_notice(text):
            kind = Kind.CALL
        if speaker is None or kind is Kind.SERVICE:
            return Role.SYSTEM, kind
        is_own = _comparable(speaker) in self._own_names
        return (Role.USER if is_own else Role.PERSON), kind

    def _classify(self, text: str, *, is_marked: bool) -> Kind:
        """Return the kind of a text that has a speaker."""
        omissions = self._survey.omissions
        if omissions and text.startswith("<") and comparable_phrase(text).strip("<>") in omissions:
            return Kind.MEDIA
        return classify_text(text, is_marked=is_marked)

    def _sender(self, rest: str) -> str:
        """Return the sender as the file writes it, "" for a notice of WhatsApp's own."""
        candidates = name_candidates(rest)
        known = [
            name for name in (*candidates, unspaced_name(rest)) if name in self._survey.senders
        ]
        if known:
            return max(known, key=len)
        if not candidates or rest.startswith(SYSTEM_MARK) or is_event(candidates[0]):
            return ""
        return candidates[0]


def _classify_marked(rest: str, text: str, *, is_file: bool) -> Kind:
    """Return the kind of a text with the mark by which iPhones show that nobody typed it.

    Calls, polls, places and files have another mark before the time. WhatsApp's other sentences
    stand under the name of the person or group they are about.

    Args:
        rest: the text with its marks.
        text: the same without remarks.
        is_file: whether the other mark is there.
    """
    if is_call_notice(text) or (is_file and f", {SYSTEM_MARK}" in rest):
        return Kind.CALL
    if f"\n{SYSTEM_MARK}" in rest or "://" in text or not any(map(str.isalpha, text)):
        return Kind.TEXT
    if is_file:
        return Kind.TEXT if "\n" in text or len(text) > _LONGEST_OMISSION else Kind.MEDIA
    return Kind.SERVICE


def _comparable(name: str) -> str:
    """Return a name as it is compared: without case, marks and the "~" of unsaved contacts."""
    return normalize("NFC", name).strip(f"{MARKS} ~").casefold()


FORMAT = Format(name="whatsapp", recognises=_recognises, parse=_parse)
