"""Who the person is, in a few lines, for a model that is to know it."""

from collections.abc import Callable

from memcli.domain import MemoryType
from memcli.store import MemoryFilters, Store

HEADING = "About the user:"


def profile(store: Store, tokens: int, count: Callable[[str], int]) -> str:
    """Return what the person accepted about themselves, a fact a line, the one said last first.

    Args:
        store: where the memories are.
        tokens: most that it may take; facts that do not fit are left out.
        count: how many tokens a text takes.

    Returns:
        The lines below HEADING; an empty text where there is nothing, or no room for anything.
    """
    lines = [HEADING]
    for memory in store.memories.find(MemoryFilters(type=MemoryType.USER)):
        if not (memory.accepted and memory.current):
            continue
        line = f"- {memory.fact.key}: {' '.join(memory.fact.value.split())}"
        if count("\n".join((*lines, line))) <= tokens:
            lines.append(line)
    return "\n".join(lines) if len(lines) > 1 else ""
