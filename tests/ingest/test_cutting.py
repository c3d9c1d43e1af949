"""Chats are cut into sessions that one would read as a conversation."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from helpers.builders import BEGIN, MINUTE, turn, turns
from helpers.keyword_models import WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.domain import Conversation, Kind
from memcli.ingest.cutting import CUT_RULE, ENOUGH, FEW_DAYS, LONGEST, QUIET, cut_sessions
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.recut import recut_and_index
from memcli.ingest.reindex import reindex
from memcli.ingest.session_writer import index_sessions
from memcli.store import Filters, Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GAPS = (MINUTE, MINUTE, HOUR, 7 * HOUR, 20 * HOUR, 2 * DAY, 4 * DAY)


def cut(stretch, *, endless=True):
    return cut_sessions("notes", "chat", "Chat", stretch, endless=endless)


def lengths(stretch, *, endless=True):
    return [len(session.turns) for session in cut(stretch, endless=endless)]


def chat(*gaps, speakers=("Ann", "Bob")):
    """A turn at the beginning, and one after each of these gaps."""
    times = accumulate(gaps, initial=BEGIN)
    return tuple(
        turn(f"{speakers[at % len(speakers)]}: text {at}", f"k{at}", moment)
        for at, moment in enumerate(times)
    )


def burst(count):
    return [MINUTE] * (count - 1)


def test_a_few_messages_are_joined_with_those_of_the_next_days():
    assert lengths(chat(*burst(2), 2 * DAY, *burst(9))) == [11]
    assert lengths(chat(*burst(2), 4 * DAY, *burst(9))) == [2, 9]


def test_a_late_answer_stays_with_the_talk_that_it_answers():
    talk = [*burst(12), 15 * HOUR]

    assert lengths(chat(*talk)) == [13]
    assert lengths(chat(*talk, 9 * DAY, *burst(20))) == [13, 20]


def test_a_talk_that_is_something_to_read_is_not_joined_with_another():
    assert lengths(chat(*burst(8), QUIET + MINUTE, *burst(8))) == [8, 8]


def test_few_days_are_the_most_that_messages_are_joined_within():
    week = cut(chat(*[DAY] * 13))

    assert all(one.ended_at - one.started_at <= FEW_DAYS for one in week)
    assert max(len(one.turns) for one in week) == 4


def test_the_rhythm_of_a_slow_chat_is_not_quiet():
    slow = [5 * HOUR] * (ENOUGH - 1)

    assert lengths(chat(*slow, 12 * HOUR, *burst(9))) == [17]
    assert lengths(chat(*burst(ENOUGH), 12 * HOUR, *burst(9))) == [8, 9]


def test_notices_are_no_messages_to_read():
    notices = [
        replace(one, kind=Kind.SERVICE) if at else one for at, one in enumerate(chat(*burst(9)))
    ]
    later = [turn("Bob: so?", "late", BEGIN + DAY)]

    assert lengths([*notices, *later]) == [10]


def test_prompts_to_an_assistant_are_matters_of_their_own():
    prompts = chat(MINUTE, DAY, MINUTE, DAY, MINUTE, speakers=("me", "ai"))

    assert lengths(prompts) == [2, 2, 2]


def test_a_long_conversation_without_times_is_cut_after_so_many_turns():
    whole = turns(*["me: x", "ai: y"] * LONGEST, at=None)

    assert lengths(whole, endless=False) == [LONGEST, LONGEST]
    assert lengths(whole[: LONGEST + 1], endless=False) == [LONGEST, 1]
    assert lengths(turns(*["me: x"] * 2 * LONGEST), endless=False) == [2 * LONGEST]


gaps = st.lists(st.sampled_from(GAPS), max_size=60)


@given(gaps, st.integers(1, 60), st.booleans())
@settings(max_examples=300)
def test_new_messages_change_only_the_last_session(gaps, known, with_replies):
    whole = list(chat(*gaps))
    if with_replies:
        whole[3::5] = [replace(one, parent=whole[0].key) for one in whole[3::5]]

    before, after = cut(whole[:known]), cut(whole)

    assert before[:-1] == after[: len(before) - 1]
    assert {one.id for one in before} <= {one.id for one in after}


@given(gaps)
@settings(max_examples=200)
def test_the_sessions_from_any_session_on_are_those_of_the_whole(gaps):
    sessions = cut(chat(*gaps))

    for at in range(len(sessions)):
        rest = [turn for session in sessions[at:] for turn in session.turns]
        assert cut(rest) == sessions[at:]


def stored(store):
    return {
        (one.id, store.sessions.get(one.id).turns) for one in store.sessions.summaries(Filters())
    }


@contextmanager
def new_store():
    with TemporaryDirectory() as folder, Store(Path(folder) / "mem.db") as store:
        yield store


def take(store, *pieces):
    importer = ConversationImporter(store, None)
    for piece in pieces:
        whole = Conversation("notes", "chat", "Chat", tuple(piece), endless=True)
        importer.import_batch([whole], ImportTally())


@given(gaps, st.lists(st.integers(0, 60), max_size=4), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_pieces_of_a_chat_in_any_order_make_the_same_sessions(gaps, edges, random):
    whole = chat(*gaps)
    edges = sorted({0, *(edge for edge in edges if edge < len(whole)), len(whole)})
    pieces = [whole[max(a - random.choice((0, 3)), 0) : b] for a, b in pairwise(edges)]
    scattered = [one for one in whole if random.random() < 0.5] or whole
    random.shuffle(pieces)

    with new_store() as store:
        take(store, *pieces)
        in_pieces = stored(store)
        take(store, *pieces)
        again = stored(store)
    with new_store() as store:
        take(store, scattered, whole)
        scattered_first = stored(store)

    assert in_pieces == {(one.id, one.turns) for one in cut(whole)}
    assert again == in_pieces
    assert scattered_first == in_pieces


@given(gaps, st.randoms())
@settings(max_examples=40, deadline=None)
def test_what_was_forgotten_moves_no_other_session(gaps, random):
    whole = chat(*gaps)

    with new_store() as store:
        take(store, whole)
        sessions = sorted(one.id for one in store.sessions.summaries(Filters()))
        store.deletion.forget([random.choice(sessions)])
        before = stored(store)
        take(store, whole)

        assert stored(store) == before


CRUMBS = chat(*burst(3), 8 * HOUR, MINUTE, 10 * HOUR, *burst(9), 9 * DAY, *burst(3))


@pytest.fixture
def outdated(tmp_path):
    """A database whose chat was cut at every gap of more than six hours."""
    with Store(tmp_path / "mem.db") as store:
        head = store.conversations.add("notes", "chat", endless=True)
        edges = [0, 3, 5, 14, len(CRUMBS)]
        for first, last in pairwise(edges):
            [session] = cut(CRUMBS[first:last])
            number = store.sessions.add(head.number, session)
            index_sessions([(number, session)], store, WordEmbedder())
        yield store


def test_an_older_database_is_cut_again_and_former_ids_still_find_their_session(outdated):
    former = [one.id for one in outdated.sessions.summaries(Filters())]

    recut_and_index(outdated, WordEmbedder())

    assert stored(outdated) == {(one.id, one.turns) for one in cut(CRUMBS)}
    assert {outdated.sessions.get(one).id for one in former} == {one.id for one in cut(CRUMBS)}
    assert outdated.conversations.cut_before(CUT_RULE) == []
    assert outdated.health.check_full_text() == []


def test_rebuilding_the_index_cuts_an_older_database_again(outdated):
    done = reindex(outdated, WordEmbedder(), embedder_name=None, rebuild=True)

    assert stored(outdated) == {(one.id, one.turns) for one in cut(CRUMBS)}
    assert done.sessions == len(cut(CRUMBS))


def test_a_chat_of_many_sessions_is_cut_again_in_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("memcli.ingest.recut.WINDOW", 2)
    whole = chat(*[7 * HOUR, MINUTE, 20 * HOUR, 2 * DAY, 7 * HOUR] * 8)
    with Store(tmp_path / "mem.db") as store:
        head = store.conversations.add("notes", "chat", endless=True)
        for one in whole:
            store.sessions.add(head.number, cut([one])[0])

        recut_and_index(store, None)

        assert stored(store) == {(one.id, one.turns) for one in cut(whole)}
