"""The output of `mem export`: an archive that imports it is the same, to the byte."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from helpers.builders import BEGIN, MINUTE, talk, turn, turns
from helpers.exporting import again, exported, read_back
from helpers.parsing import document, parse_all
from hypothesis import given, settings
from hypothesis import strategies as some

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.formats import recognise_format
from memcli.formats.format import ParseOptions
from memcli.formats.generic.memcli import FORMAT
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.import_exports import import_exports
from memcli.store import Filters, Store

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "one.db") as opened:
        yield opened


def take(store, *conversations, included=()):
    for each in conversations:
        ConversationImporter(store, None, included).import_batch([each], ImportTally())


def ids(store):
    return sorted(one.id for one in store.sessions.summaries(Filters()))


def chat(*lines, at=BEGIN, title="Ann", step=HOUR):
    """Return a piece of a long chat in which the key of each turn is its time."""
    said = [replace(each, key=str(each.sent_at)) for each in turns(*lines, at=at, step=step)]
    return Conversation("whatsapp", "ann", title, tuple(said), endless=True)


def test_an_export_is_recognised(store):
    take(store, talk("Lisbon", "me: We flew in May."))

    assert recognise_format(document(exported(store))) is FORMAT


def test_branches_edits_kinds_and_clocks_come_back(store, tmp_path):
    odd = (
        turn("me: Where?", "q"),
        replace(turn("ai: Porto", "a"), parent="q", active=False, edited_at=BEGIN + DAY),
        replace(turn("ai: ls -l", "t", None), kind=Kind.TOOL, clock=Clock.INHERITED, included=True),
        replace(turn('Ann: x\u2028\x85y \U0001f600 \\ "', "é\n"), role=Role.PERSON),
        Turn("m", Role.USER, "", kind=Kind.MEDIA, missing=True),
    )
    take(store, Conversation("notes", "trip", "", odd), included={Kind.TOOL})
    text = exported(store)

    assert again(text, tmp_path / "two.db") == text


def test_what_was_edited_and_how_it_was_titled_before_come_back(store, tmp_path):
    first = Conversation("notes", "trip", "New chat", (turn("me: Lisbon", "q"),))
    take(
        store,
        first,
        replace(first, title="Trip", turns=(turn("me: Porto", "q"),), updated_at=BEGIN + DAY),
    )
    text = exported(store)

    [row] = map(json.loads, text.splitlines())
    assert sorted(one["text"] for one in row["revisions"]) == ["Lisbon", "New chat"]
    assert again(text, tmp_path / "two.db") == text


def test_an_edit_that_another_memory_knows_is_not_undone_by_the_older_export(store, tmp_path):
    old = Conversation("notes", "trip", "Trip", (turn("me: Lisbon", "q"),))
    take(store, old, replace(old, turns=(turn("me: Porto", "q"),), updated_at=BEGIN + DAY))
    with Store(tmp_path / "two.db") as other:
        read_back(exported(store), other)

        take(other, old)

        assert exported(other) == exported(store)


def test_a_former_id_still_means_the_session(store, tmp_path):
    take(store, chat("Ann: later"))
    [before] = ids(store)
    take(store, chat("Ann: sooner", at=BEGIN - HOUR))
    with Store(tmp_path / "two.db") as other:
        read_back(exported(store), other)

        assert before not in ids(other)
        assert other.sessions.get(before) == store.sessions.get(before)
        assert exported(other) == exported(store)


def test_sessions_of_a_chat_keep_the_titles_they_have(store, tmp_path):
    take(store, chat("Ann: hello", title="Ann"))
    take(store, chat("Ann: it is me", at=BEGIN + 30 * DAY, title="Ann B"))
    take(store, chat("Ann: again", at=BEGIN + 90 * DAY, title="Ann Bell"))
    text = exported(store)

    assert len({json.loads(line)["title"] for line in text.splitlines()}) > 1
    assert again(text, tmp_path / "two.db") == text


@pytest.mark.parametrize("order", [1, -1])
def test_parts_of_an_export_in_any_order_make_the_same_sessions(store, tmp_path, order):
    lines = [f"Ann: {number}" for number in range(450)]
    take(store, chat(*lines, step=MINUTE), chat("Ann: much later", at=BEGIN + 30 * DAY))
    parts = exported(store).splitlines(keepends=True)[::order]

    with Store(tmp_path / "two.db") as other:
        for part in parts:
            read_back(part, other)

        assert ids(other) == ids(store)
        assert exported(other) == exported(store)


def test_into_a_memory_that_knows_the_chat_an_export_is_merged(store, tmp_path):
    take(store, chat("Ann: 2", "Ann: 3", at=BEGIN + HOUR))
    with Store(tmp_path / "two.db") as other:
        take(other, chat("Ann: 1", "Ann: 2"))

        read_back(exported(store), other)

        [session] = [other.sessions.get(each) for each in ids(other)]
        assert [each.text for each in session.turns] == ["1", "2", "3"]


def test_what_was_forgotten_does_not_come_back_with_an_export(store):
    later = chat("Bea: x", at=BEGIN + 9 * DAY)
    take(store, talk("Lisbon", "me: secret"), chat("Ann: secret"), later)
    text = exported(store)
    gone = [each for each in ids(store) if "secret" in str(store.sessions.get(each))]
    store.deletion.forget(gone)

    read_back(text, store)

    assert "secret" not in exported(store)
    assert len(ids(store)) == 1


def test_reading_an_export_twice_changes_nothing(store):
    take(store, talk("Lisbon", "me: We flew."), chat("Ann: hello"))

    tally = read_back(exported(store), store)

    assert (tally.new, tally.changed, len(tally.unchanged)) == (set(), set(), 2)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": "mem.export/2"}, "its schema is mem.export/2, not mem.export/1"),
        ({"source": 3}, "`source` is of another type"),
        ({"conversation": None}, "`conversation` is missing"),
        ({"turns": [{"key": "a", "role": "user"}]}, "`text` is missing"),
        ({"turns": [{"key": "a", "role": "king", "text": ""}]}, "'king' is not a valid Role"),
        ({"turns": ["x"]}, "it is not an object"),
        ({"updated_at": "2024-03-01"}, "`updated_at` is no time that can be stored"),
        ({"updated_at": "soon"}, "Invalid isoformat string: 'soon'"),
        ({"turns": {}}, "`turns` is of another type"),
    ],
)
def test_a_line_that_is_not_as_written_is_named_and_the_others_are_read(store, change, why):
    take(store, talk("Lisbon", "me: We flew."), talk("Diet", "me: No nuts."))
    first, second = exported(store).splitlines()
    broken = json.dumps({**json.loads(first), **change})

    skipped, kept = parse_all(FORMAT, f"{broken}\n{second}\n")

    assert skipped == Skipped("line 1", f"is not as `mem export` writes it: {why}")
    assert isinstance(kept, Conversation)


texts = some.text(max_size=20)
moments = some.none() | some.datetimes(
    min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=some.timezones()
)
turns_of_all_kinds = some.builds(
    Turn,
    key=some.text(min_size=1, max_size=3),
    role=some.sampled_from(Role),
    text=texts,
    speaker=some.none() | some.text(min_size=1, max_size=5),
    sent_at=moments,
    clock=some.sampled_from(Clock),
    kind=some.sampled_from(Kind),
    parent=some.none() | some.text(min_size=1, max_size=3),
    active=some.booleans(),
    edited_at=moments,
    missing=some.booleans(),
)
conversations = some.builds(
    Conversation,
    source=some.sampled_from(("chatgpt", "a b")),
    key=some.sampled_from(("1", "é")),
    title=texts,
    turns=some.lists(turns_of_all_kinds, max_size=8).map(tuple),
    endless=some.just(False),
    updated_at=moments,
    history=some.just(None),
)


@settings(max_examples=25)
@given(copies=some.lists(conversations, max_size=5), included=some.sets(some.sampled_from(Kind)))
def test_whatever_a_memory_holds_comes_back(tmp_path_factory, copies, included):
    folder = tmp_path_factory.mktemp("two")
    with Store(folder / "one.db") as store:
        take(store, *copies, included=included)
        text = exported(store)

    assert again(text, folder / "two.db") == text


def test_real_exports_come_back_under_the_same_ids(samples, store, tmp_path):
    import_exports([samples], store, None, ParseOptions())
    text = exported(store)

    assert again(text, tmp_path / "two.db") == text
