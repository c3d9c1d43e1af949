"""The content of Claude's messages."""

import pytest
from helpers.parsing import document, parse_one, turn_summaries

from memcli.domain import Kind
from memcli.formats import load_format, recognise_format
from memcli.formats.assistants.claude_content import claude_message_content
from memcli.formats.parsing.message_counter import MessageCounter

CLAUDE = load_format("claude")


def tool(name="artifacts", **fields):
    return {"type": "tool_use", "name": name, "input": fields}


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ({"content": [{"type": "voice_note", "title": "Note", "text": "Row!"}]}, Kind.TEXT, "Row!"),
        ({"content": [{"type": "voice_note", "title": "Row"}]}, Kind.TEXT, "[voice note: Row]"),
        ({"content": [tool(title="Oars", content="Two.")]}, Kind.TEXT, "[artifact: Oars]\nTwo."),
        ({"content": [tool(id="oars", new_str="Four.")]}, Kind.TEXT, "[artifact: oars]\nFour."),
        (
            {"content": [tool("create_file", path="/out/oars.md", file_text="Two.")]},
            Kind.TEXT,
            "[artifact: oars.md]\nTwo.",
        ),
        ({"content": [tool("web_search", query="oars")]}, Kind.MEDIA, ""),
        ({"content": [{"type": "thinking", "thinking": "Hmm", "text": "x"}]}, Kind.MEDIA, ""),
        ({"content": [{"type": "drawing", "title": "Hull"}]}, Kind.TEXT, "[drawing: Hull]"),
        ({"text": "Read", "files": [{"file_name": "a.pdf"}]}, Kind.TEXT, "Read\n[a.pdf]"),
        ({"text": "", "files_v2": [{"file_name": "a.pdf"}]}, Kind.MEDIA, "a.pdf"),
        ({"text": "", "files": [{"file_uuid": "1"}]}, Kind.MEDIA, "[file]"),
        ({"text": "Read", "files": [{"file_uuid": "1"}]}, Kind.TEXT, "Read"),
        (
            {
                "text": "",
                "attachments": [{"file_name": "log.txt", "extracted_content": "leak"}],
                "files": [{"file_name": "log.txt"}],
            },
            Kind.TEXT,
            "leak\n[log.txt]",
        ),
        ({"text": "So.<antThinking>Hmm\n\nthen</antThinking>\nYes"}, Kind.TEXT, "So.\n\nYes"),
        ({"text": "So.\n<antThinking>cut off"}, Kind.TEXT, "So."),
        (
            {"text": 'Here:\n<antArtifact type="t" title="Tides">07:40</antArtifact>\nDone.'},
            Kind.TEXT,
            "Here:\n[artifact: Tides]\n07:40\nDone.",
        ),
    ],
)
def test_a_message_with_any_content_has_a_text(message, kind, text):
    assert claude_message_content(message, MessageCounter()) == (kind, text)


def test_a_chat_about_a_design_has_its_messages_inside_of_objects():
    raw = {
        "uuid": "d1",
        "title": "Header",
        "project": {"uuid": "p1", "name": "Ferry"},
        "messages": [
            {
                "uuid": "m1",
                "role": "user",
                "created_at": "2026-08-14T06:36:35Z",
                "content": {"content": "Make it blue", "attachments": [{"name": "now.png"}]},
            },
            {
                "uuid": "m2",
                "role": "assistant",
                "content": {
                    "content": "",
                    "timestamp": "2026-08-14T06:37:10.000Z",
                    "contentBlocks": [
                        {"type": "thinking", "text": "Blue."},
                        {"type": "text", "text": "It is blue."},
                        {"type": "tool_call", "toolCall": {"name": "edit"}},
                    ],
                },
            },
        ],
    }

    found = parse_one(CLAUDE, raw)

    assert recognise_format(document(raw)) is CLAUDE
    assert (found.key, found.title) == ("d1", "Ferry: Header")
    assert turn_summaries(found) == [
        ("user", "text", "Make it blue\n[now.png]"),
        ("assistant", "text", "It is blue."),
    ]
    assert found.turns[1].sent_at.isoformat() == "2026-08-14T06:37:10+00:00"
