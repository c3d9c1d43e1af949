"""Aider's chat history: `.aider.chat.history.md`, in the folder of the project.

    # aider chat started at 2026-03-10 14:23:01
    #### what the person typed, a mark a line
    > what the program said
    everything else is the answer

One file has all sessions, of which only the beginning has a time. Answers are Markdown and may
have headings and quotations of their own; but Aider ends its lines with two spaces. Where an
editor took them away, what lies in a fence is the answer's.

Source: `io.py` of Aider.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import Enum, auto

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.building.blocks import Block, title_from
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, first_lines, lines
from memcli.formats.parsing.values import Keys, instant, wall_clock

LARGEST_SESSION = 64 << 20  # characters

_BEGIN = re.compile(r"# aider chat started at (\d[-\d.:+T ]*?)\s*")
_MARKED = re.compile(r"(####|>)(?: (.*))?")
_COMMAND = re.compile(r"!|/(?!(?:ask|architect|code|context)\s+\S)[a-z][\w-]*(?:\s|$)")
_NOTHING = "<blank>"  # what is written where the person typed nothing
_THINKING, _ANSWER = "► **THINKING**", "► **ANSWER**"


class _Part(Enum):
    PROMPT = auto()
    NOTE = auto()
    ANSWER = auto()
    THOUGHT = auto()


_MARKS = {"####": _Part.PROMPT, ">": _Part.NOTE}


def _recognises(sample: Sample) -> bool:
    head = [line for line in first_lines(sample, sample.head.count(b"\n") + 1) if line.strip()]
    return any(map(_MARKED.fullmatch, head)) and _BEGIN.fullmatch(head[0]) is not None


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    session = _Session("")
    try:
        for number, line in enumerate(lines(document), start=1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            elif begin := _BEGIN.fullmatch(line):
                yield from session.conversation(reading)
                session = _Session(begin[1])
            elif session.size <= LARGEST_SESSION < session.size + len(line):
                session.size += len(line)
                why = f"the session exceeds {LARGEST_SESSION:,} characters"
                yield Skipped(f"line {number:,} and the rest of its session", why)
            elif session.size <= LARGEST_SESSION:
                session.read(line)
    except InputError:
        yield from session.conversation(reading)
        raise
    yield from session.conversation(reading)


class _Session:
    """The lines of one session, as they are read."""

    def __init__(self, started: str) -> None:
        self.size = 0  # characters
        self._started = started
        self._spaced: bool | None = None  # whether the program's lines end with two spaces
        self._fenced = False
        self._part: _Part | None = None  # None after a prompt: another may follow
        self._body: list[str] = []
        self._blocks: list[Block] = []

    def read(self, line: str) -> None:
        """Take in one line."""
        self.size += len(line)
        marked, text = self._marked(line)
        part = marked or self._unmarked(text)
        heading = marked is None and text.strip() in (_THINKING, _ANSWER)
        while heading and self._body and not self._body[-1].strip("- "):
            self._body.pop()  # the rule over it
        if part is not self._part:
            self._finish()
            self._part = part
        if part is not None and not heading:
            self._body.append(text)

    def _marked(self, line: str) -> tuple[_Part | None, str]:
        """Return what a line is a part of, and the line without its mark."""
        match = _MARKED.fullmatch(line)
        if match is None:
            return None, line
        spaced = line.endswith("  ")
        if self._spaced is None:
            self._spaced = spaced
        if spaced if self._spaced else not self._fenced:
            return _MARKS[match[1]], (match[2] or "").rstrip()
        return None, line

    def _unmarked(self, line: str) -> _Part | None:
        """Return what an unmarked line is a part of."""
        if not line.strip() and self._part in (None, _Part.PROMPT):
            return None
        if not line.strip() and self._part is _Part.NOTE:
            return _Part.NOTE
        if line.strip() == _THINKING:
            return _Part.THOUGHT
        self._fenced ^= line.lstrip().startswith("```")
        thinking = self._part is _Part.THOUGHT and line.strip() != _ANSWER
        return _Part.THOUGHT if thinking else _Part.ANSWER

    def _finish(self) -> None:
        """Make a block of the part that was read."""
        text, self._body = "\n".join(self._body).strip("\n").rstrip(), []
        if not text.strip() or text == _NOTHING:
            return
        if self._part is _Part.PROMPT:
            kind = Kind.TOOL if _COMMAND.match(text) else Kind.TEXT
            self._blocks.append(Block(Role.USER, text, kind))
        elif self._part is _Part.NOTE:
            self._blocks.append(Block(Role.TOOL, text, Kind.TOOL))
        else:
            kind = Kind.THOUGHT if self._part is _Part.THOUGHT else Kind.TEXT
            self._blocks.append(Block(Role.ASSISTANT, text, kind))

    def conversation(self, reading: Reading) -> Iterator[Conversation]:
        """Yield what was said, if anything was; every turn has the time of the beginning."""
        self._finish()
        if all(block.role is Role.TOOL for block in self._blocks):
            return
        begun = _time(self._started, reading)
        clock = Clock.INHERITED if begun else Clock.NONE
        keys = Keys()
        turns = [
            Turn(
                *(keys.key(block.role, block.kind, block.text), block.role, block.text),
                sent_at=begun,
                clock=clock,
                kind=block.kind,
            )
            for block in self._blocks
        ]
        first = next((block.text for block in self._blocks if block.role is not Role.TOOL), "")
        key = fingerprint(self._started, first)
        yield Conversation(FORMAT.name, key, title_from(turns), tuple(turns))


def _time(written: str, reading: Reading) -> datetime | None:
    """Read the wall clock at which a session began."""
    try:
        naive = datetime.fromisoformat(written)
    except ValueError:
        return None
    if naive.tzinfo is not None or not instant(written):
        return instant(written)
    return wall_clock(naive, reading.timezone)


FORMAT = Format(name="aider", title="Aider chat history", recognises=_recognises, parse=_parse)
