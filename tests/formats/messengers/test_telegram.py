import io
import json
import random
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.format import ParseOptions
from memcli.formats.messengers import telegram
from memcli.formats.parsing import json_stream
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import HEAD_BYTES, Sample

ROW_OF_ANN = {
    "id": 7,
    "type": "message",
    "date": "2024-06-01T12:00:00",
    "date_unixtime": "1717236000",
    "from": "Ann",
    "from_id": "user1",
    "text": "hi",
}
NOON = datetime(2024, 6, 1, 10, tzinfo=UTC)


def raw_of(content):
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def is_recognised(content):
    return telegram.FORMAT.recognises(Sample("result.json", raw_of(content)[:HEAD_BYTES]))


def read(content, **options):
    """Return everything parsed, and the error that ended it."""
    parsed = []
    source = (
        content
        if isinstance(content, Document)
        else Document("result.json", lambda: io.BytesIO(raw_of(content)))
    )
    try:
        for part in telegram.FORMAT.parse(source, ParseOptions(**options)):
            parsed.append(part)  # noqa: PERF402  # keeps what came before an error
    except InputError as error:
        return parsed, error
    return parsed, None


def chat(*messages, **head):
    return {"name": "Ann", "type": "personal_chat", "id": 1, **head, "messages": list(messages)}


def row(**fields):
    return {**ROW_OF_ANN, **fields}


def turns(*messages, head=None, **options):
    parsed, error = read(chat(*messages, **(head or {})), **options)
    assert error is None
    return [turn for part in parsed if isinstance(part, Conversation) for turn in part.turns]


@pytest.mark.parametrize("row", sample_rows("telegram"), ids=lambda row: row["path"])
def test_a_sample_is_found_and_counted(row):
    raw = (SHARED / "samples" / row["path"]).read_bytes()

    parsed, error = read(raw)

    chats = {part.key for part in parsed}
    messages = sum(turn.kind in (Kind.TEXT, Kind.MEDIA) for part in parsed for turn in part.turns)
    assert is_recognised(raw)
    assert (len(chats), messages, error) == (int(row["sessions"]), int(row["messages"]), None)


def test_nothing_else_among_the_samples_is_taken_for_telegram(samples):
    taken = [
        str(path.relative_to(samples))
        for path in samples.rglob("*")
        if path.is_file()
        and path.relative_to(samples).parts[0] != "telegram"
        and is_recognised(path.read_bytes()[:HEAD_BYTES])
    ]

    assert taken == []


def test_a_message_becomes_a_turn_in_an_endless_chat():
    assert read(chat(row())) == (
        [
            Conversation(
                source="telegram",
                key="personal_chat/1",
                title="Ann",
                turns=(Turn("7", Role.PERSON, "hi", "Ann", NOON, Clock.EXACT),),
                endless=True,
            )
        ],
        None,
    )


def test_a_full_export_has_many_chats_and_names_its_owner():
    export = {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 2, "first_name": "Me"},
        "chats": {
            "about": "...",
            "list": [
                chat(row(), row(id=8, **{"from": "Me", "from_id": "user2"})),
                chat(row(), name=None, id=3),
            ],
        },
        "left_chats": {"list": [chat(row(), name="Club", type="private_group", id=1)]},
    }

    found, _ = read(export)

    assert is_recognised(export)
    assert [(part.key, part.title) for part in found] == [
        ("personal_chat/1", "Ann"),
        ("personal_chat/3", "deleted account"),
        ("private_group/1", "Club"),
    ]
    assert [turn.role for turn in found[0].turns] == [Role.PERSON, Role.USER]


def test_saved_messages_are_the_owner_s_and_have_a_name():
    saved = {"type": "saved_messages", "id": 1, "messages": [row()]}

    [found], _ = read(saved)

    assert (found.title, found.turns[0].role) == ("Saved Messages", Role.USER)


