"""Memories as text, as JSON and as Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from memcli.cli.json_output.memory_documents import one_memory_document
from memcli.cli.output.console import console, join_lines, print_json, print_line
from memcli.cli.output.reading_view import print_reasons
from memcli.cli.output.session_view import WIDE, RenderStyle, memory_author
from memcli.domain import Memory, MemoryType, Turn
from memcli.store import Store

if TYPE_CHECKING:
    from rich.text import Text

_MARKUP = re.compile(r"([\\`*_\[\]<>#])")


def print_memories(memories: Iterable[Memory]) -> None:
    """Print memories, one per line; on a narrow terminal without their types."""
    out = console()
    style = RenderStyle.of(out)
    for memory in memories:
        print_line(out, _line(memory, style))


def show_memory(name: str, store: Store, *, why: bool, as_json: bool) -> None:
    """Print the memory of this name, the turns it came from, and its history.

    Args:
        name: its id, or the beginning of that.
        store: the database.
        why: whether to print also how a model came to it.
        as_json: whether to print JSON.

    Raises:
        NotFoundError: there is none, or more than one.
    """
    memory = store.memories.get(name)
    history = store.memories.history(memory)
    readings = store.readings.of_memory(memory.id) if why else None
    if as_json:
        print_json(one_memory_document(store, memory, history, readings))
    else:
        print_memory(memory, store.memories.source_turns(memory), history)
        print_reasons(readings or [])


def print_memory(memory: Memory, quotes: Sequence[Turn], history: Sequence[Memory]) -> None:
    """Print a memory, the turns it came from, and the other memories about its key.

    Args:
        memory: the memory.
        quotes: the turns of its sources, in their order.
        history: every memory about its key, itself included.
    """
    out = console()
    style = RenderStyle.of(out)
    text_type = style.text_type
    fact = memory.fact
    about = [memory.id, fact.type.value, _day(memory), memory_author(memory)]
    tags = [style.text(_tag(tag)) for tag in fact.tags]
    lines = [style.text(join_lines(fact.key), "bold"), style.text(join_lines(fact.value))]
    lines.append(text_type("  ", "dim").join([*map(text_type, about), *tags]))
    lines += [text_type(remark, "magenta") for remark in _remarks(memory)]
    for source, turn in zip(memory.sources, quotes, strict=True):
        lines.append(
            text_type.assemble(
                "\n",
                (f"{source.session}:{source.position}  ", "dim"),
                style.text(join_lines(turn.speaker or turn.role.value), "bold cyan"),
                (f"  {turn.sent_at:%Y-%m-%d %H:%M}" if turn.sent_at else "", "dim"),
            )
        )
        lines.append(style.text(turn.text))
    for line in lines:
        out.print(line, soft_wrap=not style.terminal)
    if len(history) > 1:
        out.print(text_type("\nhistory", "bold"))
        print_memories(history)


def memories_markdown(memories: Iterable[Memory]) -> str:
    """Return memories as Markdown: a section for each type, an item for each memory."""
    found = list(memories)
    parts = []
    for kind in MemoryType:
        items = [_item(memory) for memory in found if memory.fact.type == kind]
        if items:
            parts.append("\n".join((f"# {kind.value}", "", *items)))
    return "\n\n".join(parts) + "\n" if parts else ""


def _line(memory: Memory, style: RenderStyle) -> "Text":
    fact = memory.fact
    wide = not style.terminal or style.width >= WIDE
    line = style.text_type.assemble((memory.id, "cyan"), "  ", (_day(memory), "green"), "  ")
    if wide:
        line.append(f"{fact.type.value:<14}  ", "dim")
    line.append_text(style.text(join_lines(fact.key), "bold")).append(": ", "bold")
    line.append_text(style.text(join_lines(fact.value)))
    for tag in fact.tags:
        line.append("  ").append_text(style.text(_tag(tag), "dim"))
    for remark in _remarks(memory):
        line.append(f"  ({remark})", "magenta")
    return line


def _remarks(memory: Memory) -> Iterator[str]:
    """Yield remarks on whether a memory is current, contradicted or unsupported."""
    if memory.superseded_by:
        yield f"{'edited: now' if memory.edited else 'superseded by'} {memory.superseded_by}"
    if memory.conflicts:
        yield f"conflicts with {', '.join(memory.conflicts)}"
    if memory.unsupported:
        missing = join_lines(", ".join(memory.unsupported))
        yield f"{'accepted although ' if memory.accepted else ''}unsupported: {missing}"


def _item(memory: Memory) -> str:
    fact = memory.fact
    tags = "".join(f" `{join_lines(_tag(tag)).replace('`', '')}`" for tag in fact.tags)
    sources = ", ".join(f"{source.session}:{source.position}" for source in memory.sources)
    facts = [_day(memory).strip(), memory_author(memory), sources, *_remarks(memory)]
    title = f"- **{_escape(fact.key)}**: {_escape(fact.value)}{tags}"
    return f"{title}  \n  {_escape('; '.join(facts))}"


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\1", join_lines(text))


def _tag(tag: str) -> str:
    return f"#{join_lines(tag)}"


def _day(memory: Memory) -> str:
    return f"{memory.said_at:%Y-%m-%d}" if memory.said_at else "no date   "
