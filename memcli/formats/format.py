"""The description of a format: how its files are recognised and parsed."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo

from memcli.domain import (
    Conversation,
    Doubt,
    Kind,
    PortableMemory,
    PortableReading,
    Skipped,
    Tombstone,
)
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """Options that a person gives for parsing."""

    timezone: tzinfo = UTC  # zone of wall clock times without a zone
    me: str | None = None  # the person's own name in chats between people
    included_kinds: frozenset[Kind] = frozenset()  # kinds to search although no person wrote them
    aliases: tuple[str, ...] = ()  # the person's other names, in any source

    @property
    def owner(self) -> str | None:
        """The name by which the person is shown."""
        return next(iter(self.own_names), None)

    @property
    def own_names(self) -> list[str]:
        """All names of the person."""
        return [name.strip() for name in (self.me, *self.aliases) if name and name.strip()]


# The errors of a parser that meets what nobody foresaw. They end one document, never an import.
PARSER_FAILURES = (
    OSError,
    ArithmeticError,  # numbers and times without bounds
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
)

StoredItem = Conversation | PortableMemory | PortableReading | Tombstone
ParsedItem = StoredItem | Skipped | Doubt


@dataclass(frozen=True, slots=True)
class PieceLayout:
    """The layout of an export in which small files are parts of one main file.

    The parser of the main file reads them, so they are not documents of their own. Where the
    folder of the main files is missing, they are documents like any others.
    """

    path: re.Pattern[str]  # matches the path of a small file; group 1 is the root, with its slash
    main_folder: str  # name of the folder of the main files in the same root


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of export.

    `parse` yields conversations as it reads, in bounded memory. It yields Skipped for a part that
    it cannot read, and continues; where it cannot continue it raises InputError, and the results
    it yielded before remain valid.

    `parse` counts in `document.counter` every message it sees, and every message of which it makes
    no turn, with the reason: `see` for a message, `see_parts` for one that becomes several turns,
    `omit` for one that becomes none. Content of an unknown kind is kept as its text, or as a label
    ("[canvas: Budget]"), and counted by `keep_unknown`. An import reports what is then missing.

    A log that only grows may be parsed from its first lines and its new lines alone. Where keys
    are the source's own and unique over all its conversations, a conversation that begins with a
    copy of another is stored without the copy.

    The threads of a chat `key` may be conversations `key/…` that end in the key of the turn that
    began them. Such a turn belongs to its thread, although an export from before there was an
    answer has it in the chat.
    """

    name: str
    recognises: Callable[[Sample], bool]
    parse: Callable[[Document, ParseOptions], Iterator[ParsedItem]]
    grows: bool = False  # a log with one event per line; an incomplete last line is left for later
    unique_keys: bool = False
    has_threads: bool = False
    pieces: PieceLayout | None = None
    lookups: tuple[str, ...] = ()  # names of files beside it without messages: "users.json"
    is_index: bool = False  # True if its files only list other files, and hold no messages
