"""Claude's projects and memories."""

from helpers.parsing import account, document, parse_all, turn_summaries

from memcli.domain import Skipped
from memcli.formats import load_format, recognise_format

CLAUDE = load_format("claude")
PROJECT = {
    "uuid": "p1",
    "name": "Boat club",
    "description": "The club's pages",
    "prompt_template": "Answer in Dutch.",
    "created_at": "2026-03-01T10:00:00Z",
    "docs": [
        {"uuid": "d1", "filename": "tides.txt", "content": "High water 07:40"},
        {"uuid": "d2", "filename": "empty.txt", "content": ""},
    ],
}
EXAMPLE = {**PROJECT, "uuid": "p2", "is_starter_project": True}
MEMORIES = {
    "account_uuid": "a1",
    "conversations_memory": "Sails on Saturdays.",
    "project_memories": {"p1": "Prefers Dutch."},
    "memory_files": [{"path": "work.md", "content": "Treasurer."}],
}


def test_instructions_and_documents_of_a_project_are_the_person_s():
    [found, example] = parse_all(CLAUDE, [PROJECT, EXAMPLE], "projects.json")

    assert recognise_format(document([PROJECT])) is CLAUDE
    assert recognise_format(document(PROJECT, "projects/p1.json")) is CLAUDE
    assert (found.key, found.title) == ("p1", "Boat club")
    assert turn_summaries(found) == [
        ("user", "text", "The club's pages"),
        ("user", "text", "Answer in Dutch."),
        ("user", "text", "High water 07:40\n[tides.txt]"),
        ("user", "text", "empty.txt"),
    ]
    assert isinstance(example, Skipped)
    assert account(CLAUDE, [PROJECT, EXAMPLE]) == {"turns": 4, "hidden": 4}


def test_memories_are_claude_s():
    [found] = parse_all(CLAUDE, [MEMORIES], "memories.json")

    assert recognise_format(document([MEMORIES])) is CLAUDE
    assert (found.key, found.title) == ("memories/a1", "Claude's memory")
    assert turn_summaries(found) == [
        ("assistant", "text", "Sails on Saturdays."),
        ("assistant", "text", "Prefers Dutch."),
        ("assistant", "text", "Treasurer."),
    ]


def test_a_text_document_of_chatgpt_is_read():
    text = {"id": "t1", "title": "Budget", "textdoc_type": "document", "content": "Ferry 40"}

    [found] = parse_all(load_format("chatgpt"), text, "textdocs/t1.json")

    assert recognise_format(document(text)).name == "chatgpt"
    assert (found.key, found.title) == ("t1", "Budget")
    assert turn_summaries(found) == [("assistant", "text", "Ferry 40")]
