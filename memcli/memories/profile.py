"""A profile of the person in a few lines, for a model."""

from collections.abc import Callable

from memcli.domain import MemoryType
from memcli.store import MemoryFilters, Store

HEADING = "About the user:"


def describe_person(store: Store, tokens: int, count: Callable[[str], int]) -> str:
    """Return the facts that the person accepted about themselves, one on each line, newest first.

    Args:
        store: the database with the memories.
        tokens: most that the profile may take; facts that do not fit are left out.
        count: counts the tokens of a text.

    Returns:
        HEADING and the lines; an empty text if there are no facts, or no room for any.
    """
    lines = [HEADING]
    for memory in store.memories.find(MemoryFilters(type=MemoryType.USER)):
        if not (memory.accepted and memory.current):
            continue
        line = f"- {memory.fact.key}: {' '.join(memory.fact.value.split())}"
        if count("\n".join((*lines, line))) <= tokens:
            lines.append(line)
    return "\n".join(lines) if len(lines) > 1 else ""
