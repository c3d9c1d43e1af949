"""Messages with roles and contents, as JSON and as JSON lines."""

import json
import random
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Conversation, Role, Skipped
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, load_format, recognise_format
from memcli.formats.generic import any_json
from memcli.formats.parsing import json_lines
from memcli.formats.parsing.sample import HEAD_BYTES

GENERIC = load_format("generic_json")

HI = {"role": "user", "content": "Hi"}
HELLO = {"role": "assistant", "content": "Hello"}
SHARED_HI = {"from": "human", "value": "Hi"}
SHARED_HELLO = {"from": "gpt", "value": "Hello"}
WORDS = [(Role.USER, "Hi"), (Role.ASSISTANT, "Hello")]


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def document(content, name="chat.json"):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Document(name, lambda: BytesIO(raw))


def parse_all(content, name="chat.json"):
    return list(GENERIC.parse(document(content, name), ParseOptions()))


def turn_texts(conversation):
    return [(turn.role, turn.text) for turn in conversation.turns]


def survivors(raw):
    """Return the results of a damaged file up to an InputError, the only error it may raise."""
    kept = []
    with suppress(InputError):
        kept.extend(GENERIC.parse(document(raw), ParseOptions()))
    return kept


@pytest.mark.parametrize(
    "row", sample_rows("generic_json", "negative"), ids=lambda row: row["path"]
)
def test_every_sample_gives_what_its_index_says(row):
    path = SHARED / "samples" / row["path"]
    sample = Document(row["path"], lambda: path.open("rb"))
    known = row["format"] == "generic_json"

    parse_all = GENERIC.parse(sample, ParseOptions()) if known else ()
    found = [one for one in parse_all if isinstance(one, Conversation)]

    assert recognise_format(sample) is (GENERIC if known else None)
    assert len(found) == int(row["sessions"])
    assert sum(len(one.turns) for one in found) == int(row["messages"])


@pytest.mark.parametrize(
    "content",
    [
        {"messages": [HI, HELLO]},
        [{"messages": [HI, HELLO]}],
        {"conversations": [{"messages": [HI, HELLO]}]},
        [HI, HELLO],
        {"conversations": [SHARED_HI, SHARED_HELLO]},
        [{"conversations": [SHARED_HI, SHARED_HELLO]}],
        [SHARED_HI, SHARED_HELLO],
        lines(HI, HELLO),
        lines(HI, HELLO).rstrip(),
        b"\xef\xbb\xbf" + lines(HI, HELLO),
        json.dumps({"messages": [HI, HELLO]}, indent=1).encode(),
        b'{"messages": [\n'
        + json.dumps(HI).encode()
        + b",\n"
        + json.dumps(HELLO).encode()
        + b"\n]}",
    ],
    ids=str,
)
def test_every_layout_gives_the_same_conversation(content):
    [conversation] = parse_all(content)

    assert recognise_format(document(content)) is GENERIC
    assert turn_texts(conversation) == WORDS
    assert [conversation] == parse_all([HI, HELLO])


def test_lines_of_conversations_give_one_each():
    content = lines({"id": "a", "messages": [HI]}, {"id": 7, "conversations": [SHARED_HI]})

    assert recognise_format(document(content)) is GENERIC
    assert [one.key for one in parse_all(content)] == ["a", "7"]


def test_id_and_title_of_a_single_shared_conversation_are_kept():
    [conversation] = parse_all({"id": "s1", "title": "Greeting", "conversations": [SHARED_HI]})

    assert (conversation.key, conversation.title) == ("s1", "Greeting")


def test_a_conversation_without_an_id_keeps_its_key_while_it_grows_and_moves():
    [short], [long] = parse_all([HI], name="a.json"), parse_all(lines(HI, HELLO), name="b.jsonl")

    assert short.key == long.key
    assert short.turns == long.turns[:1]


