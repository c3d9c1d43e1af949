"""Claude.ai exports."""

import json
import random
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, load_format, recognise_format

CLAUDE = load_format("claude")
NO_PARENT = "00000000-0000-4000-8000-000000000000"


def document(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Document("conversations.json", lambda: BytesIO(raw))


def parse_all(content):
    return list(CLAUDE.parse(document(content), ParseOptions()))


def survivors(raw):
    """Return the results of a damaged file up to an InputError, the only error it may raise."""
    kept = []
    with suppress(InputError):
        kept.extend(CLAUDE.parse(document(raw), ParseOptions()))
    return kept


def minute(number):
    return datetime(2026, 2, 1, 9, number, tzinfo=UTC)


def row(name, sender, text, at=None, parent=None, **keys):
    parent_field = {} if parent is None else {"parent_message_uuid": parent}
    time_field = {} if at is None else {"created_at": f"2026-02-01T09:{at:02}:00.000000Z"}
    return {"uuid": name, "sender": sender, "text": text, **time_field, **parent_field, **keys}


def conversation_json(*rows, **keys):
    return {"uuid": "c1", "name": "Cats", "chat_messages": list(rows), **keys}


BRANCHING = conversation_json(
    row("q1", "human", "A name for a cat?", 0, NO_PARENT),
    row("a1", "assistant", "Biscuit.", 1, "q1"),
    row("a2", "assistant", "Pixel.", 2, "q1"),
    row("q2", "human", "Good.", 3, "a2"),
)
BRANCHING_TURNS = (
    Turn("q1", Role.USER, "A name for a cat?", None, minute(0), Clock.EXACT),
    Turn("a1", Role.ASSISTANT, "Biscuit.", None, minute(1), Clock.EXACT, parent="q1", active=False),
    Turn("a2", Role.ASSISTANT, "Pixel.", None, minute(2), Clock.EXACT, parent="q1"),
    Turn("q2", Role.USER, "Good.", None, minute(3), Clock.EXACT, parent="a2"),
)
LINE = conversation_json(
    row("q1", "human", "One?", 0),
    row("a1", "assistant", "Two.", 0),
    row("q2", "human", "Three?", 1),
    row("a2", "assistant", "Four.", 1),
)


@pytest.mark.parametrize("row", sample_rows("claude"), ids=lambda row: row["path"])
def test_every_sample_gives_what_its_index_says(row):
    path = SHARED / "samples" / row["path"]
    sample = Document(row["path"], lambda: path.open("rb"))

    found = [one for one in CLAUDE.parse(sample, ParseOptions()) if isinstance(one, Conversation)]

    assert recognise_format(sample) is CLAUDE
    assert len(found) == int(row["sessions"])
    assert sum(len(one.turns) for one in found) == int(row["messages"])


def test_answers_made_again_are_kept_but_not_active():
    assert parse_all([BRANCHING]) == [Conversation("claude", "c1", "Cats", BRANCHING_TURNS)]


@pytest.mark.parametrize("content", [BRANCHING, {"conversations": [BRANCHING]}])
def test_single_conversations_and_wrapped_lists_are_read_too(content):
    assert parse_all(content) == parse_all([BRANCHING])
    assert recognise_format(document(content)) is CLAUDE


@pytest.mark.parametrize("conversation", [BRANCHING, LINE], ids=["branching", "line"])
@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_rows_does_not_matter(conversation, seed):
    rows = list(conversation["chat_messages"])
    random.Random(seed).shuffle(rows)

    assert parse_all([{**conversation, "chat_messages": rows}]) == parse_all([conversation])


@pytest.mark.parametrize("row", sample_rows("claude"), ids=lambda row: row["path"])
def test_samples_with_shuffled_rows_give_the_same(row):
    content = json.loads((SHARED / "samples" / row["path"]).read_bytes())
    before = parse_all(content)
    for conversation in content:
        rows = conversation.get("chat_messages", [])
        if not all(row.get("created_at") for row in rows):
            pytest.skip("a row without a time and a parent has its place from the file alone")
        random.Random(7).shuffle(rows)

    assert parse_all(content) == before


def test_without_parents_rows_are_a_line_and_the_person_speaks_first():
    [conversation] = parse_all([LINE])

    assert [turn.text for turn in conversation.turns] == ["One?", "Two.", "Three?", "Four."]
    assert all(turn.active for turn in conversation.turns)


def test_without_parents_and_times_the_file_decides():
    rows = [row("b", "assistant", "1"), row("a", "human", "2"), row("", "human", "3")]

    [conversation] = parse_all([conversation_json(*rows, created_at="2026-02-01T09:00:00Z")])

    assert [turn.text for turn in conversation.turns] == ["1", "2", "3"]
    assert {(turn.sent_at, turn.clock) for turn in conversation.turns} == {
        (minute(0), Clock.INHERITED)
    }


def test_the_current_leaf_wins_over_the_newest():
    [conversation] = parse_all([{**BRANCHING, "current_leaf_message_uuid": "a1"}])

    assert [turn.key for turn in conversation.turns if turn.active] == ["q1", "a1"]


def test_rows_that_only_call_tools_are_left_out_and_bridged():
    rows = [
        row("q", "human", "Search", 0, NO_PARENT),
        row("t", "assistant", "", 1, "q", content=[{"type": "tool_use", "name": "web"}]),
        row("a", "assistant", "Found", 2, "t"),
    ]

    [conversation] = parse_all([conversation_json(*rows)])

    assert [(turn.key, turn.parent) for turn in conversation.turns] == [("q", None), ("a", "q")]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"text": "old"}, "old"),
        ({"text": "same", "content": [{"type": "text", "text": "same"}]}, "same"),
        ({"text": "", "content": [{"type": "text", "text": "new"}]}, "new"),
        ({"text": "words", "content": [{"type": "text", "text": None}]}, "words"),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": 7}]}, "7"),
        ({"content": "plain"}, "plain"),
        ({"text": "Look", "attachments": [{"extracted_content": "pasted"}]}, "Look\n\npasted"),
        ({"attachments": [None, {"extracted_content": "pasted"}]}, "pasted"),
        ({"text": "```\nThis block is not supported on your current device yet.\n```So"}, "So"),
    ],
)
def test_words_are_taken_once_from_where_they_are(message, text):
    [conversation] = parse_all([conversation_json({"uuid": "m", "sender": "human", **message})])

    assert [turn.text for turn in conversation.turns] == [text]


