"""LibreChat's exports of a conversation."""

from helpers.assistant_exports import librechat, librechat_message
from helpers.parsing import document, parse_all, parse_one, turn_summaries

from memcli.domain import Skipped
from memcli.formats import load_format, recognise_format

LIBRECHAT = load_format("librechat")
ROOT = "00000000-0000-0000-0000-000000000000"


def export(*messages, under="messages"):
    return {"conversationId": "l1", "title": "Hulls", under: list(messages)}


def test_a_list_and_a_tree_give_the_same():
    texts = ("Oak or teak?", "Oak.", "Why?", "It is here.")

    assert parse_one(LIBRECHAT, librechat(*texts)) == parse_one(
        LIBRECHAT, librechat(*texts, recursive=True)
    )


def test_older_exports_name_the_tree_otherwise():
    inner = librechat_message(1, "Oak.", "m0")
    raw = export(librechat_message(0, "Oak or teak?", ROOT, children=[inner]), under="messagesTree")

    assert recognise_format(document(raw)) is LIBRECHAT
    assert [text for *_, text in turn_summaries(parse_one(LIBRECHAT, raw))] == [
        "Oak or teak?",
        "Oak.",
    ]


def test_answers_made_again_are_kept_and_the_newest_is_active():
    found = parse_one(
        LIBRECHAT,
        export(
            librechat_message(0, "Oak or teak?", ROOT),
            librechat_message(1, "Oak.", "m0"),
            librechat_message(3, "Teak.", "m0"),
        ),
    )

    assert [turn.text for turn in found.turns if turn.active] == ["Oak or teak?", "Teak."]
    assert len(found.turns) == 3


def test_parts_of_an_answer_are_told_apart():
    parts = [
        {"type": "think", "think": "Hmm."},
        {"type": "text", "text": {"value": "Oak."}},
        {"type": "tool_call", "tool_call": {"name": "search", "args": "{}", "output": "oak"}},
        {"type": "error", "error": "out of credit"},
        {"type": "canvas", "title": "Budget"},
        {"type": "note", "text": "Ask again."},
    ]
    asked = librechat_message(0, "Which?", ROOT, files=[{"filename": "woods.pdf"}])

    found = parse_one(LIBRECHAT, export(asked, librechat_message(1, "", "m0", content=parts)))

    assert sorted(turn_summaries(found)) == [
        ("assistant", "media", "[canvas: Budget]"),
        ("assistant", "text", "Ask again."),
        ("assistant", "text", "Oak."),
        ("assistant", "thought", "Hmm."),
        ("assistant", "tool", "search {}"),
        ("system", "service", "out of credit"),
        ("tool", "tool", "oak"),
        ("user", "media", "woods.pdf"),
        ("user", "text", "Which?"),
    ]


def test_an_error_is_no_word_of_the_assistant():
    failed = librechat_message(1, "The key is wrong.", "m0", error=True)

    found = parse_one(LIBRECHAT, export(librechat_message(0, "Which?", ROOT), failed))

    assert turn_summaries(found)[1] == ("system", "service", "The key is wrong.")


def test_a_conversation_without_messages_is_reported():
    assert parse_all(LIBRECHAT, export()) == [
        Skipped("conversation 1 (Hulls)", "has nothing to import", lost=False)
    ]
