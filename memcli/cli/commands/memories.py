"""`mem memories`: what is remembered, and the person's hand on it."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from memcli.cli.completion import values
from memcli.cli.json_output.fact_reader import read_facts
from memcli.cli.json_output.memory_documents import memories_document, memory_list
from memcli.cli.models.open import open_embedder
from memcli.cli.options import Database, Json, Jsonl, Since, Speaker, Until, Wait, words
from memcli.cli.output.console import note, print_json, print_jsonl, safe
from memcli.cli.output.memory_view import markdown, print_memories, show_memory
from memcli.cli.output.progress import resumable
from memcli.domain import Fact, Memory, MemoryType
from memcli.errors import ExitCode, InputError, UsageError
from memcli.ingest.own_facts import MemoryImportCounts, OwnFacts
from memcli.search.memory_search import search_memories
from memcli.settings import database_path
from memcli.store import MemoryFilters, Store


class _Group(TyperGroup):
    """`mem memories QUERY` lists, and `mem memories m_...` shows, without a word for it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # a context of Typer's own Click
        if not ctx.resilient_parsing and (
            not args or (args[0] not in self.commands and args[0] != "--help")
        ):
            args = ["show" if args and args[0].startswith("m_") else "list", *args]
        return super().parse_args(ctx, args)


memories = typer.Typer(
    name="memories",
    help="List, search, accept, edit, add, export and import memories."
    " `mem memories QUERY` is `mem memories list QUERY`.",
    cls=_Group,
    rich_markup_mode=None,
)

Query = Annotated[
    str | None,
    typer.Argument(metavar="[QUERY]", parser=words, show_default=False, help="What to look for."),
]
Name = Annotated[
    str,
    typer.Argument(
        autocompletion=values.memory_ids,
        metavar="ID",
        parser=words,
        help="Id of a memory, or how it begins: `m_k3j`.",
    ),
]
Why = Annotated[
    bool,
    typer.Option(
        "--why", help="Also how a model came to it: all it thought, with `mem read --keep-traces`."
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(
        autocompletion=values.memory_ids,
        metavar="ID...",
        parser=words,
        help="Ids of memories: `m_k3j`.",
    ),
]
Key = Annotated[
    str, typer.Argument(metavar="KEY", parser=words, help="What it is about: `home city`.")
]
Value = Annotated[str, typer.Argument(metavar="VALUE", parser=words, help="What is remembered.")]
NewValue = Annotated[
    str | None,
    typer.Argument(metavar="[VALUE]", parser=words, show_default=False, help="What is right."),
]
NewKey = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="KEY", parser=words, show_default=False, help="What it is about."
    ),
]
TypeName = Literal["UserMemory", "LongTermMemory"]
OneType = Annotated[
    TypeName,
    typer.Option("--type", metavar="TYPE", help="`UserMemory`, about you, or `LongTermMemory`."),
]
MaybeType = Annotated[
    TypeName | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        show_default=False,
        help="`UserMemory`, about you, or `LongTermMemory`.",
    ),
]
Tag = Annotated[
    str | None,
    typer.Option("--tag", metavar="TAG", parser=words, show_default=False, help="Only with this."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="TAG", parser=words, show_default=False, help="May be given again."
    ),
]
History = Annotated[
    bool, typer.Option("--history", help="Also what was superseded by something newer.")
]
Unsupported = Annotated[
    bool,
    typer.Option(
        "--unsupported", help="Only what says more than its sources, and was not accepted."
    ),
]
Most = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, show_default=False, metavar="N", help="Most memories."),
]
Form = Annotated[
    Literal["json", "markdown"],
    typer.Option("--format", metavar="FORMAT", help="`json`, for `import`, or `markdown`."),
]
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON as `export` writes it; `-` for stdin.")
]


