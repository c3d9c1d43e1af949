"""ChatGPT exports."""

import json
import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, load_format, recognise_format

CHATGPT = load_format("chatgpt")


def document(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Document("conversations.json", lambda: BytesIO(raw))


def parse_all(content):
    return list(CHATGPT.parse(document(content), ParseOptions()))


def survivors(raw):
    """Return the results of a damaged file up to an InputError, the only error it may raise."""
    kept = []
    with suppress(InputError):
        kept.extend(CHATGPT.parse(document(raw), ParseOptions()))
    return kept


def second(number):
    return datetime.fromtimestamp(1_700_000_000 + number, UTC)


def node(name, parent, role=None, text="", at=None, **message):
    """Return one entry of `mapping`, which has no message if no role is given."""
    message_json = {
        "id": name,
        "author": {"role": role, "name": None},
        "create_time": None if at is None else 1_700_000_000.0 + at,
        "content": {"content_type": "text", "parts": [text]},
        "metadata": {},
        **message,
    }
    return name, {"id": name, "parent": parent, "message": message_json if role else None}


def conversation_json(*nodes, current="answer", **keys):
    return {
        "conversation_id": "c1",
        "title": "Lisbon",
        "create_time": 1_700_000_000.0,
        "current_node": current,
        "mapping": dict(nodes),
        **keys,
    }


PLAIN = conversation_json(
    node("root", None),
    node("question", "root", "user", "When do we fly?", at=1),
    node("first", "question", "assistant", "In June.", at=2),
    node("answer", "question", "assistant", "In May.", at=3),
)
PLAIN_TURNS = (
    Turn("question", Role.USER, "When do we fly?", None, second(1), Clock.EXACT),
    Turn(
        "first", Role.ASSISTANT, "In June.", None, second(2), Clock.EXACT,
        parent="question", active=False,
    ),
    Turn("answer", Role.ASSISTANT, "In May.", None, second(3), Clock.EXACT, parent="question"),
)  # fmt: skip


@pytest.mark.parametrize(
    "row", sample_rows("chatgpt", "chatgpt_sharded"), ids=lambda row: row["path"]
)
def test_every_sample_gives_what_its_index_says(row):
    path = SHARED / "samples" / row["path"]
    sample = Document(row["path"], lambda: path.open("rb"))

    parse_all = CHATGPT.parse(sample, ParseOptions()) if int(row["messages"]) else ()
    found = [one for one in parse_all if isinstance(one, Conversation)]

    assert (recognise_format(sample) is CHATGPT) == bool(int(row["messages"]))
    assert len(found) == int(row["sessions"])
    spoken = [turn for one in found for turn in one.turns if turn.kind is Kind.TEXT]
    assert sum(turn.active for turn in spoken) == int(row["messages"])


def test_other_branches_are_kept_but_not_active():
    assert parse_all([PLAIN]) == [Conversation("chatgpt", "c1", "Lisbon", PLAIN_TURNS)]


@pytest.mark.parametrize("content", [PLAIN, {"conversations": [PLAIN]}])
def test_single_conversations_and_wrapped_lists_are_read_too(content):
    assert parse_all(content) == parse_all([PLAIN])
    assert recognise_format(document(content)) is CHATGPT


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_keys_does_not_matter(seed):
    nodes = list(PLAIN["mapping"].items())
    random.Random(seed).shuffle(nodes)

    assert parse_all([{**PLAIN, "mapping": dict(nodes)}]) == parse_all([PLAIN])


@pytest.mark.parametrize(
    "row", sample_rows("chatgpt", "chatgpt_sharded"), ids=lambda row: row["path"]
)
def test_samples_with_shuffled_keys_and_without_children_give_the_same(row):
    content = json.loads((SHARED / "samples" / row["path"]).read_bytes())
    for conversation in content if isinstance(content, list) else []:
        nodes = list(conversation.get("mapping", {}).items())
        random.Random(6).shuffle(nodes)
        conversation["mapping"] = {
            name: {key: value for key, value in entry.items() if key != "children"}
            for name, entry in nodes
        }

    assert parse_all(content) == parse_all((SHARED / "samples" / row["path"]).read_bytes())


def test_turns_at_the_same_time_or_without_one_stay_in_the_order_of_the_talk():
    times = (None, 5, None, 5, 5)
    names = ("z", "y", "x", "w", "v")
    nodes = [
        node(name, parent, "user", name, at=at)
        for name, parent, at in zip(names, (None, *names), times, strict=False)
    ]

    forwards = parse_all([conversation_json(*nodes, current="v")])
    backwards = parse_all([conversation_json(*reversed(nodes), current="v")])

    [conversation] = forwards
    assert forwards == backwards
    assert [turn.key for turn in conversation.turns] == list(names)
    assert [turn.clock for turn in conversation.turns] == [
        Clock.INHERITED, Clock.EXACT, Clock.INHERITED, Clock.EXACT, Clock.EXACT,
    ]  # fmt: skip
    assert [turn.sent_at for turn in conversation.turns] == [second(n) for n in (0, 5, 5, 5, 5)]


def test_without_any_parent_the_times_decide():
    nodes = [node(name, None, "user", name, at=at) for name, at in (("b", 2), ("a", 1), ("c", 3))]
    for _, entry in nodes:
        del entry["parent"]

    [conversation] = parse_all([conversation_json(*nodes, current=None)])

    assert [turn.key for turn in conversation.turns] == ["a", "b", "c"]
    assert all(turn.active for turn in conversation.turns)


def test_children_tell_the_parent_where_nothing_else_does():
    linked = {name: dict(entry) for name, entry in PLAIN["mapping"].items()}
    for entry in linked.values():
        del entry["parent"]
    linked["root"]["children"] = ["question"]
    linked["question"]["children"] = ["first", "answer"]

    assert parse_all([{**PLAIN, "mapping": linked}]) == parse_all([PLAIN])


@pytest.mark.parametrize("current", [None, "gone", "root", 7])
def test_without_a_current_node_the_newest_leaf_is_the_end(current):
    assert parse_all([{**PLAIN, "current_node": current}]) == parse_all([PLAIN])


def test_the_current_node_wins_over_the_newest_leaf():
    [conversation] = parse_all([{**PLAIN, "current_node": "first"}])

    assert [turn.key for turn in conversation.turns if turn.active] == ["question", "first"]


def test_parents_in_a_circle_end():
    nodes = [node("a", "b", "user", "one", at=1), node("b", "a", "user", "two", at=2)]

    assert parse_all([conversation_json(*nodes, current="a")]) == parse_all(
        [conversation_json(*reversed(nodes), current="a")]
    )


@pytest.mark.parametrize(
    "hidden",
    [
        node("x", "question", "system", "You are helpful."),
        node("x", "question", "tool", "42"),
        node("x", "question", "assistant", "search(x)", recipient="browser"),
        node("x", "question", "assistant", "hm", channel="analysis"),
        node("x", "question", "assistant", "  "),
        node(
            "x", "question", "user", "me", metadata={"is_visually_hidden_from_conversation": True}
        ),
        node("x", "question", "assistant", content={"content_type": "thoughts", "parts": ["hm"]}),
        node("x", "question", "assistant", content={"content_type": "code", "text": "1 + 1"}),
        node("x", "question", "user", content={"content_type": "multimodal_text", "parts": [{}]}),
        node("x", "question", "user", content=None),
    ],
    ids=str,
)
def test_what_nobody_saw_is_left_out_and_bridged(hidden):
    nodes = [
        node("question", None, "user", "Why?", at=1),
        hidden,
        node("answer", "x", "assistant", "So.", at=2),
    ]

    [conversation] = parse_all([conversation_json(*nodes)])

    assert [(turn.key, turn.parent) for turn in conversation.turns] == [
        ("question", None),
        ("answer", "question"),
    ]


def test_parts_and_transcripts_are_joined_and_citations_removed():
    parts = [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://1"},
        "Paris \ue200cite\ue202turn0search1\ue201. 【4†source】",
        "",
        7,
        {"content_type": "audio_transcription", "text": "spoken"},
    ]
    content = {"content_type": "multimodal_text", "parts": parts}

    [conversation] = parse_all([conversation_json(node("answer", None, "user", content=content))])

    assert conversation.turns[0].text == "Paris.\n7\nspoken"


def test_a_document_of_the_canvas_is_a_turn_although_a_tool_receives_it():
    written = {"content_type": "code", "text": '{"name": "Oars", "content": "Two of ash."}'}
    nodes = [
        node("question", None, "user", "List my oars", at=1),
        node("answer", "question", "assistant", at=2, content=written,
             recipient="canmore.create_textdoc"),
    ]  # fmt: skip

    [conversation] = parse_all([conversation_json(*nodes)])

    assert conversation.turns[1].text == "[canvas: Oars]\nTwo of ash."


def test_people_in_group_chats_keep_their_names():
    author = {"role": "user", "name": "Ann"}

    [conversation] = parse_all(
        [conversation_json(node("answer", None, "user", "Hi", author=author))]
    )

    assert conversation.turns[0].speaker == "Ann"


def test_ambiguous_message_ids_are_replaced_by_those_of_the_nodes():
    nodes = [
        node("a", None, "user", "one", at=1, id="same"),
        node("b", "a", "user", "two", at=2, id="same"),
        node("c", "b", "user", "three", at=3, id="own"),
    ]

    [conversation] = parse_all([conversation_json(*nodes, current="c")])

    assert [turn.key for turn in conversation.turns] == ["a", "b", "own"]


def test_conversations_without_anything_are_skipped_but_not_lost():
    nothing = [None, 7, {"title": "Empty"}, {"mapping": []}, {"mapping": {"a": None}}]

    assert parse_all(nothing) == [
        Skipped("conversation 1", "has nothing to import", lost=False),
        Skipped("conversation 2", "has nothing to import", lost=False),
        Skipped("conversation 3 (Empty)", "has nothing to import", lost=False),
        Skipped("conversation 4", "has nothing to import", lost=False),
        Skipped("conversation 5", "has nothing to import", lost=False),
    ]


def test_one_damaged_conversation_does_not_cost_the_others():
    good, bad = json.dumps(PLAIN).encode(), b'{"mapping": {"a": nonsense}}'

    before, lost, after = parse_all(b"[" + good + b"," + bad + b"," + good + b"]")

    assert before == after == parse_all([PLAIN])[0]
    assert (lost.where, lost.lost) == ("conversation 2", True)


def test_a_file_that_breaks_off_keeps_what_was_whole():
    raw = json.dumps([PLAIN, PLAIN, PLAIN]).encode()
    whole = parse_all([PLAIN])
    one = len(json.dumps(PLAIN)) + 2

    for end in range(1, len(raw) - 1, 7):
        kept = survivors(raw[:end])

        assert kept == whole * len(kept)
        assert len(kept) >= (end - 1) // one


def test_no_flipped_byte_is_more_than_an_input_error():
    raw = json.dumps([PLAIN, PLAIN]).encode()
    chance = random.Random(1)

    for _ in range(500):
        damaged = bytearray(raw)
        for _ in range(chance.choice((1, 3))):
            damaged[chance.randrange(len(raw))] = chance.randrange(256)
        for one in survivors(bytes(damaged)):
            assert isinstance(one, Conversation | Skipped)


def test_a_very_long_conversation_is_read_in_reasonable_time():
    nodes = [
        node(f"n{number}", f"n{number - 1}", "user", "x", at=number) for number in range(20_000)
    ]

    [conversation] = parse_all([conversation_json(*nodes, current="n19999")])

    assert len(conversation.turns) == 20_000
    assert all(turn.active for turn in conversation.turns)


@pytest.mark.parametrize(
    "content",
    [
        [{"mapping": {"1": {"message": {"fragments": [{"type": "REQUEST", "content": "x"}]}}}}],
        {"export_files": [], "logical_files": {"conversations.json": {"sharded": True}}},
        [],
        [None],
    ],
)
def test_other_files_are_not_taken_for_chatgpt(content):
    assert recognise_format(document(content)) is not CHATGPT


def test_texts_that_are_no_unicode_do_not_stop_the_import():
    damaged = conversation_json(node("answer", None, "user", "\ud83d\x00"), conversation_id=None)

    [conversation] = parse_all([damaged])

    assert conversation == replace(conversation, key="answer")
    assert conversation.turns[0].text == "\ud83d\x00"
