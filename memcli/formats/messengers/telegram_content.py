"""Returns what a message of Telegram's JSON says: its words, and the names of all it carries."""

from collections.abc import Mapping
from typing import Any

from memcli.domain import Kind
from memcli.formats.building.blocks import unknown_content
from memcli.formats.parsing.values import mapping, sequence, string


def message_content(message: Mapping[str, Any]) -> tuple[Kind | None, str]:
    """Return the kind and the text of a message; no kind where it is empty."""
    text = _join_text(message.get("text")) or _join_text(message.get("text_entities"))
    if message.get("type") == "service":
        action = string(message.get("action"))
        details = [text, *_service_details(message)]
        notice = ": ".join(part for part in (action.replace("_", " "), *details) if part)
        return (Kind.CALL if action in ("phone_call", "group_call") else Kind.SERVICE), notice
    if message.get("type") not in ("message", None):
        return None, ""
    lists = ""
    if "poll" in message or "todo_list" in message:
        lists = "\n".join(filter(None, (_poll(message), _todo_list(message))))
    if text.strip():
        return Kind.TEXT, f"{text}\n{lists}" if lists else text
    name = lists or _media_name(message)
    if name is None and (other := unknown_content(message, ())):
        return Kind.MEDIA, other.text
    return (None, "") if name is None else (Kind.MEDIA, name)


def unknown_kind(message: Mapping[str, Any]) -> str:
    """Return the kind of a message's content if it is unknown, else ""."""
    has_words = message.get("text") or "poll" in message or "todo_list" in message
    is_known = has_words or message.get("type") == "service" or _media_name(message) is not None
    other = None if is_known else unknown_content(message, ())
    return other.unknown_type if other else ""


def _service_details(message: Mapping[str, Any]) -> list[str]:
    """Return what a notice tells beside its action: titles, names, tasks."""
    details = [string(message.get(key)) for key in ("title", "new_title", "game_title")]
    details.append(", ".join(filter(None, map(string, sequence(message.get("members"))))))
    details += [", ".join(_texts(message.get(key))) for key in ("items", "tasks")]
    return list(dict.fromkeys(filter(None, details)))


def _poll(message: Mapping[str, Any]) -> str:
    """Return the question of a poll and its answers, each on a line."""
    poll = mapping(message.get("poll"))
    question = _join_text(poll.get("question"))
    return "\n".join(filter(None, (question, *_bullets(poll.get("answers")))))


def _todo_list(message: Mapping[str, Any]) -> str:
    """Return the title of a to-do list and its items, each on a line."""
    todo = mapping(message.get("todo_list"))
    items = next(filter(None, (todo.get(key) for key in ("answers", "items", "tasks"))), None)
    return "\n".join(filter(None, (_join_text(todo.get("title")), *_bullets(items))))


def _bullets(items: object) -> list[str]:
    return [f"- {text}" for text in _texts(items)]


def _texts(items: object) -> list[str]:
    """Return the texts of a list of texts or of objects with a text."""
    texts = (
        _join_text(mapping(item).get("text") if isinstance(item, dict) else item)
        for item in sequence(items)
    )
    return [text for text in texts if text.strip()]


def _media_name(message: Mapping[str, Any]) -> str | None:
    """Return the name of the file or the like in a message, "" if it has none; None without one."""
    contact, place = (
        mapping(message.get(key)) for key in ("contact_information", "location_information")
    )
    names = [
        message.get("sticker_emoji"),
        message.get("file_name"),
        " ".join(filter(None, (string(contact.get(f"{n}_name")) for n in ("first", "last")))),
        ", ".join(filter(None, (string(message.get(key)) for key in ("place_name", "address")))),
        ", ".join(filter(None, (string(place.get(key)) for key in ("latitude", "longitude")))),
        message.get("game_title"),
        mapping(message.get("invoice_information")).get("title"),
    ]
    if name := next(filter(None, map(_join_text, names)), None):
        phone = string(contact.get("phone_number"))
        return f"{name} {phone}" if phone else name
    file = string(message.get("file"))
    if file:
        return "" if file.startswith("(") else file.rpartition("/")[2]
    kinds = {"photo", "media_type", "poll", "todo_list", "contact_information", "mime_type"}
    kinds |= {"location_information", "place_name", "game_title", "invoice_information"}
    return None if kinds.isdisjoint(message) else string(contact.get("phone_number"))


def _join_text(text: object) -> str:
    """Return a text that the file has as one, or as a list of texts and objects with a text.

    The target of a link that has words of its own follows them.
    """
    if not isinstance(text, list):
        return string(text)
    joined = []
    for part in text:
        words = string(part["text"] if isinstance(part, dict) and "text" in part else part)
        target = string(part.get("href")) if isinstance(part, dict) else ""
        joined.append(f"{words} ({target})" if target and target not in words else words)
    return "".join(joined)
