"""Exports that are one list of conversations, as assistants write them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Skipped, Turn
from memcli.formats.format import Parsed
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.values import mapping, string


def conversations(
    document: Document,
    source: str,
    *,
    title_key: str,
    id_keys: tuple[str, ...],
    turns: Callable[[Mapping[str, Any]], list[Turn]],
    head: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda element: element,
) -> Iterator[Parsed]:
    """Yield each conversation of a list, of a list under `conversations`, or the only one.

    Args:
        document: what to read.
        source: of the conversations.
        title_key: where an element has its title.
        id_keys: where it has its id; the first that is there counts. Without any, the key of the
            first turn stands for the conversation.
        turns: reads the turns of an element; none, and it is Skipped as empty.
        head: returns the object of an element that has its title and id.

    Raises:
        InputError: as `json_stream.elements` does.
    """
    for number, element in enumerate(elements(document, "conversations", ""), start=1):
        where = f"conversation {number}"
        if isinstance(element, Broken):
            yield Skipped(where, element.why)
            continue
        found = mapping(element)
        about = head(found)
        title = string(about.get(title_key))
        if said := turns(found):
            key = next((own for name in id_keys if (own := string(about.get(name)))), said[0].key)
            yield Conversation(source, key, title, tuple(said))
        else:
            where = f"{where} ({title})" if title else where
            yield Skipped(where, "has nothing to import", lost=False)
