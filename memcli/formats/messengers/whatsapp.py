"""WhatsApp's "Export chat": a text file a chat, or a zip with one inside.

Read twice: first to learn how the file writes its headers and who takes part, then to yield.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from unicodedata import normalize

from memcli.domain import Clock, Conversation, Doubt, Kind, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.messengers.whatsapp_headers import (
    MARKS,
    DateOrder,
    Evidence,
    Header,
    Style,
    count_seam,
    date_order,
    header_of,
    own_styles,
)
from memcli.formats.messengers.whatsapp_words import (
    chat_name,
    cleaned,
    group_name,
    is_call,
    is_encryption_notice,
    is_event,
    kind_of,
)
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, first_lines, lines
from memcli.formats.parsing.values import Keys, wall_clock

PIECE_TURNS = 1_000
PIECE_CHARACTERS = 4 << 20
LONGEST_MESSAGE = 1 << 20  # characters; what follows is dropped and reported

_LONGEST_NAME = 100
_MOST_NAMES = 20_000
_LOG_LEVELS = frozenset({"debug", "info", "warn", "warning", "error", "critical", "fatal", "trace"})


def recognises(sample: Sample) -> bool:
    """Tell whether two lines, or the very first, are a header with a sender."""
    if sample.name.casefold().endswith(".md"):
        return False
    filled = [line for line in first_lines(sample, 200) if line.strip(f"{MARKS} \t")]
    if not filled or filled[0].lstrip(f"{MARKS} \t").startswith(("{", "<", '["', "[{")):
        return False
    headers = [header for line in filled if (header := header_of(line)) and _sender(header)]
    if not headers or all(_is_signal(header.style) for header in headers):
        return False
    if "whatsapp" not in sample.name.casefold() and all(map(_is_log, headers)):
        return False
    return len(headers) >= 2 or header_of(filled[0]) is not None


def _is_signal(style: Style) -> bool:
    """Tell Signal's `[2019-05-29, 15:04]`: WhatsApp writes seconds wherever it writes brackets."""
    return style.bracketed and style.year_first and style.separator == "-" and not style.seconds


def _is_log(header: Header) -> bool:
    style = header.style
    plain = style.year_first and style.separator == "-" and not style.bracketed and style.seconds
    return bool(plain) or _sender(header).strip("[] ").casefold() in _LOG_LEVELS


def _sender(header: Header) -> str:
    """Return what looks like a sender, "" if nothing does."""
    heads = _heads(header.rest)
    return heads[0] if heads else _close_head(header.rest) or ""


def parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    """Yield the chat in pieces.

    Raises:
        InputError: not one line begins a message.
    """
    survey = _survey(document)
    if survey.unsure:
        yield Doubt("dates", "day and month cannot be told apart, read as day/month")
    chat = _Chat(document, reading, survey)
    yield from chat.read()


@dataclass(slots=True)
class _Survey:
    """What the first reading found."""

    styles: frozenset[Style]
    order: DateOrder
    unsure: bool
    names: frozenset[str]
    key: str
    title: str


@dataclass(slots=True)
class _Names:
    """Counts what may be a sender's name."""

    first: Counter[str] = field(default_factory=Counter)  # before the first ": "
    longer: Counter[tuple[str, str]] = field(default_factory=Counter)  # that, before the second
    close: Counter[str] = field(default_factory=Counter)  # before a ":" without a space

    def add(self, rest: str) -> None:
        """Count the names with which a line may begin."""
        heads, close = _heads(rest), _close_head(rest)
        if rest.startswith("\u200e"):  # on iPhones, WhatsApp itself
            return
        if len(self.first) + len(self.longer) + len(self.close) > _MOST_NAMES:
            return
        if close and not is_event(close):
            self.close[close] += 1
        if heads and not is_event(heads[0]):
            self.first[heads[0]] += 1
            if len(heads) > 1:
                self.longer[heads[0], heads[1]] += 1

    def known(self) -> frozenset[str]:
        """Return the senders. A name holds a ": " if everything after its first half agrees."""
        if self.close.total() > self.first.total():
            return frozenset(self.close)
        names = set(self.first)
        halves: dict[str, list[str]] = {}
        explained: Counter[str] = Counter()
        for (head, whole), count in self.longer.items():
            if count > 1:
                halves.setdefault(head, []).append(whole)
                explained[head] += count
        for head, wholes in halves.items():
            if explained[head] == self.first[head]:
                names.discard(head)
                names.update(wholes)
        return frozenset(names)


def _heads(rest: str) -> list[str]:
    """Return what stands before the first and before the second ": " of a line."""
    heads: list[str] = []
    at = -1
    padded = rest[: 2 * _LONGEST_NAME].rstrip() + " "
    while len(heads) < 2 and 0 < (at := padded.find(": ", at + 1)) <= _LONGEST_NAME:
        heads.append(padded[:at])
    return heads


def _close_head(rest: str) -> str | None:
    """Return what stands before the first ":" of a line, if no space follows it."""
    head, colon, text = rest[: 2 * _LONGEST_NAME].partition(":")
    return head if colon and 0 < len(head) <= _LONGEST_NAME and text[:1].strip() else None