def test_rows_without_ids_get_stable_keys():
    rows = [row("", "human", "Hi", 0), row("", "human", "Hi", 0), row("", "assistant", "Hi", 0)]

    [first], [again] = (
        parse_all([conversation_json(*rows)]),
        parse_all([conversation_json(*reversed(rows))]),
    )

    assert first == again
    assert len({turn.key for turn in first.turns}) == 3


def test_parents_in_a_circle_end():
    rows = [row("a", "human", "1", 0, "b"), row("b", "human", "2", 1, "a")]

    assert parse_all([conversation_json(*rows)]) == parse_all([conversation_json(*reversed(rows))])


def test_conversations_without_anything_are_skipped_but_not_lost():
    blank = conversation_json(row("m", "human", "  "), {"sender": "human"}, None, name=None)

    assert parse_all([None, {"uuid": "x", "name": "Empty"}, blank]) == [
        Skipped("conversation 1", "has nothing to import", lost=False),
        Skipped("conversation 2 (Empty)", "has nothing to import", lost=False),
        Skipped("conversation 3", "has nothing to import", lost=False),
    ]


def test_one_damaged_conversation_does_not_cost_the_others():
    good = json.dumps(BRANCHING).encode()

    before, lost, after = parse_all(b"[" + good + b',{"chat_messages": [nonsense]},' + good + b"]")

    assert before == after == parse_all([BRANCHING])[0]
    assert (lost.where, lost.lost) == ("conversation 2", True)


def test_a_file_that_breaks_off_keeps_what_was_whole():
    raw = json.dumps([BRANCHING, BRANCHING, BRANCHING]).encode()
    one = len(json.dumps(BRANCHING)) + 2

    for end in range(1, len(raw) - 1, 5):
        kept = survivors(raw[:end])

        assert kept == parse_all([BRANCHING]) * len(kept)
        assert len(kept) >= (end - 1) // one


def test_no_flipped_byte_is_more_than_an_input_error():
    raw = json.dumps([BRANCHING, LINE]).encode()
    chance = random.Random(2)

    for _ in range(500):
        damaged = bytearray(raw)
        for _ in range(chance.choice((1, 3))):
            damaged[chance.randrange(len(raw))] = chance.randrange(256)
        for one in survivors(bytes(damaged)):
            assert isinstance(one, Conversation | Skipped)


def test_conversations_without_messages_are_not_recognised():
    assert recognise_format(document([{"uuid": "c", "chat_messages": []}])) is None
