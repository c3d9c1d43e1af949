"""MemReader's system message and tools, to the byte as it was trained on them."""

from collections.abc import Sequence
from typing import Any

from memcli.domain import MemoryType
from memcli.protocols import Message, Tool

SYSTEM = """\
You are a memory extraction agent. Your job is to analyze conversations and decide what \
information is worth storing in long-term memory.

Available actions (call exactly one per turn):
- search_memory: Search existing memories for context
- add_memory: Extract and store valuable facts, preferences, or events
- buffer_memory: Accumulate this turn and wait for more context
- ignore_memory: Nothing worth storing

Guidelines:
- Store specific, verifiable facts
- Do not store generic greetings, chitchat, or vague statements
- UserMemory: personal attributes or preferences about the user
- LongTermMemory: facts, events, or shared knowledge from the conversation
- If unsure whether information already exists, call search_memory first"""

_REQUEST = "Please analyze the following conversation and decide what to store:\n\n"
# No line of a conversation looks like these headings.
_EARLIER, _NEW = "[already decided]:", "[to decide]:"

_STRING = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:  # Any: JSON Schema
    return {"type": "object", "properties": properties, "required": list(properties)}


_MEMORY = _object(
    key=_STRING,
    memory_type={"type": "string", "enum": [MemoryType.LONG_TERM.value, MemoryType.USER.value]},
    value=_STRING,
    tags={"type": "array", "items": _STRING},
)
SEARCH = Tool("search_memory", "Search historical memories for context.", _object(query=_STRING))
ADD = Tool(
    "add_memory",
    "Extract and store memories.",
    _object(memory_list={"type": "array", "items": _MEMORY}, summary=_STRING),
)
BUFFER = Tool("buffer_memory", "Buffer for later processing.", _object(reason=_STRING))
IGNORE = Tool("ignore_memory", "Ignore low-value content.", _object(reason=_STRING))
TOOLS = (SEARCH, ADD, BUFFER, IGNORE)


def initial_messages(earlier: Sequence[str], lines: Sequence[str]) -> list[Message]:
    """Return the messages up to the reader's first decision.

    Args:
        earlier: turns that were decided about before, shown for understanding. If there are any,
            headings in the form of a turn tell them from the others; else the message is exactly
            MemReader's.
        lines: turns to decide about.
    """
    shown = [_EARLIER, *earlier, "", _NEW, *lines] if earlier else lines
    return [Message("system", SYSTEM), Message("user", _REQUEST + "\n".join(shown))]
