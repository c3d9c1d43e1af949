"""The archive that ships for `mem demo` is sound, varied, and holds what is asked of it."""

import json
import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import memcli.demo
from memcli.demo.questions import DEMO_QUESTIONS
from memcli.domain import Conversation
from memcli.formats import Document, ParseOptions, recognise_format

pytestmark = pytest.mark.slow

ARCHIVE = Path(memcli.demo.__file__).parent / "exports"
FORMATS = {
    "WhatsApp Chat with Kaito Mori.txt": "whatsapp",
    "chatgpt/conversations.json": "chatgpt",
    "claude/conversations.json": "claude",
    "notes.jsonl": "generic_json",
    "telegram/result.json": "telegram",
}
READING = ParseOptions(timezone=ZoneInfo("Europe/Lisbon"), me="Mira Okafor-Lindqvist")
QUIET = timedelta(hours=6)

KANA = re.compile("[ぁ-んァ-ン]")
HAN = re.compile("[一-鿿]")


def text_of(name):
    return (ARCHIVE / name).read_text(encoding="utf-8")


def json_of(name):
    return json.loads(text_of(name))


def notes():
    return [json.loads(line) for line in text_of("notes.jsonl").splitlines()]


def parsed(name):
    document = Document(name, partial((ARCHIVE / name).open, "rb"))
    known = recognise_format(document)
    assert known is not None
    return list(known.parse(document, READING))


def stretches(turns):
    """The sessions of an endless chat: cut where nobody spoke for six hours."""
    cut = []
    for before, turn in zip([None, *turns], turns, strict=False):
        if before is None or turn.sent_at - before.sent_at > QUIET:
            cut.append([])
        cut[-1].append(turn)
    return cut


def sessions(name):
    for conversation in parsed(name):
        if isinstance(conversation, Conversation):
            kept = [turn for turn in conversation.turns if turn.active]
            yield from stretches(kept) if conversation.endless else [kept]


def test_the_archive_is_exactly_these_files():
    found = {
        path.relative_to(ARCHIVE).as_posix()
        for path in ARCHIVE.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }

    assert found == set(FORMATS)


def test_the_archive_is_small():
    assert sum((ARCHIVE / name).stat().st_size for name in FORMATS) < 150_000


@pytest.mark.parametrize("name", FORMATS)
def test_files_are_utf8_with_plain_line_ends(name):
    content = (ARCHIVE / name).read_bytes()

    assert content.decode("utf-8").endswith("\n")
    assert b"\r" not in content
    assert not content.startswith(b"\xef\xbb\xbf")


def test_every_id_is_given_once():
    chatgpt = json_of("chatgpt/conversations.json")
    claude = json_of("claude/conversations.json")
    ids = [talk["conversation_id"] for talk in chatgpt]
    ids += [node["id"] for talk in chatgpt for node in talk["mapping"].values() if node["message"]]
    ids += [talk["uuid"] for talk in claude]
    ids += [message["uuid"] for talk in claude for message in talk["chat_messages"]]
    ids += [talk["id"] for talk in notes()]
    ids += [message["id"] for message in json_of("telegram/result.json")["messages"]]

    assert len(set(ids)) == len(ids)


def test_every_parent_is_there():
    for talk in json_of("chatgpt/conversations.json"):
        parents = {node["parent"] for node in talk["mapping"].values()}
        assert parents - {None} <= talk["mapping"].keys()
        assert talk["current_node"] in talk["mapping"].keys() - parents


def test_one_answer_was_regenerated():
    branching = [
        talk["title"]
        for talk in json_of("chatgpt/conversations.json")
        if len({node["parent"] for node in talk["mapping"].values()}) < len(talk["mapping"])
    ]

    assert branching == ["Selling Gösta the car"]


def test_one_message_has_a_pasted_attachment():
    attachments = [
        attachment["file_name"]
        for talk in json_of("claude/conversations.json")
        for message in talk["chat_messages"]
        for attachment in message["attachments"]
        if attachment["extracted_content"]
    ]

    assert attachments == ["prick_test_2024-03-18.txt"]


def test_friends_write_in_their_own_languages():
    assert KANA.search(text_of("WhatsApp Chat with Kaito Mori.txt"))
    assert HAN.search(text_of("telegram/result.json"))
    assert not KANA.search(text_of("telegram/result.json"))


def test_the_questions_are_in_english_and_in_japanese():
    assert [bool(KANA.search(question.question)) for question in DEMO_QUESTIONS] == [
        False,
        True,
        False,
    ]


def test_each_question_is_answered_by_a_turn_of_one_session_alone():
    answering = [
        [
            (name, session[0].sent_at.date().isoformat())
            for name in FORMATS
            for session in sessions(name)
            if any(all(answer in turn.text for answer in question.answers) for turn in session)
        ]
        for question in DEMO_QUESTIONS
    ]

    assert answering == [
        [("notes.jsonl", "2026-02-12")],
        [("WhatsApp Chat with Kaito Mori.txt", "2025-09-21")],
        [("claude/conversations.json", "2025-10-26")],
    ]


@pytest.mark.parametrize(("name", "expected"), FORMATS.items())
def test_every_file_is_recognised(name, expected):
    known = recognise_format(Document(name, partial((ARCHIVE / name).open, "rb")))

    assert known is not None
    assert known.name == expected


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_skipped_or_in_doubt(name):
    read = parsed(name)

    assert [part for part in read if not isinstance(part, Conversation)] == []
    assert all(turn.text or turn.kind != "text" for talk in read for turn in talk.turns)


def test_there_are_sessions_enough_to_rank():
    counts = {name: sum(1 for _ in sessions(name)) for name in FORMATS}

    assert counts == {
        "WhatsApp Chat with Kaito Mori.txt": 11,
        "chatgpt/conversations.json": 10,
        "claude/conversations.json": 9,
        "notes.jsonl": 4,
        "telegram/result.json": 10,
    }


def test_sessions_are_neither_empty_nor_endless():
    lengths = [len(session) for name in FORMATS for session in sessions(name)]

    assert min(lengths) >= 4
    assert max(lengths) <= 14


def test_the_archive_spans_january_2024_to_september_2026():
    days = [turn.sent_at.date() for name in FORMATS for talk in sessions(name) for turn in talk]

    assert (min(days).isoformat(), max(days).isoformat()) == ("2024-01-21", "2026-09-13")
