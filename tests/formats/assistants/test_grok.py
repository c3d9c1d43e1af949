"""Grok exports."""

import random

import pytest
from helpers.parsing import document, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Clock
from memcli.formats import ParseOptions, load_format, recognise_format

GROK = load_format("grok")


def response(name, sender, text, minute=0, **more):
    stamp = f"2026-01-01T10:{minute:02}:00Z"
    return {"_id": name, "sender": sender, "message": text, "create_time": stamp, **more}


def export(*responses, wrapped=True, **about):
    rows = [{"response": one, "share_link": None} if wrapped else one for one in responses]
    conversation = {"conversation": {"id": "c1", "title": "Cats", **about}, "responses": rows}
    return {"conversations": [conversation], "media_generations": []}


ASKED = response("q", "human", "A name for a cat?")
ANSWERED = response("a", "ASSISTANT", "Biscuit.", 1, parent_response_id="q")
AGAIN = response("b", "assistant", "Pixel.", 2, parent_response_id="q")


@pytest.mark.parametrize("row", sample_rows("grok"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    [conversation] = GROK.parse(found, ParseOptions())

    assert recognise_format(found) is GROK
    assert sum(turn.is_searchable for turn in conversation.turns) == int(row["messages"])
    assert all(turn.clock is Clock.EXACT for turn in conversation.turns)


@pytest.mark.parametrize("wrapped", [True, False])
def test_answers_made_again_are_kept_but_not_active(wrapped):
    found = parse_one(GROK, export(ASKED, ANSWERED, AGAIN, wrapped=wrapped))

    assert (found.key, found.title) == ("c1", "Cats")
    assert [(turn.key, turn.parent, turn.active) for turn in found.turns] == [
        ("q", None, True),
        ("a", "q", False),
        ("b", "q", True),
    ]


def test_the_current_leaf_wins_over_the_newest():
    found = parse_one(GROK, export(ASKED, ANSWERED, AGAIN, leaf_response_id="a"))

    assert [turn.key for turn in found.turns if turn.active] == ["q", "a"]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_responses_does_not_matter(seed):
    rows = [
        ASKED,
        ANSWERED,
        AGAIN,
        response("", "human", "So?", 3),
        response("", "human", "So?", 3),
    ]
    shuffled = random.Random(seed).sample(rows, len(rows))

    assert parse_all(GROK, export(*shuffled)) == parse_all(GROK, export(*rows))


def test_without_parents_responses_are_a_line_by_time():
    rows = [response("a", "assistant", "Two", 0), response("q", "Human", "One", 0)]

    found = parse_one(GROK, export(*rows))

    assert turn_summaries(found) == [("user", "text", "One"), ("assistant", "text", "Two")]
    assert all(turn.active for turn in found.turns)


def test_thoughts_citations_and_files_are_told_apart():
    card = 'Yes.<grok:render card_id="1" type="x"><argument name="a">1</argument></grok:render>'
    rows = [
        response("q", "human", "See", file_attachments=[{"file_name": "a.pdf"}]),
        response("a", "assistant", card, 1, thinking_trace="Hm."),
    ]

    assert turn_summaries(parse_one(GROK, export(*rows))) == [
        ("user", "text", "See"),
        ("user", "media", "a.pdf"),
        ("assistant", "thought", "Hm."),
        ("assistant", "text", "Yes."),
    ]


def test_perplexitys_wrapped_list_is_not_taken_for_it():
    content = {"conversations": [{"uuid": "t", "query": "Q", "answer": "A"}]}

    assert recognise_format(document(content)) is not GROK