def test_instructions_do_not_tell_conversations_apart():
    rules = {"role": "system", "content": "Be kind."}

    [one, other] = parse_all([{"messages": [rules, HI]}, {"messages": [rules, HELLO]}])

    assert one.key != other.key
    assert [one.key] == [found.key for found in parse_all([HI])]


def test_equal_conversations_in_one_file_are_counted():
    twice = parse_all([{"messages": [HI]}, {"messages": [HI]}])

    assert len({one.key for one in twice}) == 2
    assert parse_all([{"messages": [HI]}]) == twice[:1]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("words", "words"),
        (7, "7"),
        (["a", {"type": "text", "text": "b"}, {"type": "image_url"}, None], "a\nb"),
        ([{"type": "reasoning", "text": "hm"}, {"text": "c"}], "c"),
        ("\ud83d\x00", "\ud83d\x00"),
    ],
)
def test_contents_of_every_kind_are_read(content, text):
    [conversation] = parse_all({"messages": [{"role": "user", "content": content}]})

    assert turn_texts(conversation) == [(Role.USER, text)]


@pytest.mark.parametrize("content", [None, "", "  ", [], {}, True, [{"type": "text", "text": ""}]])
def test_messages_without_words_are_left_out(content):
    found = parse_all({"messages": [{"role": "user", "content": content}]})

    assert found == [Skipped("conversation 1", "has nothing to import", lost=False)]


@pytest.mark.parametrize(
    ("name", "role", "speaker"),
    [
        ("Human", Role.USER, None),
        ("model", Role.ASSISTANT, None),
        ("bot", Role.ASSISTANT, None),
        ("developer", Role.SYSTEM, None),
        ("function", Role.TOOL, None),
        ("Ann", Role.PERSON, "Ann"),
    ],
)
def test_roles_of_every_name_are_understood(name, role, speaker):
    [conversation] = parse_all([HI, {"role": name, "content": "x"}])

    assert (conversation.turns[1].role, conversation.turns[1].speaker) == (role, speaker)


@pytest.mark.parametrize("author", ["Ann", {"name": "Ann"}])
def test_names_are_kept(author):
    [conversation] = parse_all([{**HI, "author": author}, {**HELLO, "name": "Hal"}])

    assert [turn.speaker for turn in conversation.turns] == ["Ann", "Hal"]


def test_messages_with_times_are_in_their_order_and_others_follow_the_one_before():
    nine, ten = datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 10, tzinfo=UTC)
    rows = [
        {**HELLO, "timestamp": ten.timestamp() * 1000},
        {**HELLO, "content": "again"},
        {**HI, "created_at": "2026-01-01T09:00:00Z", "date": "nonsense"},
    ]

    [conversation] = parse_all(rows)

    assert [(turn.text, turn.sent_at, turn.clock) for turn in conversation.turns] == [
        ("Hi", nine, Clock.EXACT),
        ("Hello", ten, Clock.EXACT),
        ("again", ten, Clock.INHERITED),
    ]


def test_message_ids_are_keys_unless_they_repeat():
    [conversation] = parse_all([{**HI, "id": "m"}, {**HELLO, "id": "m"}, HELLO, HELLO])

    assert conversation.turns[0].key == "m"
    assert len({turn.key for turn in conversation.turns}) == 4


def test_damaged_lines_are_reported_and_the_others_read():
    content = lines(HI) + b'{"role": "user", "content"\n\n' + lines(HELLO) + b'{"role": "us'

    first, last, conversation = parse_all(content)

    assert recognise_format(document(content)) is GENERIC
    assert [(one.where, one.lost) for one in (first, last)] == [("line 2", True), ("line 5", True)]
    assert turn_texts(conversation) == WORDS


