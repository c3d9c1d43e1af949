"""Options that several commands of `mem memories` share."""

from collections.abc import Sequence
from typing import Annotated, Literal

from memcli.cli.completion import values
from memcli.cli.json_output.memory_documents import memories_document, memory_list
from memcli.cli.option_groups import combine_dates
from memcli.cli.options import FILTERS, Since, Speaker, Until, limit_option
from memcli.cli.output.console import note, remark
from memcli.cli.output.markdown_csv import print_listing, print_text
from memcli.cli.output.memory_view import memories_markdown, print_memories
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_values import parse_text
from memcli.domain import Memory, MemoryType
from memcli.errors import EarlyExit, ExitCode
from memcli.lazy_dataclasses import dataclass
from memcli.store import MemoryFilters, Store

MemoryName = Annotated[
    str,
    Argument(
        autocompletion=values.offer_memory_ids,
        metavar="ID",
        parser=parse_text,
        help="Id of a memory, or its beginning: `m_k3j`.",
    ),
]
TypeName = Literal["UserMemory", "LongTermMemory"]
Tags = Annotated[
    list[str] | None,
    Option(
        "--tag",
        metavar="TAG",
        parser=parse_text,
        show_default=False,
        help="Tag of the memory; may be given several times.",
    ),
]
OnlyType = Annotated[
    TypeName | None,
    Option(
        "--type",
        metavar="TYPE",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only memories of this type: `UserMemory`, facts about you, or `LongTermMemory`.",
    ),
]
OnlyTag = Annotated[
    str | None,
    Option(
        "--tag",
        metavar="TAG",
        parser=parse_text,
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only memories with this tag.",
    ),
]
History = Annotated[
    bool,
    Option(
        "--history",
        rich_help_panel=FILTERS,
        help="Include memories that newer ones supersede.",
    ),
]
Unsupported = Annotated[
    bool,
    Option(
        "--unsupported",
        rich_help_panel=FILTERS,
        help="Only memories that their sources do not support and that you have not accepted.",
    ),
]
MaxMemories = Annotated[int | None, limit_option("Show at most this many memories")]


@dataclass(frozen=True, slots=True)
class MemoryFilterOptions:
    """The memories that a list is limited to."""

    type_: OnlyType = None
    tag: OnlyTag = None
    since: Since = None
    until: Until = None
    speaker: Speaker = None
    history: History = False
    unsupported: Unsupported = False
    limit: MaxMemories = None

    def filters(self) -> MemoryFilters:
        """Return the filters of the store."""
        start, end = combine_dates(self.since, self.until)
        kind = MemoryType(self.type_) if self.type_ else None
        return MemoryFilters(start, end, self.speaker, kind, self.tag)

    def print_chosen(self, store: Store, found: Sequence[Memory], chosen_format: str) -> None:
        """Print the memories that are supported, or only those that are not.

        Raises:
            EarlyExit: there are none.
        """
        current = [one for one in found if one.current or self.history]
        doubtful = [one for one in current if not one.trusted]
        trusted = [one for one in current if one.trusted]
        listed = (doubtful if self.unsupported else trusted)[: self.limit]
        if chosen_format == "markdown":
            print_text(memories_markdown(listed).rstrip())
        else:
            print_listing(
                chosen_format,
                lambda: memories_document(store, listed),
                lambda: memory_list(store, listed),
                lambda: print_memories(listed),
            )
        if doubtful and not self.unsupported:
            remark(f"{len(doubtful)} unsupported, not shown: `mem memories list --unsupported`")
        if not listed:
            note("no memories found")
            raise EarlyExit(ExitCode.NOTHING_FOUND)
