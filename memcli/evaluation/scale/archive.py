"""Generated exports of several sources and languages, with as many sessions as are asked for.

Six sessions in ten are talks with an assistant, in one large file in the layout of LongMemEval; the
others are ChatGPT's, WhatsApp's and Telegram's, built and spaced as these write theirs. The same
number gives the same bytes.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

from memcli.evaluation.scale.languages import LANGUAGES, ZipfLanguage
from memcli.evaluation.synthetic_exports import chat_message, chatgpt_conversation

SEED = 2025
SHARES = {"talks": 0.6, "chatgpt": 0.1, "whatsapp": 0.15}  # of the sessions; the rest: Telegram
HAYSTACK = 50  # sessions of one element of the file of talks
CHAT_SESSIONS = 250  # of one chat
USER_WORDS, ASSISTANT_WORDS, CHAT_WORDS = 40.0, 270.0, 9.0  # in a message, on average

_BEGIN = 1_500_000_000  # seconds since 1970: July 2017
_PEOPLE = "Ann Bea Cem Dov Eva Finn Gül Hugo Ivo Jana Kai Lena".split()


def write_archive(sessions: int, folder: Path) -> int:
    """Write an archive into a folder, in bounded memory.

    Args:
        sessions: about how many; long chats are cut into sessions when they are imported.
        folder: an empty folder.

    Returns:
        The size of all files, in bytes.
    """
    languages = [ZipfLanguage.of(name) for name in LANGUAGES]
    counts = {name: round(share * sessions) for name, share in SHARES.items()}
    counts["telegram"] = sessions - sum(counts.values())
    _write(folder / "talks.json", _talks(languages, counts["talks"]))
    _write(folder / "conversations.json", _chatgpt(languages[0], counts["chatgpt"]))
    for name, write, suffix in (
        ("whatsapp", _whatsapp_chat, "txt"),
        ("telegram", _telegram_chat, "json"),
    ):
        starts = range(0, counts[name], CHAT_SESSIONS)
        for number, first in enumerate(starts, start=1):
            chat = f"WhatsApp Chat with Group {number}" if name == "whatsapp" else f"chat{number}"
            size = min(CHAT_SESSIONS, counts[name] - first)
            language = languages[number % len(languages)]
            _write(folder / f"{chat}.{suffix}", write(language, number, size))
    return sum(path.stat().st_size for path in folder.iterdir())


def _write(path: Path, parts: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(parts)


def _talks(languages: list[ZipfLanguage], count: int) -> Iterator[str]:
    """Yield a file of talks with an assistant, nine in ten of them in English."""
    random = Random(f"{SEED} talks")
    moment = float(_BEGIN)
    yield "["
    for first in range(0, count, HAYSTACK):
        sessions, dates = [], []
        for _ in range(first, min(first + HAYSTACK, count)):
            moment += random.expovariate(1 / 20_000)
            dates.append(f"{datetime.fromtimestamp(moment, UTC):%Y/%m/%d (%a) %H:%M}")
            language = languages[0] if random.random() < 0.9 else random.choice(languages)
            sessions.append(list(_talk(random, language)))
        element = {
            "question_id": f"q{first}",
            "question": languages[0].text(random, 9),
            "answer": languages[0].text(random, 3),
            "haystack_dates": dates,
            "haystack_session_ids": [f"talk_{first + at}" for at in range(len(sessions))],
            "haystack_sessions": sessions,
        }
        yield f"{', ' if first else ''}{json.dumps(element, ensure_ascii=False)}\n"
    yield "]\n"


def _talk(random: Random, language: ZipfLanguage) -> Iterator[dict[str, str]]:
    for _ in range(1 + int(random.expovariate(1 / 4.8))):
        for role, mean in (("user", USER_WORDS), ("assistant", ASSISTANT_WORDS)):
            yield {"role": role, "content": language.text(random, mean)}


def _chatgpt(language: ZipfLanguage, count: int) -> Iterator[str]:
    random, moment = Random(f"{SEED} chatgpt"), float(_BEGIN)
    for number in range(count):
        moment += random.expovariate(1 / 40_000)
        conversation = chatgpt_conversation(random, language, moment)
        yield f"{', ' if number else '['}{json.dumps(conversation)}"
    yield "]" if count else "[]"


def _chat_messages(
    random: Random, language: ZipfLanguage, sessions: int
) -> Iterator[tuple[int, str, str]]:
    """Yield (time, speaker, text) of a chat that is busy for a while, and quiet for a day."""
    people = random.sample(_PEOPLE, 4)
    moment = _BEGIN + random.uniform(0, 1e8)
    for _ in range(sessions):
        moment += 90_000 + random.expovariate(1 / 90_000)
        for _ in range(2 + int(random.expovariate(1 / 12))):
            moment += 5 + random.expovariate(1 / 60)
            yield int(moment), random.choice(people), language.text(random, CHAT_WORDS)


def _whatsapp_chat(language: ZipfLanguage, number: int, sessions: int) -> Iterator[str]:
    random = Random(f"{SEED} whatsapp {number}")
    for moment, speaker, text in _chat_messages(random, language, sessions):
        yield f"{datetime.fromtimestamp(moment, UTC):%d/%m/%Y, %H:%M} - {speaker}: {text}\n"


def _telegram_chat(language: ZipfLanguage, number: int, sessions: int) -> Iterator[str]:
    random = Random(f"{SEED} telegram {number}")
    yield f'{{\n "name": "Group {number}",\n "type": "private_group",\n "id": {4000 + number},\n'
    yield ' "messages": ['
    messages = _chat_messages(random, language, sessions)
    for at, (moment, speaker, text) in enumerate(messages, start=1):
        user = 1000 + _PEOPLE.index(speaker)
        message = chat_message(at, speaker, user, text, moment)
        separator = ",\n" if at > 1 else "\n"
        yield separator + json.dumps(message, ensure_ascii=False, indent=1)
    yield "\n ]\n}\n"


def sample_questions(count: int) -> list[str]:
    """Return questions with words as rare as people ask for: some texts have each of them."""
    random, language = Random(f"{SEED} questions"), ZipfLanguage.of("en")
    words = random.sample(list(islice(language.words, 200, 4000)), 3 * count)
    return [f"what was the {one} about the {two} {three}" for one, two, three in _triples(words)]


def _triples(words: list[str]) -> Iterator[tuple[str, str, str]]:
    parts = iter(words)
    return zip(parts, parts, parts, strict=True)