@memories.command("list")
def list_memories(
    query: Query = None,
    type_: MaybeType = None,
    tag: Tag = None,
    since: Since = None,
    until: Until = None,
    speaker: Speaker = None,
    history: History = False,
    unsupported: Unsupported = False,
    limit: Most = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """List what is remembered, newest first, or search it.

    Dates and speakers are those of the turns a memory came from. Exits with status 3 when there
    is nothing.
    """
    filters = MemoryFilters(since, until, speaker, type_ and MemoryType(type_), tag)
    with Store.existing(database or database_path(), wait=wait) as store:
        found = (
            [hit.memory for hit in search_memories(query, store, open_embedder(), filters)]
            if query and query.strip()
            else store.memories.find(filters)
        )
        doubted = [one for one in found if not one.trusted and (one.current or history)]
        shown = doubted if unsupported else [one for one in found if one.trusted]
        shown = [one for one in shown if one.current or history][:limit]
        _print(store, shown, as_json=as_json, as_jsonl=as_jsonl)
    if doubted and not unsupported:
        note(f"{len(doubted)} unsupported, not shown: `mem memories --unsupported`")
    if not shown:
        note("no memories")
        raise typer.Exit(ExitCode.NOTHING_FOUND)


@memories.command()
def show(
    memory: Name,
    why: Why = False,
    as_json: Json = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Print one memory, the turns it came from, and its history."""
    with Store.existing(database or database_path(), wait=wait) as store:
        show_memory(memory, store, why=why, as_json=as_json)


@memories.command()
def accept(names: Names, database: Database = None, wait: Wait = 10.0) -> None:
    """Let memories count although something is unsupported.

    An accepted memory may also supersede what you wrote yourself.
    """
    with Store.existing(database or database_path(), wait=wait) as store:
        with store.transaction():
            found = [store.memories.get(name).id for name in names]
            for one in found:
                store.memories.accept(one)
        print_memories(store.memories.get(one) for one in found)


@memories.command()
def edit(
    memory: Name,
    value: NewValue = None,
    key: NewKey = None,
    type_: MaybeType = None,
    tags: Tags = None,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Put something right. The memory stays in the history, and no model supersedes the edit."""
    if not any((value, key, type_, tags)):
        raise UsageError("nothing to change", hint='mem memories edit m_k3j "lives in Porto"')
    with Store.existing(database or database_path(), wait=wait) as store:
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


@memories.command()
def add(
    key: Key,
    value: Value,
    type_: OneType = "UserMemory",
    tags: Tags = None,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Remember a fact of your own."""
    fact = Fact(key, MemoryType(type_), value, tuple(tags or ()))
    with Store(database or database_path(), wait=wait) as store:
        added = OwnFacts(store, open_embedder()).add(fact, datetime.now().astimezone())
        print_memories([store.memories.get(added)])


@memories.command()
def export(form: Form = "json", database: Database = None, wait: Wait = 10.0) -> None:
    """Print all memories with their history and sources.

    `mem memories import` reads the JSON.
    """
    with Store.existing(database or database_path(), wait=wait) as store:
        found = store.memories.find(MemoryFilters())
        if form == "json":
            _print(store, found, as_json=True, as_jsonl=False)
        else:
            sys.stdout.write(markdown(found))


@memories.command("import")
def import_memories(file: File, database: Database = None, wait: Wait = 10.0) -> None:
    """Take in exported memories, or facts of your own.

    A fact: `{"key": ..., "value": ...}`.

    Sources are found again where their sessions are in the database; a memory that has none of
    them here is your own from now on. What was forgotten is not taken in again.
    """
    found = read_facts(_text(file), str(file))
    with (
        resumable("nothing was taken in"),
        Store(database or database_path(), wait=wait) as store,
    ):
        done = OwnFacts(store, open_embedder()).import_memories(found, datetime.now().astimezone())
    typer.echo(_told(done))


def _print(store: Store, found: Sequence[Memory], *, as_json: bool, as_jsonl: bool) -> None:
    if as_json:
        print_json(memories_document(store, found))
    elif as_jsonl:
        print_jsonl(memory_list(store, found))
    else:
        print_memories(found)


def _text(file: Path) -> str:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{safe(str(file))} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{safe(str(file))} is not UTF-8") from error


def _told(done: MemoryImportCounts) -> str:
    told = [f"{done.new} new"]
    told += [f"{done.known} known"] if done.known else []
    told += [f"{done.forgotten} forgotten before"] if done.forgotten else []
    return ", ".join(told)
