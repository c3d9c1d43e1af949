"""Writes invented exports of any size, to measure how fast they are imported.

They are built and spaced as ChatGPT and Telegram write theirs, with messages about as long as
people's and words about as frequent as in a language. The same size gives the same bytes.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from memcli.evaluation.scale.languages import ZipfLanguage

SEED = 2024

_BEGIN = 1_600_000_000  # seconds since 1970: September 2020


def write_export(format_name: str, megabytes: float, path: Path) -> int:
    """Write an export in bounded memory.

    Args:
        format_name: `chatgpt`: conversations in one line; `telegram`: one chat.
        megabytes: least size, in millions of bytes; the export is larger by one message or
            conversation at most.
        path: of the file.

    Returns:
        The size of the file, in bytes.
    """
    write = {"chatgpt": _chatgpt_parts, "telegram": _telegram_parts}[format_name]
    parts = write(Random(SEED), megabytes * 1e6)
    with path.open("wb") as stream:
        for part in parts:
            stream.write(part)
        return stream.tell()


def _chatgpt_parts(random: Random, least: float) -> Iterator[bytes]:
    language = ZipfLanguage.of("en")
    written, moment = 0, float(_BEGIN)
    separator = b"["
    while written < least:
        moment += random.expovariate(1 / 40_000)
        conversation = chatgpt_conversation(random, language, moment)
        part = separator + json.dumps(conversation).encode()
        written += len(part)
        yield part
        separator = b", "
    yield b"]"


def chatgpt_conversation(random: Random, language: ZipfLanguage, moment: float) -> dict[str, Any]:
    """Return a conversation as ChatGPT exports it, with a branch where a reply was regenerated.

    Args:
        random: makes it.
        language: its words.
        moment: when it begins, in seconds since 1970.
    """
    began, last = moment, _uuid(random)
    nodes: dict[str, Any] = {last: {"id": last, "message": None, "parent": None, "children": []}}
    for _ in range(1 + int(random.expovariate(1 / 8))):
        for role, mean in (("user", 40.0), ("assistant", 220.0)):
            moment += random.expovariate(1 / 60)
            name = _uuid(random)
            nodes[last]["children"].append(name)
            message = _message(name, role, language.text(random, mean), moment, last)
            nodes[name] = {"id": name, "message": message, "parent": last, "children": []}
            regenerated = role == "assistant" and random.random() < 0.05  # a branch
            last = last if regenerated else name
    return {
        "title": language.text(random, 4),
        "create_time": began,
        "update_time": moment,
        "mapping": nodes,
        "moderation_results": [],
        "current_node": last,
        "conversation_id": _uuid(random),
        "is_archived": False,
        "safe_urls": [],
        "default_model_slug": "auto",
    }


def _message(name: str, role: str, text: str, moment: float, parent: str) -> dict[str, Any]:
    return {
        "id": name,
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": moment,
        "update_time": None,
        "content": {"content_type": "text", "parts": [text]},
        "status": "finished_successfully",
        "end_turn": role == "assistant" or None,
        "weight": 1.0,
        "metadata": {
            "citations": [],
            "content_references": [],
            "model_slug": "gpt-4o",
            "default_model_slug": "auto",
            "parent_id": parent,
            "request_id": f"{name[:16]}-FRA",
            "timestamp_": "absolute",
            "message_type": None,
        },
        "recipient": "all",
        "channel": None,
    }


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _telegram_parts(random: Random, least: float) -> Iterator[bytes]:
    language = ZipfLanguage.of("en")
    moment, number = float(_BEGIN), 0
    people = [(name, 1000 + at) for at, name in enumerate(("Ann", "Bea", "Cem", "Dov"))]
    head = b'{\n "name": "Friends",\n "type": "private_group",\n "id": 4321,\n "messages": ['
    yield head
    written = len(head)
    while written < least:
        # A chat is busy for a while, and then quiet for a night or a day.
        moment += random.expovariate(1 / 120) if random.random() < 0.98 else 30_000
        number += 1
        separator = b",\n" if number > 1 else b"\n"
        message = chat_message(
            number, *random.choice(people), language.text(random, 9), int(moment)
        )
        part = separator + json.dumps(message, ensure_ascii=False, indent=1).encode()
        written += len(part)
        yield part
    yield b"\n ]\n}\n"


def chat_message(number: int, name: str, user: int, text: str, moment: int) -> dict[str, Any]:
    """Return a message of a chat as Telegram exports it, sent at seconds since 1970."""
    return {
        "id": number,
        "type": "message",
        "date": f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S}",
        "date_unixtime": str(moment),
        "from": name,
        "from_id": f"user{user}",
        "text": text,
        "text_entities": [{"type": "plain", "text": text}],
    }