@pytest.mark.parametrize(
    ("head", "others", "roles"),
    [
        ({}, ["user2"], [Role.PERSON, Role.USER]),
        ({"type": "bot_chat"}, ["user2"], [Role.PERSON, Role.USER]),
        ({"id": 9}, ["user2"], [Role.PERSON, Role.PERSON]),  # neither is the other side
        ({"type": "private_group"}, ["user2"], [Role.PERSON, Role.PERSON]),
        ({}, [2], [Role.PERSON, Role.USER]),  # old exports
    ],
)
def test_in_a_chat_of_two_the_one_it_is_not_named_after_is_the_owner(head, others, roles):
    rows = [row(id=8 + n, **{"from": "Bob", "from_id": other}) for n, other in enumerate(others)]

    assert [turn.role for turn in turns(row(), *rows, head=head)] == roles


def test_the_person_may_give_a_name():
    found = turns(row(), row(id=8, **{"from": "Bob"}), head={"type": "private_group"}, me="bob")

    assert [turn.role for turn in found] == [Role.PERSON, Role.USER]


@pytest.mark.parametrize(
    ("fields", "moment", "clock"),
    [
        ({}, NOON, Clock.EXACT),
        ({"date": None}, NOON, Clock.EXACT),
        ({"date_unixtime": None}, NOON, Clock.LOCAL),
        ({"date_unixtime": None, "date": "2024-06-01T10:00:00.000Z"}, NOON, Clock.EXACT),
        ({"date_unixtime": "soon", "date": "not a time"}, None, Clock.NONE),
        ({"date_unixtime": "0", "date": "1970-01-01T00:00:00"}, None, Clock.NONE),
    ],
)
def test_times_are_exact_where_the_export_says_so(fields, moment, clock):
    [turn] = turns(row(**fields), timezone=ZoneInfo("Europe/Berlin"))

    assert (turn.sent_at, turn.clock) == (moment, clock)


def test_the_wall_clock_beside_an_exact_time_gives_its_offset():
    [turn] = turns(row())

    assert turn.sent_at.isoformat() == "2024-06-01T12:00:00+02:00"


def test_a_message_without_a_time_has_that_of_the_one_before():
    inherited = turns(row(), row(id=8, date=None, date_unixtime=None))[1]

    assert (inherited.sent_at, inherited.clock) == (NOON, Clock.INHERITED)


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"text": ["see ", {"type": "link", "text": "https://a.b"}, "!"]}, Kind.TEXT, None),
        ({"text": "", "text_entities": [{"type": "plain", "text": "hi"}]}, Kind.TEXT, "hi"),
        ({"text": "hi", "photo": "photos/1.jpg"}, Kind.TEXT, "hi"),
        ({"text": "", "photo": "(File not included.)"}, Kind.MEDIA, ""),
        ({"text": "", "file": "stickers/s.webp", "sticker_emoji": "🦊"}, Kind.MEDIA, "🦊"),
        ({"text": "", "file": "files/a.pdf"}, Kind.MEDIA, "a.pdf"),
        ({"text": "", "file": "(File unavailable)", "file_name": "a.pdf"}, Kind.MEDIA, "a.pdf"),
        ({"text": "", "poll": {"question": "Tea?", "answers": []}}, Kind.MEDIA, "Tea?"),
        ({"text": "", "contact_information": {"first_name": "Bo"}}, Kind.MEDIA, "Bo"),
        ({"forwarded_from": "Cem"}, Kind.TEXT, "[forwarded from Cem] hi"),
        ({"forwarded_from": None}, Kind.TEXT, "[forwarded from deleted account] hi"),
    ],
)
def test_texts_are_joined_and_media_are_named(fields, kind, text):
    [turn] = turns(row(**fields))

    assert (turn.kind, turn.text) == (kind, "see https://a.b!" if text is None else text)


@pytest.mark.parametrize("empty", [{"text": ""}, {"type": "unsupported"}, {"text": None}])
def test_messages_that_hold_nothing_leave_no_trace(empty):
    assert [turn.key for turn in turns(row(id=6, **empty), row())] == ["7"]


