"""How memories look to a person, and in a file of Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from memcli.cli.json_output.memory_documents import one_memory_document
from memcli.cli.output.console import console, print_json, print_line, safe
from memcli.cli.output.reading_progress import print_readings
from memcli.cli.output.session_view import WIDE, Look
from memcli.domain import YOU, Memory, MemoryType, Turn
from memcli.store import Store

if TYPE_CHECKING:
    from rich.text import Text

_MARKUP = re.compile(r"([\\`*_\[\]<>#])")


def print_memories(memories: Iterable[Memory]) -> None:
    """Print memories, one a line; a narrow terminal leaves out what is not needed to find one."""
    out = console()
    look = Look.of(out)
    for memory in memories:
        print_line(out, _line(memory, look))


def show_memory(name: str, store: Store, *, why: bool, as_json: bool) -> None:
    """Print the memory of this name, the turns it came from, and its history.

    Args:
        name: its id, or how that begins.
        store: where it is.
        why: whether to tell how a model came to it, too.
        as_json: whether programs are to read it.

    Raises:
        NotFoundError: there is none, or more than one.
    """
    memory = store.memories.get(name)
    history = store.memories.history(memory)
    readings = store.reads.behind(memory.id) if why else None
    if as_json:
        print_json(one_memory_document(store, memory, history, readings))
    else:
        print_memory(memory, store.memories.quotes(memory), history)
        print_readings(readings or [])


def print_memory(memory: Memory, quotes: Sequence[Turn], history: Sequence[Memory]) -> None:
    """Print a memory, the turns it came from, and what else is known about its key."""
    from rich.text import Text

    out = console()
    look = Look.of(out)
    fact = memory.fact
    about = Text("  ", "dim").join(
        [*map(Text, (memory.id, fact.type.value, _day(memory), _author(memory))),
         *(look.text(_tag(tag)) for tag in fact.tags)]
    )  # fmt: skip
    lines = [look.text(_flat(fact.key), "bold"), look.text(fact.value), about]
    lines += [Text(remark, "magenta") for remark in _remarks(memory)]
    for source, turn in zip(memory.sources, quotes, strict=True):
        who = Text.assemble(
            "\n", (f"{source.session}:{source.position}  ", "dim"),
            look.text(_flat(turn.speaker or turn.role.value), "bold cyan"),
            (f"  {turn.sent_at:%Y-%m-%d %H:%M}" if turn.sent_at else "", "dim"),
        )  # fmt: skip
        lines += [who, look.text(turn.text)]
    for line in lines:
        out.print(line, soft_wrap=not look.terminal)
    if len(history) > 1:
        out.print(Text("\nhistory", "bold"))
        print_memories(history)


def markdown(memories: Iterable[Memory]) -> str:
    """Return memories as a document: a section for each type, an item for each memory."""
    found = list(memories)
    parts = []
    for kind in MemoryType:
        items = [_item(memory) for memory in found if memory.fact.type == kind]
        if items:
            parts.append("\n".join((f"# {kind.value}", "", *items)))
    return "\n\n".join(parts) + "\n" if parts else ""


def _line(memory: Memory, look: Look) -> "Text":
    from rich.text import Text

    fact = memory.fact
    wide = not look.terminal or look.width >= WIDE
    return Text.assemble(
        (memory.id, "cyan"), "  ", (_day(memory), "green"), "  ",
        (f"{fact.type.value:<14}  " if wide else "", "dim"),
        look.text(_flat(fact.key), "bold"), (": ", "bold"), look.text(_flat(fact.value)),
        *(part for tag in fact.tags for part in ("  ", look.text(_tag(tag), "dim"))),
        ("".join(f"  ({remark})" for remark in _remarks(memory)), "magenta"),
    )  # fmt: skip


def _remarks(memory: Memory) -> Iterator[str]:
    """Yield what is to be said about how far a memory can be trusted."""
    if memory.superseded_by:
        yield f"{'edited: now' if memory.edited else 'superseded by'} {memory.superseded_by}"
    if memory.conflicts:
        yield f"conflicts with {', '.join(memory.conflicts)}"
    if memory.unsupported:
        missing = _flat(", ".join(memory.unsupported))
        yield f"{'accepted, though ' if memory.accepted else ''}unsupported: {missing}"


def _item(memory: Memory) -> str:
    fact = memory.fact
    tags = "".join(f" `{_flat(_tag(tag)).replace('`', '')}`" for tag in fact.tags)
    sources = ", ".join(f"{source.session}:{source.position}" for source in memory.sources)
    told = [_day(memory).strip(), _author(memory), sources, *_remarks(memory)]
    return (
        f"- **{_escaped(fact.key)}**: {_escaped(fact.value)}{tags}  \n  {_escaped('; '.join(told))}"
    )


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", _flat(text))


def _author(memory: Memory) -> str:
    if memory.by == YOU:
        return f"by {YOU}"
    name = _flat(memory.by.partition(" ")[0])
    return f"by {name}{', accepted' if memory.accepted else ''}"


def _tag(tag: str) -> str:
    return f"#{_flat(tag)}"


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", safe(text)).strip()


def _day(memory: Memory) -> str:
    return f"{memory.said_at:%Y-%m-%d}" if memory.said_at else "no date   "