def test_a_line_without_end_is_skipped_in_bounded_pieces(monkeypatch):
    monkeypatch.setattr(json_lines, "LONGEST_LINE", 1 << 20)
    content = lines(HI) + b'{"role": "' + b"x" * (3 << 20) + b'"}\n' + lines(HELLO)

    lost, conversation = parse_all(content)

    assert lost == Skipped("line 2", "is longer than 1 MB")
    assert turn_texts(conversation) == WORDS


def test_a_conversation_of_loose_messages_is_bounded(monkeypatch):
    monkeypatch.setattr(any_json, "LARGEST_VALUE", 1000)

    with pytest.raises(InputError, match=r"chat\.json holds a conversation of more than"):
        parse_all([{"role": "user", "content": "x" * 300}] * 4)


def test_lines_longer_than_the_head_are_still_lines():
    long = {"id": "a", "messages": [HI, {"role": "user", "content": "x" * HEAD_BYTES}]}
    content = lines(long, {"id": "b", "messages": [HI]})

    assert recognise_format(document(content)) is GENERIC
    assert [one.key for one in parse_all(content)] == ["a", "b"]


def test_one_damaged_conversation_does_not_cost_the_others():
    good = json.dumps({"id": "a", "messages": [HI]}).encode()

    before, lost, after = parse_all(b"[" + good + b',{"messages": [nonsense]},' + good + b"]")

    assert before == after
    assert (lost.where, lost.lost) == ("conversation 2", True)


def test_what_is_no_message_is_skipped_but_not_lost():
    conversation, *_ = sorted(
        parse_all([HI, None, {"role": "user"}]), key=lambda one: str(type(one))
    )

    assert turn_texts(conversation) == WORDS[:1]
    assert parse_all([HI, None])[0] == Skipped("message 2", "has nothing to import", lost=False)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps([{"id": str(number), "messages": [HI, HELLO]} for number in range(4)]).encode(),
        lines(*({"id": str(number), "messages": [HI, HELLO]} for number in range(4))),
    ],
    ids=["list", "lines"],
)
def test_a_file_that_breaks_off_keeps_what_was_whole(raw):
    whole = parse_all(raw)

    for end in range(1, len(raw) - 1, 3):
        kept = [one for one in survivors(raw[:end]) if isinstance(one, Conversation)]

        assert kept == whole[: len(kept)]


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps([{"messages": [HI, HELLO]}, {"conversations": [SHARED_HI]}]).encode(),
        json.dumps({"conversations": [SHARED_HI, SHARED_HELLO]}).encode(),
        json.dumps([HI, HELLO]).encode(),
        lines(HI, HELLO, HI),
    ],
    ids=["conversations", "shared", "messages", "lines"],
)
def test_no_flipped_byte_is_more_than_an_input_error(raw):
    chance = random.Random(4)

    for _ in range(400):
        damaged = bytearray(raw)
        for _ in range(chance.choice((1, 3))):
            damaged[chance.randrange(len(raw))] = chance.randrange(256)
        recognise_format(document(bytes(damaged)))
        for one in survivors(bytes(damaged)):
            assert isinstance(one, Conversation | Skipped)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"messages": []},
        [{"role": "admin", "content": "x"}],
        [{"role": "user"}],
        [{"content": "x"}],
        [{**HI, "contentChunks": None, "chatId": "c"}],
        {"history": {"messages": {}}, "messages": [HI]},
        {"messages": [{"type": "message", "from": "Ann", "text": "Hi"}]},
        b'[{"role": "user", "content": "Hi"}, {"role" "content": "x"}, 1, 2, 3]',
        b'{"role": "user"',
        b"plain words",
        b"",
    ],
    ids=str,
)
def test_other_files_are_not_taken_for_chats(content):
    assert recognise_format(document(content)) is not GENERIC


def test_a_list_of_messages_that_breaks_off_is_recognised_and_refused():
    content = json.dumps([HI, HELLO]).encode()[:-9]

    assert recognise_format(document(content)) is GENERIC
    with pytest.raises(InputError, match="ends in the middle"):
        parse_all(content)