def test_events_and_calls_are_kept_apart_from_words():
    event = {"id": 1, "type": "service", "actor": "Ann", "actor_id": "user1", "text": ""}

    found = turns(
        {**event, "action": "create_group", "title": "Club"}, {**event, "action": "phone_call"}
    )

    assert [(turn.kind, turn.role, turn.speaker, turn.text) for turn in found] == [
        (Kind.SERVICE, Role.SYSTEM, "Ann", "create group: Club"),
        (Kind.CALL, Role.PERSON, "Ann", "phone call"),
    ]


def test_an_edited_message_keeps_its_key():
    [before] = turns(row())
    [after] = turns(row(text="hi!", edited_unixtime="1717236100"))

    assert (before.key, after.text) == (after.key, "hi!")


@pytest.mark.parametrize(
    "fields",
    [
        {"edited": "2024-06-01T14:15:00", "edited_unixtime": "1717236900"},
        {"edited": "2024-06-01T10:15:00"},
    ],
)
def test_the_time_of_an_edit_is_kept(fields):
    [edited] = turns(row(**fields))

    assert edited.edited_at == datetime(2024, 6, 1, 10, 15, tzinfo=UTC)


def test_a_reply_names_the_message_it_answers_unless_that_is_in_another_chat():
    reply = {"reply_to_message_id": 7}
    here, there = turns(row(**reply), row(id=2, **reply, reply_to_peer_id="channel9"))

    assert (here.parent, there.parent) == ("7", None)


def test_heads_may_be_missing_or_come_late():
    late = {"messages": [row()], "id": 1, "type": "personal_chat", "name": "Ann"}
    bare = {"messages": [row()]}

    assert read(late) == read(chat(row()))
    [found], _ = read(bare)
    assert is_recognised(bare)
    assert found.key.startswith("chat/")
    assert read(bare) == read(bare)


@pytest.mark.parametrize(
    "other",
    [
        {},
        [],
        [row()],
        {"messages": [{"role": "user", "content": "hi"}]},
        {"messages": [{"type": "Default", "timestamp": "2024-01-01"}]},
        {"messages": [{"type": ["message"], "date": 1}]},
        {"chats": []},
        b"13/06/18, 10:00 - Ann: hi",
    ],
)
def test_other_exports_are_not_taken_for_telegram(other):
    assert not is_recognised(other)


def test_an_account_whose_chats_lie_far_into_the_file_is_recognised():
    account = {
        "personal_information": {"user_id": 1},
        "contacts": {"list": ["x" * 100] * 20_000},
        "chats": {"list": [chat(row())]},
    }

    assert len(raw_of(account)) > HEAD_BYTES
    assert is_recognised(account)


def test_a_broken_message_is_reported_and_the_next_one_read():
    raw = raw_of(chat(row(), row(id=8, text="BROKEN"), None, row(id=9)))

    parsed, error = read(raw.replace(b'"BROKEN"', b"BROKEN"))

    assert error is None
    assert [(part.where, part.lost) for part in parsed[:2]] == [
        ("chat Ann, message after 7", True)
    ] * 2
    assert [turn.key for turn in parsed[2].turns] == ["7", "9"]


def test_a_file_cut_anywhere_keeps_every_whole_message():
    raw = raw_of(chat(*(row(id=100 + n) for n in range(8))))
    ends = [raw.index(b'"id": %d' % (100 + n)) for n in range(8)][1:]

    for cut in range(1, len(raw)):
        parsed, error = read(raw[:cut])
        keys = [
            turn.key for part in parsed if isinstance(part, Conversation) for turn in part.turns
        ]
        assert isinstance(error, InputError)
        assert len(keys) >= sum(end <= cut for end in ends)
        assert keys == [str(100 + n) for n in range(len(keys))]


def test_flipped_bytes_end_in_nothing_worse_than_an_input_error():
    chance = random.Random(1)
    whole = raw_of(
        {"personal_information": {"user_id": 1}, "chats": {"list": [chat(row(), row())]}}
    )
    for _ in range(500):
        raw = bytearray(whole)
        for _ in range(3):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        is_recognised(bytes(raw))
        for part in read(bytes(raw))[0]:
            assert isinstance(part, Conversation | Skipped)


