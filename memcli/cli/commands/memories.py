"""`mem memories`: list, search, show, accept, edit, add, export and import memories."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from memcli.cli.completion import values
from memcli.cli.input_text import read_text_input
from memcli.cli.json_output.fact_reader import read_facts
from memcli.cli.json_output.memory_documents import memories_document, memory_list
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import FILTERS, OUTPUT, Json, Jsonl, Since, Speaker, Until, words
from memcli.cli.output.console import note, print_json, print_jsonl
from memcli.cli.output.memory_view import memories_markdown, print_memories, show_memory
from memcli.cli.output.progress import resumable
from memcli.domain import Fact, Memory, MemoryType
from memcli.errors import ExitCode, UsageError
from memcli.ingest.own_facts import MemoryImportCounts, OwnFacts
from memcli.search.memory_search import search_memories
from memcli.store import MemoryFilters, Store


class _ImplicitCommandGroup(TyperGroup):
    """A group in which `mem memories QUERY` lists and `mem memories m_...` shows."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: Typer's context is private
        if not ctx.resilient_parsing and (
            not args or (args[0] not in self.commands and args[0] != "--help")
        ):
            args = ["show" if args and args[0].startswith("m_") else "list", *args]
        return super().parse_args(ctx, args)


memories = typer.Typer(
    name="memories",
    help="List, search, accept, edit, add, export and import memories."
    " `mem memories QUERY` is short for `mem memories list QUERY`.",
    cls=_ImplicitCommandGroup,
    rich_markup_mode=None,
)

Query = Annotated[
    str | None,
    typer.Argument(metavar="[QUERY]", parser=words, show_default=False, help="Text to search for."),
]
MemoryName = Annotated[
    str,
    typer.Argument(
        autocompletion=values.offer_memory_ids,
        metavar="ID",
        parser=words,
        help="Id of a memory, or its beginning: `m_k3j`.",
    ),
]
Why = Annotated[
    bool,
    typer.Option(
        "--why",
        help="Show also the reason that the model gave, and all that it thought if it read with"
        " `mem read --keep-traces`.",
    ),
]
MemoryNames = Annotated[
    list[str],
    typer.Argument(
        autocompletion=values.offer_memory_ids,
        metavar="ID...",
        parser=words,
        help="Ids of memories: `m_k3j`.",
    ),
]
FactKey = Annotated[
    str, typer.Argument(metavar="KEY", parser=words, help="Topic of the fact: `home city`.")
]
FactValue = Annotated[str, typer.Argument(metavar="VALUE", parser=words, help="The fact itself.")]
NewValue = Annotated[
    str | None,
    typer.Argument(metavar="[VALUE]", parser=words, show_default=False, help="The corrected fact."),
]
NewKey = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="KEY", parser=words, show_default=False, help="Topic of the fact."
    ),
]
TypeName = Literal["UserMemory", "LongTermMemory"]
NewType = Annotated[
    TypeName,
    typer.Option(
        "--type", metavar="TYPE", help="`UserMemory`, a fact about you, or `LongTermMemory`."
    ),
]
OptionalType = Annotated[
    TypeName | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        show_default=False,
        help="`UserMemory`, a fact about you, or `LongTermMemory`.",
    ),
]
OnlyType = Annotated[
    TypeName | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only memories of this type: `UserMemory`, facts about you, or `LongTermMemory`.",
    ),
]
OnlyTag = Annotated[
    str | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        parser=words,
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only memories with this tag.",
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        parser=words,
        show_default=False,
        help="Tag of the memory; may be given several times.",
    ),
]
History = Annotated[
    bool,
    typer.Option(
        "--history",
        rich_help_panel=FILTERS,
        help="Include memories that newer ones supersede.",
    ),
]
Unsupported = Annotated[
    bool,
    typer.Option(
        "--unsupported",
        rich_help_panel=FILTERS,
        help="Only memories that their sources do not support and that you have not accepted.",
    ),
]
MaxMemories = Annotated[
    int | None,
    typer.Option(
        "--limit",
        "-n",
        min=1,
        show_default=False,
        metavar="N",
        rich_help_panel=FILTERS,
        help="Show at most this many memories.",
    ),
]
ExportFormat = Annotated[
    Literal["json", "markdown"],
    typer.Option(
        "--format",
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="`json`, which `mem memories import` reads, or `markdown`.",
    ),
]
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="JSON as `mem memories export` writes it; `-` for standard input."
    ),
]


