"""Perplexity threads."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from helpers import parsing
from helpers.parsing import document, shared_document

from memcli.domain import Clock, Kind, Role, Skipped
from memcli.formats import ParseOptions, recognise_format
from memcli.formats.assistants import perplexity


def entry(name, question, *blocks, minute=0, **more):
    return {
        "uuid": name,
        "context_uuid": "thread",
        "query_str": question,
        "entry_created_datetime": f"2026-02-01T00:{minute:02}:00.000Z",
        "blocks": [{"markdown_block": block} for block in blocks],
        **more,
    }


def turn(name, question, answer, minute=0):
    asked_at = f"2026-02-01T00:{minute:02}:00.000Z"
    return {"uuid": name, "query": question, "answer": answer, "timestamp": asked_at}


ABOUT = {
    "thread_id": "thread",
    "thread_title": "Moons",
    "thread_updated_at": "2026-02-02T00:00:00Z",
}


def parse_one(value):
    """Return the one conversation of a file."""
    return parsing.parse_one(perplexity.FORMAT, value)


def turn_summaries(conversation):
    """Return the role and text of each turn."""
    return [(turn.role.value, turn.text) for turn in conversation.turns]


@pytest.mark.parametrize(
    "value",
    [
        {"metadata": ABOUT, "conversations": [turn("a", "Q", "A")]},
        {"status": "success", "entries": [entry("a", "Q", {"answer": "A"})]},
        [{"entries": [entry("a", "Q", {"answer": "A"})]}],
    ],
)
def test_a_thread_is_recognised_by_a_question_with_its_answer(value):
    assert recognise_format(document(value)) is perplexity.FORMAT


@pytest.mark.parametrize(
    "value",
    [
        {"entries": [{"query_str": "Q"}]},
        {"entries": [{"uuid": "a", "blocks": []}]},
        {"conversations": [turn("a", "Q", "A")]},
        {"metadata": ABOUT, "conversations": []},
    ],
)
def test_half_the_evidence_is_none(value):
    assert recognise_format(document(value)) is not perplexity.FORMAT


def test_both_shapes_of_a_thread_are_the_same_conversation():
    first = parse_one({"metadata": ABOUT, "conversations": [turn("a", "Q", "A")]})
    about = {"title": "Moons", "updated_at": "2026-02-02T00:00:00Z"}
    second = parse_one({"thread_metadata": about, "entries": [entry("a", "Q", {"answer": "A"})]})

    assert first == second
    assert (first.key, first.title) == ("thread", "Moons")
    assert first.updated_at == datetime(2026, 2, 2, tzinfo=UTC)


def test_a_question_has_a_time_and_its_answer_inherits_it():
    found = parse_one({"metadata": ABOUT, "conversations": [turn("a", "Q", "A", minute=5)]})

    assert [(one.key, one.role, one.clock) for one in found.turns] == [
        ("a", Role.USER, Clock.EXACT),
        ("a#answer", Role.ASSISTANT, Clock.INHERITED),
    ]
    assert {one.sent_at for one in found.turns} == {datetime(2026, 2, 1, 0, 5, tzinfo=UTC)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_in_the_file_does_not_matter(order):
    entries = [entry(f"e{at}", f"Q{at}", {"answer": f"A{at}"}, minute=at) for at in range(3)]

    assert parse_one({"entries": [entries[at] for at in order]}) == parse_one({"entries": entries})


def test_nonsense_for_a_time_inherits_the_one_before():
    rows = [entry("a", "Q1", {"answer": "A1"}), entry("b", "Q2", {"answer": "A2"})]
    rows[1]["entry_created_datetime"] = "soon"

    found = parse_one({"entries": rows})

    assert turn_summaries(found) == [
        ("user", "Q1"),
        ("assistant", "A1"),
        ("user", "Q2"),
        ("assistant", "A2"),
    ]
    assert [turn.clock for turn in found.turns][1:] == [Clock.INHERITED] * 3


def test_without_any_time_there_is_none():
    row = entry("a", "Q", {"answer": "A"})
    del row["entry_created_datetime"]

    assert {one.clock for one in parse_one({"entries": [row]}).turns} == {Clock.NONE}


@pytest.mark.parametrize(
    ("blocks", "answer"),
    [
        ([{"chunks": ["chunk", "ed", " answer"]}], "chunked answer"),
        ([{"answer": " ", "chunks": ["one"]}], "one"),
        ([{"answer": "one"}, {"answer": "two"}, {"answer": "one"}], "one\n\ntwo"),
        ([None, {"answer": "one"}], "one"),
    ],
)
def test_an_answer_is_put_together_from_its_blocks(blocks, answer):
    assert turn_summaries(parse_one({"entries": [entry("a", "Q", *blocks)]})) == [
        ("user", "Q"),
        ("assistant", answer),
    ]


def test_a_block_with_the_whole_answer_counts_alone():
    row = entry("a", "Q", {"answer": "one"}, {"answer": "one and two"})
    row["blocks"][1]["intended_usage"] = "ask_text"

    assert turn_summaries(parse_one({"entries": [row]}))[1] == ("assistant", "one and two")


def test_attached_files_are_named():
    row = entry("a", "What is this?", attachments=["https://files.example/a/moon.png"])

    found = parse_one({"entries": [row]})

    assert (found.turns[1].kind, found.turns[1].text) == (Kind.MEDIA, "moon.png")


def test_without_an_id_the_slug_and_then_the_first_question_stand_for_the_thread():
    row = entry("a", "Where is it?", {"answer": "A"}, thread_url_slug="where-x")
    del row["context_uuid"]
    slug = parse_one({"entries": [row]})
    del row["thread_url_slug"]
    question = parse_one({"entries": [row]})

    assert (slug.key, question.key) == ("where-x", "a")
    assert question.title == "Where is it?"


def test_a_thread_without_words_is_passed_over():
    [found] = parsing.parse_all(perplexity.FORMAT, {"entries": [entry("a", "")]})

    assert isinstance(found, Skipped)
    assert not found.lost


def test_surprises_lose_no_words():
    odd = {"entries": [None, 7, entry("a", "Q", [], minute=1), {"query": 7, "blocks": {"a": 1}}]}

    assert ("user", "Q") in turn_summaries(parse_one(odd))
    assert ("user", "7") in turn_summaries(parse_one(odd))


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("case1", "legacy-thread", ["Q", "A"]),
        ("case2", "context-abc", ["Question?", "Answer text"]),
        ("case3", "entries-thread-xyz", ["Question?", "chunked answer"]),
    ],
)
def test_real_threads(samples, name, key, said):
    found = shared_document(f"perplexity/Superkikim__nexus-ai-chat-importer__inline/{name}.json")

    assert recognise_format(found) is perplexity.FORMAT
    [conversation] = perplexity.FORMAT.parse(found, ParseOptions())
    assert conversation.key == key
    assert [turn.text for turn in conversation.turns] == said
