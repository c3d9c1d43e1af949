"""Conversations of Poe."""

import pytest
from helpers.assistant_exports import poe_markdown
from helpers.parsing import document, parse_one, turn_summaries

from memcli.formats import load_format, recognise_format

POE = load_format("poe")
MESSAGES = [
    {"author": "human", "text": "Oak or teak?", "creationTime": 1_780_000_000_000_000},
    {
        "author": "claude-sonnet",
        "text": "Oak.",
        "attachments": [{"name": "oak.png", "url": "https://example.org/o.png?w=1"}],
    },
]
TOLD = [
    ("user", "text", "Oak or teak?"),
    ("assistant", "text", "Oak."),
    ("assistant", "media", "oak.png"),
]


def page(share):
    return {"props": {"pageProps": {"data": {"mainQuery": {"chatShare": share}}}}}


@pytest.mark.parametrize(
    "share",
    [
        {"shareCode": "p1", "messages": MESSAGES},
        {"shareCode": "p1", "messagesConnection": {"edges": [{"node": one} for one in MESSAGES]}},
    ],
)
def test_a_shared_page_has_its_messages_in_one_of_two_places(share):
    found = parse_one(POE, page(share))

    assert recognise_format(document(page(share))) is POE
    assert found.key == "p1"
    assert turn_summaries(found) == TOLD
    assert found.turns[0].sent_at.isoformat() == "2026-05-28T20:26:40+00:00"


def test_a_conversation_saved_by_an_extension_is_read():
    messages = [
        {"role": "user", "content": "Oak or teak?"},
        {"role": "assistant", "botName": "Claude", "content": "Oak."},
    ]
    raw = {
        "exportMeta": {"platform": "Poe.com"},
        "conversation": {"id": "p2", "title": "Woods", "messages": messages},
    }

    found = parse_one(POE, raw)

    assert recognise_format(document(raw)) is POE
    assert (found.key, found.title) == ("p2", "Woods")
    assert turn_summaries(found) == TOLD[:2]


def test_hyphens_and_colons_inside_of_a_text_stay_in_it():
    answer = "It depends:\n\n---\n\n- on money\n- on time:\n\nBoth."

    found = parse_one(POE, poe_markdown("Oak or teak?", answer, "Thanks"), "poe_woods.md")

    assert [text for *_, text in turn_summaries(found)] == ["Oak or teak?", answer, "Thanks"]
    assert found.key == "poe_woods"