@memories.command("list")
def list_memories(
    query: Query = None,
    *,
    type_: OnlyType = None,
    tag: OnlyTag = None,
    since: Since = None,
    until: Until = None,
    speaker: Speaker = None,
    history: History = False,
    unsupported: Unsupported = False,
    limit: MaxMemories = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    database: WritableDatabaseOptions,
) -> None:
    """List memories, the newest first, or search them.

    Dates and speakers are those of the turns that a memory came from. Exits with status 3 when
    there are none.
    """
    filters = MemoryFilters(since, until, speaker, type_ and MemoryType(type_), tag)
    with database.open_existing() as store:
        found = (
            [hit.memory for hit in search_memories(query, store, open_embedder(), filters)]
            if query and query.strip()
            else store.memories.find(filters)
        )
        doubtful = [one for one in found if not one.trusted and (one.current or history)]
        trusted = [one for one in found if one.trusted and (one.current or history)]
        listed = (doubtful if unsupported else trusted)[:limit]
        _print(store, listed, as_json=as_json, as_jsonl=as_jsonl)
    if doubtful and not unsupported:
        note(f"{len(doubtful)} unsupported, not shown: `mem memories --unsupported`")
    if not listed:
        note("no memories found")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


@memories.command("show")
def show_one_memory(
    memory: MemoryName,
    *,
    why: Why = False,
    as_json: Json = False,
    database: WritableDatabaseOptions,
) -> None:
    """Print one memory, the turns it came from, and its history."""
    with database.open_existing() as store:
        show_memory(memory, store, why=why, as_json=as_json)


@memories.command("accept")
def accept_memories(ids: MemoryNames, *, database: WritableDatabaseOptions) -> None:
    """Accept memories although their sources do not support all of them.

    An accepted memory may also supersede one that you wrote yourself.
    """
    with database.open_existing() as store:
        with store.transaction():
            found = [store.memories.get(name).id for name in ids]
            for one in found:
                store.memories.accept(one)
        print_memories(store.memories.get(one) for one in found)


@memories.command("edit")
def edit_memory(
    memory: MemoryName,
    value: NewValue = None,
    *,
    key: NewKey = None,
    type_: OptionalType = None,
    tags: Tags = None,
    database: WritableDatabaseOptions,
) -> None:
    """Correct a memory.

    The old one stays in the history, and no model supersedes the correction.
    """
    if not any((value, key, type_, tags)):
        raise UsageError("nothing to change", hint='mem memories edit m_k3j "lives in Porto"')
    with database.open_existing() as store:
        found = store.memories.get(memory)
        fact = replace(
            found.fact,
            value=value or found.fact.value,
            key=key or found.fact.key,
            type=MemoryType(type_) if type_ else found.fact.type,
            tags=tuple(tags) if tags else found.fact.tags,
        )
        edited = OwnFacts(store, open_embedder()).edit(found, fact, datetime.now().astimezone())
        print_memories([store.memories.get(edited)])


@memories.command("add")
def add_memory(
    key: FactKey,
    value: FactValue,
    *,
    type_: NewType = "UserMemory",
    tags: Tags = None,
    database: WritableDatabaseOptions,
) -> None:
    """Add a memory that you write yourself."""
    fact = Fact(key, MemoryType(type_), value, tuple(tags or ()))
    with database.open() as store:
        added = OwnFacts(store, open_embedder()).add(fact, datetime.now().astimezone())
        print_memories([store.memories.get(added)])


@memories.command("export")
def export_memories(
    *, format_name: ExportFormat = "json", database: WritableDatabaseOptions
) -> None:
    """Print all memories with their history and sources.

    `mem memories import` reads the JSON.
    """
    with database.open_existing() as store:
        found = store.memories.find(MemoryFilters())
        if format_name == "json":
            _print(store, found, as_json=True, as_jsonl=False)
        else:
            sys.stdout.write(memories_markdown(found))


@memories.command("import")
def import_memories(file: File, *, database: WritableDatabaseOptions) -> None:
    """Import exported memories, or facts that you write yourself.

    A fact is written as `{"key": ..., "value": ...}`.

    A memory is linked to its sources again if their sessions are in this database; without any of
    them, it counts as written by you. A memory that was forgotten is not imported again.
    """
    found = read_facts(read_text_input(file), str(file))
    with (
        resumable("nothing was imported"),
        database.open() as store,
    ):
        restored = OwnFacts(store, open_embedder()).import_memories(
            found, datetime.now().astimezone()
        )
    typer.echo(_describe(restored))


def _print(store: Store, found: Sequence[Memory], *, as_json: bool, as_jsonl: bool) -> None:
    if as_json:
        print_json(memories_document(store, found))
    elif as_jsonl:
        print_jsonl(memory_list(store, found))
    else:
        print_memories(found)


def _describe(restored: MemoryImportCounts) -> str:
    parts = [f"{restored.new} new"]
    if restored.known:
        parts.append(f"{restored.known} already known")
    if restored.forgotten:
        parts.append(f"{restored.forgotten} forgotten earlier and not imported")
    return ", ".join(parts)
