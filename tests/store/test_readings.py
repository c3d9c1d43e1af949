"""What was read, by whom, and what that leaves."""

import pytest
from helpers.builders import BEGIN, MINUTE, keep, talk
from helpers.stored_texts import change_texts

from memcli.domain import MemoryId, SessionId
from memcli.store import Filters, ReadingOutcome, SegmentReading, Store, UnreadSession

DAY = 1440 * MINUTE


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        keep(opened, talk("Old", "me: one", "ai: three"), talk("New", "me: six", at=BEGIN + DAY))
        yield opened


def reading(*turns, reader_digest="w", outcome=ReadingOutcome.IGNORED, **others):
    return SegmentReading(reader_digest, "model", outcome, "because", turns, **others)


def left(store, way=None, **filters):
    found = store.readings.unread_sessions(Filters(**filters), reader_digest=way)
    return {one.session: one.characters for one in found}


def test_all_is_unread_at_first_the_oldest_first(store):
    assert store.readings.unread_sessions(Filters(), reader_digest=None) == [
        UnreadSession(SessionId("s_old"), 8),
        UnreadSession(SessionId("s_new"), 3),
    ]
    assert left(store, since=BEGIN + DAY) == {"s_new": 3}


@pytest.mark.parametrize(
    ("outcome", "for_all", "for_itself"),
    [
        (ReadingOutcome.ADDED, {"s_new": 3}, {"s_new": 3}),
        (ReadingOutcome.IGNORED, {"s_new": 3}, {"s_new": 3}),
        (ReadingOutcome.FAILED, {"s_new": 3}, {"s_old": 8, "s_new": 3}),
        (ReadingOutcome.BUFFERED, {"s_old": 8, "s_new": 3}, {"s_old": 8, "s_new": 3}),
    ],
)
def test_what_is_settled_is_read(store, outcome, for_all, for_itself):
    store.readings.add(SessionId("s_old"), reading(("1", 3), ("2", 5), outcome=outcome))

    assert left(store) == for_all
    assert left(store, "w") == for_itself
    assert left(store, "another") == {"s_old": 8, "s_new": 3}


def test_of_a_turn_that_was_read_in_part_the_rest_is_left(store):
    store.readings.add(SessionId("s_old"), reading(("1", 3), ("2", 2)))

    assert left(store) == {"s_old": 3, "s_new": 3}
    assert store.readings.settled_characters(SessionId("s_old"), reader_digest=None) == {
        "1": 3,
        "2": 2,
    }


def test_what_was_buffered_is_known_to_the_reader_that_did(store):
    store.readings.add(SessionId("s_old"), reading(("1", 3), outcome=ReadingOutcome.BUFFERED))

    assert store.readings.buffered_characters(SessionId("s_old"), reader_digest="w") == {"1": 3}
    assert store.readings.buffered_characters(SessionId("s_old"), reader_digest="another") == {}
    assert store.readings.settled_characters(SessionId("s_old"), reader_digest=None) == {}


def test_a_text_that_has_changed_is_unread(store):
    store.readings.add(SessionId("s_new"), reading(("1", 3)))

    change_texts(store.readings._db, lambda text: "ten" if text == "six" else text)

    assert left(store) == {"s_old": 8, "s_new": 3}


def test_a_reading_comes_back_as_it_was_kept(store):
    kept = reading(
        ("1", 3),
        outcome=ReadingOutcome.ADDED,
        memories=(MemoryId("m_1"),),
        trace=[{"thought": "é"}],
    )

    store.readings.add(SessionId("s_old"), kept)

    assert store.readings.of_memory(MemoryId("m_1")) == [kept]
    assert store.readings.of_memory(MemoryId("m_2")) == []


def test_with_a_session_that_is_forgotten_go_its_readings(store):
    store.readings.add(SessionId("s_old"), reading(("1", 3), ("2", 5)))
    store.readings.add(SessionId("s_new"), reading(("1", 3)))

    store.deletion.forget([SessionId("s_old")])

    rows = store.readings._db.rows
    assert rows("select count(*) from readings") == [(1,)]
    assert rows("select key from read_turns") == [("1",)]
