"""Aider's chat history: `.aider.chat.history.md`, in the folder of the project.

    # aider chat started at 2026-03-10 14:23:01
    #### a line of a prompt
    > a line of the program's output
    any other line belongs to the answer

One file has all sessions, and only the beginning of a session has a time. Answers are Markdown and
may have headings and quotations of their own, but Aider ends its marked lines with two spaces. If
an editor removed the spaces, lines in a code fence belong to the answer.

Source: `io.py` of Aider.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import Enum, auto

from memcli.domain import (
    Clock,
    Conversation,
    Kind,
    Omission,
    Role,
    Skipped,
    Turn,
    fingerprint,
)
from memcli.errors import InputError
from memcli.formats.building.blocks import Block, title_from
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import MessageKeys, localize, parse_timestamp

LARGEST_SESSION = 64 << 20  # characters

_SESSION_START = re.compile(r"# aider chat started at (\d[-\d.:+T ]*?)\s*")
_MARKED_LINE = re.compile(r"(####|>)(?: (.*))?")
_COMMAND = re.compile(r"!|/(?!(?:ask|architect|code|context)\s+\S)[a-z][\w-]*(?:\s|$)")
_BLANK_PROMPT = "<blank>"  # written for a prompt without text
_THINKING, _ANSWER = "► **THINKING**", "► **ANSWER**"


class _Part(Enum):
    PROMPT = auto()
    NOTE = auto()
    ANSWER = auto()
    THOUGHT = auto()


_MARKS = {"####": _Part.PROMPT, ">": _Part.NOTE}


def _recognises(sample: Sample) -> bool:
    head = [line for line in sample_lines(sample, sample.head.count(b"\n") + 1) if line.strip()]
    return any(map(_MARKED_LINE.fullmatch, head)) and _SESSION_START.fullmatch(head[0]) is not None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    session = _Session("")
    try:
        for number, line in enumerate(read_lines(document), start=1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            elif start := _SESSION_START.fullmatch(line):
                yield from session.conversation(options, document.counter)
                session = _Session(start[1])
            elif session.size <= LARGEST_SESSION < session.size + len(line):
                session.size += len(line)
                why = f"the session exceeds {LARGEST_SESSION:,} characters"
                yield Skipped(f"line {number:,} and the rest of its session", why)
            elif session.size <= LARGEST_SESSION:
                session.read(line)
    except InputError:
        yield from session.conversation(options, document.counter)
        raise
    yield from session.conversation(options, document.counter)


class _Session:
    """The blocks of one session, as its lines are read."""

    def __init__(self, started: str) -> None:
        self.size = 0  # characters
        self._started = started
        self._has_two_spaces: bool | None = None  # True if marked lines end with two spaces
        self._in_fence = False
        self._part: _Part | None = None  # None after a prompt, which another prompt may follow
        self._body: list[str] = []
        self._blocks: list[Block] = []

    def read(self, line: str) -> None:
        """Read one line."""
        self.size += len(line)
        mark, text = self._split_mark(line)
        part = mark or self._unmarked_part(text)
        is_heading = mark is None and text.strip() in (_THINKING, _ANSWER)
        while is_heading and self._body and not self._body[-1].strip("- "):
            self._body.pop()  # the horizontal rule above the heading
        if part is not self._part:
            self._finish_part()
            self._part = part
        if part is not None and not is_heading:
            self._body.append(text)

    def _split_mark(self, line: str) -> tuple[_Part | None, str]:
        """Return the part that a line's mark names, or None, and the line without its mark."""
        match = _MARKED_LINE.fullmatch(line)
        if match is None:
            return None, line
        has_two_spaces = line.endswith("  ")
        if self._has_two_spaces is None:
            self._has_two_spaces = has_two_spaces
        if has_two_spaces if self._has_two_spaces else not self._in_fence:
            return _MARKS[match[1]], (match[2] or "").rstrip()
        return None, line

    def _unmarked_part(self, line: str) -> _Part | None:
        """Return the part that a line without a mark belongs to."""
        if not line.strip() and self._part in (None, _Part.PROMPT):
            return None
        if not line.strip() and self._part is _Part.NOTE:
            return _Part.NOTE
        if line.strip() == _THINKING:
            return _Part.THOUGHT
        self._in_fence ^= line.lstrip().startswith("```")
        is_thought = self._part is _Part.THOUGHT and line.strip() != _ANSWER
        return _Part.THOUGHT if is_thought else _Part.ANSWER

    def _finish_part(self) -> None:
        """Make a block of the lines of the current part."""
        text, self._body = "\n".join(self._body).strip("\n").rstrip(), []
        if not text.strip() or text == _BLANK_PROMPT:
            return
        if self._part is _Part.PROMPT:
            kind = Kind.TOOL if _COMMAND.match(text) else Kind.TEXT
            self._blocks.append(Block(Role.USER, text, kind))
        elif self._part is _Part.NOTE:
            self._blocks.append(Block(Role.TOOL, text, Kind.TOOL))
        else:
            kind = Kind.THOUGHT if self._part is _Part.THOUGHT else Kind.TEXT
            self._blocks.append(Block(Role.ASSISTANT, text, kind))

    def conversation(
        self, options: ParseOptions, counter: MessageCounter
    ) -> Iterator[Conversation]:
        """Yield the conversation, if it has more than output of the program.

        Every turn has the time at which the session began.
        """
        self._finish_part()
        counter.see(len(self._blocks))
        if all(block.role is Role.TOOL for block in self._blocks):
            counter.omit(Omission.BOOKKEEPING, len(self._blocks))
            return
        started_at = _parse_time(self._started, options)
        clock = Clock.INHERITED if started_at else Clock.NONE
        keys = MessageKeys()
        turns = [
            Turn(
                key=keys.next_key(block.role, block.kind, block.text),
                role=block.role,
                text=block.text,
                sent_at=started_at,
                clock=clock,
                kind=block.kind,
            )
            for block in self._blocks
        ]
        first = next((block.text for block in self._blocks if block.role is not Role.TOOL), "")
        key = fingerprint(self._started, first)
        yield Conversation(FORMAT.name, key, title_from(turns), tuple(turns))


def _parse_time(text: str, options: ParseOptions) -> datetime | None:
    """Parse the wall clock time at which a session began."""
    try:
        naive = datetime.fromisoformat(text)
    except ValueError:
        return None
    if naive.tzinfo is not None or not parse_timestamp(text):
        return parse_timestamp(text)
    return localize(naive, options.timezone)


FORMAT = Format(name="aider", recognises=_recognises, parse=_parse)