def _survey(document: Document) -> _Survey:
    evidence: dict[Style, Evidence] = {}
    names: dict[Style, _Names] = {}
    before: Header | None = None
    first = ""
    group: str | None = None
    for line in _sound_lines(document):
        header = header_of(line)
        if header is None:
            continue
        first = first or line
        evidence.setdefault(header.style, Evidence()).add(header)
        if before is not None and before.style != header.style:
            count_seam(before, header, evidence)
        names.setdefault(header.style, _Names()).add(header.rest)
        group = group or group_name(header.rest)
        before = header
    if not evidence:
        raise InputError(f"{document.name} holds no WhatsApp messages")
    styles = own_styles(evidence)
    order = date_order(evidence[style] for style in styles)
    name = chat_name(document.name) or group
    return _Survey(
        styles=frozenset(styles),
        order=order or DateOrder.DAY_FIRST,
        unsure=order is None and any(evidence[style].ambiguous for style in styles),
        names=frozenset().union(*(names[style].known() for style in styles)),
        key=normalize("NFC", name).casefold() if name else fingerprint(first),
        title=name or "WhatsApp chat",
    )


def _sound_lines(document: Document) -> Iterator[str]:
    """Yield the lines up to where the file is damaged; the second reading reports that."""
    with suppress(InputError):
        for line in lines(document):
            if line is not None:
                yield line


class _Chat:
    """The second reading."""

    def __init__(self, document: Document, reading: Reading, survey: _Survey) -> None:
        self._document, self._reading, self._survey = document, reading, survey
        self._own = {_comparable(name) for name in reading.own_names}
        self._keys = Keys()
        self._last: datetime | None = None
        self._header: Header | None = None  # of the message being read
        self._body: list[str] = []
        self._size = 0
        self._turns: list[Turn] = []
        self._turns_size = 0

    def read(self) -> Iterator[Parsed]:
        """Yield the messages in pieces, and what had to be left out."""
        try:
            yield from self._read()
        except InputError:
            yield from self._piece()
            raise
        yield from self._piece()

    def _read(self) -> Iterator[Parsed]:
        preamble = False
        for number, line in enumerate(lines(self._document), 1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
                continue
            header = header_of(line)
            if header and header.style in self._survey.styles:
                self._finish()
                if len(self._turns) >= PIECE_TURNS or self._turns_size >= PIECE_CHARACTERS:
                    yield from self._piece()
                self._header, self._body, self._size = header, [header.rest], len(header.rest)
            elif self._header is None:
                if line.strip() and not preamble and not is_encryption_notice(line):
                    preamble = True
                    yield Skipped(f"line {number:,}", "comes before the first message", lost=False)
            elif self._size <= LONGEST_MESSAGE:
                self._body.append(line)
                self._size += len(line) + 1
                if self._size > LONGEST_MESSAGE:
                    yield Skipped(
                        f"line {number:,}", f"the message exceeds {LONGEST_MESSAGE:,} characters"
                    )

    def _piece(self) -> Iterator[Conversation]:
        self._finish()
        if self._turns:
            survey = self._survey
            turns = tuple(self._turns)
            yield Conversation(FORMAT.name, survey.key, survey.title, turns, endless=True)
            self._turns, self._turns_size = [], 0

    def _finish(self) -> None:
        if self._header is None:
            return
        turn = self._turn(self._header, "\n".join(self._body))
        self._turns.append(turn)
        self._turns_size += len(turn.text)
        self._header, self._body = None, []

    def _turn(self, header: Header, whole: str) -> Turn:
        head = self._speaker(header.rest)
        rest = whole[len(head) + 1 :].lstrip(" ") if head else whole
        text = cleaned(rest)
        first = self._last is None
        speaker = head.strip(f"{MARKS} \u00a0\u202f~") if head else None
        if is_encryption_notice(rest) and (first or rest.startswith("\u200e")):
            speaker = None
        if speaker is None:
            role, kind = Role.SYSTEM, Kind.CALL if is_call(text) else Kind.SERVICE
        else:
            role = Role.USER if _comparable(speaker) in self._own else Role.PERSON
            marked = rest.startswith("\u200e")
            kind = Kind.CALL if marked and is_call(text) else kind_of(text)
        naive = header.moment(self._survey.order)
        sent_at, clock = self._time(naive)
        stamp = naive.isoformat() if naive else (header.numbers, header.clock)
        return Turn(
            key=self._keys.key(stamp, speaker, text),
            role=role,
            text=text,
            speaker=speaker,
            sent_at=sent_at,
            clock=clock,
            kind=kind,
        )

    def _speaker(self, rest: str) -> str:
        """Return the sender as written, "" where WhatsApp itself speaks."""
        heads = _heads(rest)
        known = [head for head in (*heads, _close_head(rest)) if head in self._survey.names]
        if known:
            return max(known, key=len)
        if not heads or rest.startswith("\u200e") or is_event(heads[0]):
            return ""
        return heads[0]

    def _time(self, naive: datetime | None) -> tuple[datetime | None, Clock]:
        if naive is None:
            return self._last, Clock.INHERITED if self._last else Clock.NONE
        moment = wall_clock(naive, self._reading.timezone)
        if self._last is not None and moment < self._last:
            # In the night the clocks go back, the hour that comes twice.
            again = wall_clock(naive.replace(fold=1), self._reading.timezone)
            moment = again if again >= self._last else moment
        self._last = moment
        return moment, Clock.LOCAL


def _comparable(name: str) -> str:
    return normalize("NFC", name).strip(f"{MARKS} ~").casefold()


FORMAT = Format(name="whatsapp", title="WhatsApp chat", recognises=recognises, parse=parse)
