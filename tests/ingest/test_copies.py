"""Several copies of one conversation, in any order: the store ends the same."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from helpers.builders import BEGIN, MINUTE, said, talk, turn
from helpers.keyword_models import WordEmbedder

from memcli.domain import Conversation, Kind
from memcli.errors import NotFoundError
from memcli.formats import ParseOptions
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.import_exports import import_exports
from memcli.store import Filters, Store
from memcli.text.sanitize import SHORTENED_LENGTH

DAY = timedelta(days=1)


@pytest.fixture
def taken(tmp_path):
    """Absorb conversations one after the other into a new store; return its sessions."""
    stores = []

    def taken(*conversations, included=(), **keywords):
        stores.append(Store(tmp_path / f"{len(stores)}.db"))
        for each in conversations:
            ConversationImporter(stores[-1], WordEmbedder(), included).import_batch(
                [each], ImportTally(), **keywords
            )
        return sessions(stores[-1])

    yield taken
    for store in stores:
        store.__exit__(None, None, None)


def sessions(store):
    overviews = reversed(list(store.sessions.summaries(Filters())))
    return [store.sessions.get(overview.id) for overview in overviews]


def copy(day, *turns, title="Trip"):
    return Conversation("notes", "trip", title, turns, updated_at=BEGIN + day * DAY)


def branch(key, parent, text, *, active=True):
    return replace(turn(f"ai: {text}", key), parent=parent, active=active)


QUESTION = turn("me: Where to?", "q")
OLD = copy(1, QUESTION, branch("a", "q", "Lisbon"), title="New chat")
EDITED = copy(2, turn("me: Where do we go?", "q"), branch("a", "q", "Lisbon"))
AGAIN = copy(3, turn("me: Where do we go?", "q"), branch("b", "q", "Porto"))


@pytest.mark.parametrize("order", list(permutations((OLD, EDITED, AGAIN))))
def test_the_newest_copy_counts_in_whatever_order_they_come(taken, order):
    [session] = taken(*order)

    assert session.title == "Trip"
    marks = {each.key: (each.text, each.active, each.missing) for each in session.turns}
    assert marks == {
        "q": ("Where do we go?", True, False),
        "a": ("Lisbon", False, True),
        "b": ("Porto", True, False),
    }


def test_what_a_newer_copy_lacks_is_kept_and_marked(taken):
    one, two, three = (turn(f"me: {text}", text) for text in "abc")

    [session] = taken(copy(1, one, two, three), copy(2, one, three))

    assert [each.missing for each in session.turns] == [False, True, False]
    assert all(each.active for each in session.turns)


def test_what_is_missing_comes_back_with_a_newer_copy(taken):
    one, two = turn("me: a", "a"), turn("me: b", "b")

    [session] = taken(copy(1, one, two), copy(2, one), copy(3, one, two))

    assert not any(each.missing for each in session.turns)


def test_a_part_of_a_conversation_says_nothing_of_the_rest(taken):
    one, two = turn("me: a", "a"), turn("me: b", "b")

    [session] = taken(copy(1, one), copy(2, two), partial=True)

    assert not any(each.missing for each in session.turns)


def test_of_two_texts_the_later_edited_one_counts_whichever_copy_is_newer(taken):
    edited = replace(turn("Ann: at nine", "m"), edited_at=BEGIN + 5 * MINUTE)
    before = turn("Ann: at eight", "m")
    chat = talk("Ann", endless=True)
    copies = (replace(chat, turns=(edited,)), replace(chat, turns=(before,)))

    for order in permutations(copies):
        [session] = taken(*order)
        assert said(session.turns) == ["at nine"]


def test_the_id_of_a_session_that_began_earlier_than_thought_still_opens_it(tmp_path):
    late = talk("Ann", "Ann: later", endless=True)
    early = replace(late, turns=(turn("Ann: earlier", "0", BEGIN - MINUTE),))
    with Store(tmp_path / "mem.db") as store:
        importer = ConversationImporter(store, WordEmbedder())
        importer.import_batch([late], ImportTally())
        [before] = sessions(store)

        importer.import_batch([early], ImportTally())

        [now] = sessions(store)
        assert now.id != before.id
        assert store.sessions.get(before.id) == now
        assert store.sessions.get(before.id[:6]) == now
        with pytest.raises(NotFoundError):
            store.sessions.get("s_0")


def chain(key, count, *, first=0):
    """A log that begins with the same turns as every other one."""
    turns = tuple(turn(f"me: {at}", str(at), BEGIN + at * MINUTE) for at in range(first, count))
    return Conversation("agent", key, key, turns)


ORIGINAL, RESUMED = chain("z", 4), chain("a", 7)
FORK = replace(
    ORIGINAL,
    key="m",
    title="m",
    turns=(*ORIGINAL.turns[:2], turn("me: else", "x", BEGIN + 60 * MINUTE)),
)


@pytest.mark.parametrize("order", list(permutations((ORIGINAL, RESUMED, FORK))))
def test_what_a_resumed_or_forked_log_copies_is_stored_once(taken, order):
    found = taken(*order, unique_keys=True)

    kept = {session.title: said(session.turns) for session in found}
    assert kept == {"z": ["0", "1", "2", "3"], "a": ["4", "5", "6"], "m": ["else"]}
    assert taken(*order, *order, unique_keys=True) == found


def test_what_nobody_said_is_kept_short_and_not_searched(taken):
    long = replace(turn("ai: x", "t"), kind=Kind.TOOL, text="x" * 10 * SHORTENED_LENGTH)

    [session] = taken(copy(1, QUESTION, long))

    assert len(session.turns[1].text) < SHORTENED_LENGTH + 50
    assert "[… 18,000 characters]" in session.turns[1].text
    assert [each.is_searchable for each in session.turns] == [True, False]


def test_what_is_to_be_included_is_kept_whole_and_searched_for_good(taken, tmp_path):
    long = replace(turn("ai: x", "t"), kind=Kind.TOOL, text="x" * 10 * SHORTENED_LENGTH)
    whole = copy(1, QUESTION, long)
    with Store(tmp_path / "mem.db") as store:
        for included in ((), (Kind.TOOL,), ()):
            ConversationImporter(store, WordEmbedder(), included).import_batch(
                [whole], ImportTally()
            )

        [session] = sessions(store)

        assert session.turns[1].text == long.text
        assert session.turns[1].is_searchable
        assert store.conversations.revision_digests(1) == set()


def thread_and_chat():
    """A chat of two weeks before somebody answered its third turn; and the thread, and the rest."""
    keys = [*range(4), *range(9000, 9004)]
    chat = tuple(turn(f"Ann: text {at}", f"{at}", BEGIN + at * MINUTE) for at in keys)
    answer = replace(turn("Bob: text 9", "9", BEGIN + 90 * MINUTE), parent="2")
    older = Conversation("slack", "C1", "general", chat, endless=True)
    rest = replace(older, turns=tuple(one for one in chat if one.key != "2"))
    thread = replace(older, key="C1/2", title="thread", turns=(chat[2], answer))
    return older, rest, thread


def test_a_turn_that_began_a_thread_is_in_the_thread_alone(taken):
    older, rest, thread = thread_and_chat()
    once = taken(rest, thread, threads=True)

    assert [len(session.turns) for session in once] == [3, 2, 4]
    for order in permutations((older, rest, thread)):
        assert taken(*order, threads=True) == once
    assert taken(older, thread, threads=True) == once
    assert taken(thread, older, threads=True) == once


def test_a_chat_from_before_a_thread_that_was_its_first_turn_is_still_found_by_its_id(tmp_path):
    older, _, thread = thread_and_chat()
    first = replace(older, turns=older.turns[2:])
    with Store(tmp_path / "mem.db") as store:
        tally = ImportTally()
        importer = ConversationImporter(store, WordEmbedder())
        importer.import_batch([first], tally, threads=True)
        [session, _] = sessions(store)

        importer.import_batch([thread], tally, threads=True)

        assert [turn.key for turn in store.sessions.get(session.id).turns] == ["2", "9"]
        assert tally.turns.new == 7


def test_a_thread_without_the_turn_that_began_it_takes_nothing(taken):
    older, _, thread = thread_and_chat()
    cut = replace(thread, turns=thread.turns[1:])

    for order in permutations((older, cut)):
        assert [len(session.turns) for session in taken(*order, threads=True)] == [4, 1, 4]


def test_what_was_forgotten_in_a_chat_or_a_thread_does_not_come_back_with_the_other(tmp_path):
    older, _, thread = thread_and_chat()
    for number, (first, then) in enumerate(permutations((older, thread))):
        with Store(tmp_path / f"{number}.db") as store:
            importer = ConversationImporter(store, WordEmbedder())
            importer.import_batch([first], ImportTally(), threads=True)
            store.deletion.forget([session.id for session in sessions(store)])

            importer.import_batch([then], ImportTally(), threads=True)

            kept = [turn.key for session in sessions(store) for turn in session.turns]
            assert kept == [turn.key for turn in then.turns if turn not in first.turns]


def test_slack_has_threads(tmp_path):
    root = {"type": "message", "user": "U1", "text": "Lunch?", "ts": "1700000000.000100"}
    answer = {**root, "text": "Yes", "ts": "1700000060.000200", "thread_ts": root["ts"]}
    exports = {"older": [root], "newer": [{**root, "thread_ts": root["ts"]}, answer]}
    for name, rows in exports.items():
        (tmp_path / name / "general").mkdir(parents=True)
        (tmp_path / name / "general" / "2023-11-14.json").write_text(json.dumps(rows))

    with Store(tmp_path / "mem.db") as store:
        for name in exports:
            import_exports([tmp_path / name], store, None, ParseOptions())

        [session] = sessions(store)
        assert [turn.text for turn in session.turns] == ["Lunch?", "Yes"]


def test_copies_are_looked_for_without_a_look_at_every_conversation(tmp_path):
    with Store(tmp_path / "mem.db") as store, store.transaction():
        for number in range(500):
            store.conversations.add("notes", str(number), endless=False)
        checks = []  # one for 2,000 steps of SQLite's

        with store.cancel_when(lambda: checks.append(1)):
            found = store.conversations.beginning_with("notes", [f"k{at}" for at in range(10)])

    assert (found, checks) == ([], [])