class Export(io.RawIOBase):
    """One chat that was never all in memory."""

    def __init__(self, count):
        self._messages = (raw_of(row(id=n, text="x" * 300)) + b"," for n in range(count))
        self._rest = b'{"name": "Ann", "type": "personal_chat", "id": 1, "messages": ['
        self._last: bytes | None = raw_of(row(id=count)) + b"]}"

    def readable(self):
        return True

    def readinto(self, buffer):
        while len(self._rest) < len(buffer) and (more := next(self._messages, self._last)):
            self._rest += more
            if more is self._last:
                self._last = None
        block, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


def test_one_long_chat_comes_in_pieces_and_takes_little_memory(monkeypatch):
    monkeypatch.setattr(telegram, "PIECE_TURNS", 500)
    monkeypatch.setattr(json_stream, "_BLOCK", 1 << 16)
    export = Document("result.json", lambda: io.BufferedReader(Export(4_999)))
    sizes = Counter()

    tracemalloc.start()
    for part in telegram.FORMAT.parse(export, ParseOptions()):
        sizes[part.key, len(part.turns)] += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert sizes == {("personal_chat/1", 500): 10}
    assert peak < 1_500_000


def forum(*messages):
    head = {"name": "Choir", "type": "private_supergroup", "id": 77}
    rows = [
        {"id": number, "date": f"2026-01-0{1 + number % 9}T10:00:00", **message}
        for number, message in enumerate(messages, start=1)
    ]
    return {**head, "messages": rows}


def said(text, answers=None):
    row = {"type": "message", "from": "Ann", "from_id": "user1", "text": text}
    return row if answers is None else {**row, "reply_to_message_id": answers}


def noted(action, **more):
    return {"type": "service", "actor": "Ann", "actor_id": "user1", "action": action, **more}


def test_the_topics_of_a_forum_are_chats_of_their_own():
    raw = forum(
        noted("topic_created", title="Songs"),
        noted("topic_created", title="Cakes"),
        said("the high C", answers=1),
        said("with nuts", answers=2),
        said("who can sing it?", answers=3),
        said("to all of you"),
        noted("topic_edit", new_title="Nut cakes", reply_to_message_id=2),
    )

    found = [part for part in read(raw)[0] if isinstance(part, Conversation)]

    assert {chat.title: [turn.text for turn in chat.turns] for chat in found} == {
        "Choir: Songs": ["topic created: Songs", "the high C", "who can sing it?"],
        "Choir: Nut cakes": ["topic created: Cakes", "with nuts", "topic edit: Nut cakes"],
        "Choir": ["to all of you"],
    }
    assert [chat.key.removeprefix("private_supergroup/77") for chat in found] == ["/1", "/2", ""]
    assert [turn.parent for chat in found for turn in chat.turns if turn.parent] == ["3"]


def test_lists_polls_links_and_places_are_kept_as_text():
    raw = forum(
        {**said(""), "todo_list": {"title": "Trip", "answers": [{"text": "map"}, {"text": "tea"}]}},
        {**said(""), "poll": {"question": "When?", "answers": [{"text": "May"}, {"text": "June"}]}},
        said(["see ", {"type": "text_link", "text": "this", "href": "https://example.org/a"}]),
        {**said(""), "place_name": "Inn", "address": "Quay 1", "location_information": {}},
        {**said(""), "location_information": {"latitude": 52.5, "longitude": 13.4}},
        {**said(""), "contact_information": {"first_name": "Bo", "phone_number": "+49 1"}},
        noted("todo_append_tasks", items=[{"text": "rope"}]),
    )

    [chat] = [part for part in read(raw)[0] if isinstance(part, Conversation)]

    assert sorted((turn.kind, turn.text) for turn in chat.turns) == sorted(
        [
            (Kind.MEDIA, "Trip\n- map\n- tea"),
            (Kind.MEDIA, "When?\n- May\n- June"),
            (Kind.TEXT, "see this (https://example.org/a)"),
            (Kind.MEDIA, "Inn, Quay 1"),
            (Kind.MEDIA, "52.5, 13.4"),
            (Kind.MEDIA, "Bo +49 1"),
            (Kind.SERVICE, "todo append tasks: rope"),
        ]
    )
