"""WhatsApp's "Export chat": a text file per chat, or a zip with one inside.

The file is read twice: first to learn how it writes its headers and who takes part, then to yield
the messages.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from unicodedata import normalize

from memcli.domain import Clock, Doubt, Kind, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, WallClock, split_chats
from memcli.formats.building.text_chat import LONGEST_MESSAGE
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.messengers.whatsapp_headers import (
    MARKS,
    DateOrder,
    Header,
    HeaderStyle,
    StyleStatistics,
    count_seam,
    infer_date_order,
    native_styles,
    parse_header,
)
from memcli.formats.messengers.whatsapp_words import (
    classify_text,
    is_call_notice,
    is_encryption_notice,
    is_event,
    parse_chat_name,
    parse_group_name,
    strip_remarks,
)
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import MessageKeys

_LONGEST_NAME = 100
_MOST_NAMES = 20_000
_LOG_LEVELS = frozenset({"debug", "info", "warn", "warning", "error", "critical", "fatal", "trace"})


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
    style = header.style
    plain = style.year_first and style.separator == "-" and not style.bracketed and style.seconds
    return bool(plain) or _apparent_sender(header).strip("[] ").casefold() in _LOG_LEVELS


def _apparent_sender(header: Header) -> str:
    """Return the text that looks like a sender, "" where there is none."""
    candidates = _name_candidates(header.rest)
    return candidates[0] if candidates else _unspaced_name(header.rest) or ""


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    """Yield the chat in pieces.

    Raises:
        InputError: not one line begins a message.
    """
    survey = _survey_file(document)
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
    key: str
    title: str


@dataclass(slots=True)
class _NameCounts:
    """Counts of the texts that may be a sender's name."""

    first: Counter[str] = field(default_factory=Counter)  # texts before the first ": "
    # The text before the first ": ", and the text before the second one.
    longer: Counter[tuple[str, str]] = field(default_factory=Counter)
    unspaced: Counter[str] = field(default_factory=Counter)  # texts before a ":" without a space

    def add(self, rest: str) -> None:
        """Count the names with which a line may begin."""
        candidates, unspaced = _name_candidates(rest), _unspaced_name(rest)
        if rest.startswith("\u200e"):  # on iPhones this marks WhatsApp's own lines
            return
        if len(self.first) + len(self.longer) + len(self.unspaced) > _MOST_NAMES:
            return
        if unspaced and not is_event(unspaced):
            self.unspaced[unspaced] += 1
        if candidates and not is_event(candidates[0]):
            self.first[candidates[0]] += 1
            if len(candidates) > 1:
                self.longer[candidates[0], candidates[1]] += 1

    def senders(self) -> frozenset[str]:
        """Return the senders' names.

        A name contains a ": " if the same text follows its first half on every line.
        """
        if self.unspaced.total() > self.first.total():
            return frozenset(self.unspaced)
        names = set(self.first)
        longer_names: dict[str, list[str]] = {}
        explained: Counter[str] = Counter()
        for (first_half, whole), count in self.longer.items():
            if count > 1:
                longer_names.setdefault(first_half, []).append(whole)
                explained[first_half] += count
        for first_half, wholes in longer_names.items():
            if explained[first_half] == self.first[first_half]:
                names.discard(first_half)
                names.update(wholes)
        return frozenset(names)


def _name_candidates(rest: str) -> list[str]:
    """Return the texts before the first and before the second ": " of a line."""
    candidates: list[str] = []
    at = -1
    padded = rest[: 2 * _LONGEST_NAME].rstrip() + " "
    while len(candidates) < 2 and 0 < (at := padded.find(": ", at + 1)) <= _LONGEST_NAME:
        candidates.append(padded[:at])
    return candidates


def _unspaced_name(rest: str) -> str | None:
    """Return the text before the first ":" of a line, if no space follows it."""
    name, colon, text = rest[: 2 * _LONGEST_NAME].partition(":")
    return name if colon and 0 < len(name) <= _LONGEST_NAME and text[:1].strip() else None


def _survey_file(document: Document) -> _Survey:
    """Read the whole file for its styles, its order of day and month, and its senders.

    Raises:
        InputError: not one line begins a message.
    """
    statistics: dict[HeaderStyle, StyleStatistics] = {}
    names: dict[HeaderStyle, _NameCounts] = {}
    previous: Header | None = None
    first_header = ""
    group: str | None = None
    for line in _readable_lines(document):
        header = parse_header(line)
        if header is None:
            continue
        first_header = first_header or line
        statistics.setdefault(header.style, StyleStatistics()).add(header)
        if previous is not None and previous.style != header.style:
            count_seam(previous, header, statistics)
        names.setdefault(header.style, _NameCounts()).add(header.rest)
        group = group or parse_group_name(header.rest)
        previous = header
    if not statistics:
        raise InputError(f"{document.name} holds no WhatsApp messages")
    styles = native_styles(statistics)
    order = infer_date_order(statistics[style] for style in styles)
    name = parse_chat_name(document.name) or group
    return _Survey(
        styles=frozenset(styles),
        order=order or DateOrder.DAY_FIRST,
        ambiguous=order is None and any(statistics[style].ambiguous for style in styles),
        senders=frozenset().union(*(names[style].senders() for style in styles)),
        key=normalize("NFC", name).casefold() if name else fingerprint(first_header),
        title=name or "WhatsApp chat",
    )


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


def _chat_turns(
    document: Document, options: ParseOptions, survey: _Survey
) -> Iterator[ChatTurn | Skipped]:
    """Yield the messages as turns, and the parts that are left out."""
    builder = _TurnBuilder(options, survey)
    for message in _messages(document, survey.styles):
        if isinstance(message, Skipped):
            yield message
        else:
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
                message = _Message(header, [header.rest], len(header.rest))
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
        text = strip_remarks(rest)
        speaker = name.strip(f"{MARKS} \u00a0\u202f~") if name else None
        is_first = self._clock.last is None
        if is_encryption_notice(rest) and (is_first or rest.startswith("\u200e")):
            speaker = None
        if speaker is None:
            role, kind = Role.SYSTEM, Kind.CALL if is_call_notice(text) else Kind.SERVICE
        else:
            role = Role.USER if _comparable(speaker) in self._own_names else Role.PERSON
            is_marked = rest.startswith("\u200e")
            kind = Kind.CALL if is_marked and is_call_notice(text) else classify_text(text)
        naive = header.wall_time(self._survey.order)
        sent_at, clock = self._clock.read(naive)
        if sent_at is None and self._clock.last is not None:  # in the piece before, it may be
            sent_at, clock = self._clock.last, Clock.INHERITED
        stamp = naive.isoformat() if naive else (header.numbers, header.clock)
        return Turn(
            key=self._keys.next_key(stamp, speaker, text),
            role=role,
            text=text,
            speaker=speaker,
            sent_at=sent_at,
            clock=clock,
            kind=kind,
        )

    def _sender(self, rest: str) -> str:
        """Return the sender as the file writes it, "" for a notice of WhatsApp's own."""
        candidates = _name_candidates(rest)
        known = [
            name for name in (*candidates, _unspaced_name(rest)) if name in self._survey.senders
        ]
        if known:
            return max(known, key=len)
        if not candidates or rest.startswith("\u200e") or is_event(candidates[0]):
            return ""
        return candidates[0]


def _comparable(name: str) -> str:
    """Return a name as it is compared: without case, marks and the "~" of unsaved contacts."""
    return normalize("NFC", name).strip(f"{MARKS} ~").casefold()


FORMAT = Format(name="whatsapp", recognises=_recognises, parse=_parse)
