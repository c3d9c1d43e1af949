"""Exports that are one list of conversations, as most assistants write them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Omission, Skipped, Turn
from memcli.formats.format import ParsedItem
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.values import mapping, string


def parse_conversations(
    document: Document,
    source: str,
    *,
    title_key: str,
    id_keys: tuple[str, ...],
    turns: Callable[[Mapping[str, Any], MessageCounter], list[Turn]],
    metadata: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda element: element,
) -> Iterator[ParsedItem]:
    """Yield each conversation of a list, of a list under `conversations`, or the only one.

    Args:
        document: a file of JSON.
        source: of the conversations.
        title_key: key of the title in the metadata.
        id_keys: keys of the id in the metadata; the first that has a value counts. Without any, the
            key of the first turn is the key of the conversation.
        turns: counts the messages of an element and returns its turns; an element without turns is
            Skipped as empty.
        metadata: returns the object of an element that has its title and id.

    Raises:
        InputError: as `json_stream.elements` does.
    """
    for number, value in enumerate(read_elements(document, "conversations", ""), start=1):
        where = f"conversation {number}"
        if isinstance(value, BrokenValue):
            yield Skipped(where, value.reason)
            document.counter.see()
            document.counter.omit(Omission.UNREADABLE)
            continue
        element = mapping(value)
        head = metadata(element)
        title = string(head.get(title_key))
        if found := turns(element, document.counter):
            ids = (string(head.get(name)) for name in id_keys)
            key = next(filter(None, ids), found[0].key)
            yield Conversation(source, key, title, tuple(found))
        else:
            where = f"{where} ({title})" if title else where
            yield Skipped(where, "has nothing to import", lost=False)
