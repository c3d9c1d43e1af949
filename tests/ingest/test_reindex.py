"""Words and vectors made again, while everything goes on."""

from dataclasses import replace

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder

from memcli.domain import SessionId
from memcli.errors import BackendError, StoreError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.reindex import reindex
from memcli.store import Filters, Store
from memcli.store.index.quantization import quantize_vectors
from memcli.text.chunking import passage_text

TALKS = [
    talk(f"Talk {number}", f"me: {'word ' * number}number {number}", "ai: Noted.")
    for number in range(60)
]


class Other(WordEmbedder):
    """Another embedder: the same vectors with another sign."""

    name = "other"
    fingerprint = "other"

    def __init__(self, meanwhile=lambda call: None):
        self.calls, self.meanwhile = 0, meanwhile

    def embed(self, texts, *, questions=False):
        self.calls += 1
        self.meanwhile(self.calls)
        return -super().embed(texts)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mem.db"


@pytest.fixture
def store(path):
    with Store(path) as opened:
        take(opened, *TALKS)
        yield opened


def take(store, *conversations, embedder=None):
    ConversationImporter(store, embedder or WordEmbedder()).import_batch(
        conversations, ImportTally()
    )


def text_of(store, place):
    _, session, passage = place
    return passage_text(store.sessions.by_number(session), passage)


def vectors(store):
    """The vector of every passage, by what it says; and that no other is there."""
    [(number, *_)] = store._database.rows("select id from embedders where serving")
    rows = store._database.rows(f"select rowid, embedding from vectors_{number}")
    places = {place[0]: place for place in passages(store)}
    assert sorted(rowid for rowid, _ in rows) == sorted(places)
    return {text_of(store, places[rowid]): raw for rowid, raw in rows}


def passages(store):
    from memcli.domain import Passage

    rows = store._database.rows("select id, session_id, first, last, start, stop from passages")
    return [(at, session, Passage(*place)) for at, session, *place in rows]


def assert_embedded(store, embedder):
    found = vectors(store)
    assert list(found.values()) == quantize_vectors(embedder.embed(list(found)))
    assert store.vector_sets.active_embedder().fingerprint == embedder.fingerprint
    assert (
        store.health.check_full_text(),
        store.health.check_vectors(),
        store.health.check_file(),
    ) == ([], [], [])


def found(store, question):
    terms = question.split()
    return [
        (place.session, place.score)
        for place in store.index.match_terms("turn", terms, Filters(), 9)
    ]


def test_another_embedder_makes_all_vectors_and_the_old_ones_go(store):
    done = reindex(store, Other(), embedder_name="mine", rebuild=False)

    assert (done.vectors, done.embedder, store.vector_sets.active_embedder_name()) == (
        60,
        "other",
        "mine",
    )
    assert_embedded(store, Other())
    assert len(store.statistics.vectors_by_embedder()) == 1


def test_what_is_complete_is_left_alone(store):
    embedder = Other()
    reindex(store, embedder, embedder_name="mine", rebuild=False)
    calls = embedder.calls

    done = reindex(store, embedder, embedder_name="mine", rebuild=False)

    assert (done.vectors, embedder.calls) == (0, calls)


def test_the_old_vectors_serve_until_the_new_ones_are_complete(store, path):
    seen = []

    def look(_call):
        with Store(path) as reader:
            seen.append((reader.vector_sets.active_embedder().name, len(vectors(reader))))

    reindex(store, Other(look), embedder_name="mine", rebuild=False)

    assert set(seen) == {("fake-words-64", 60)}


def test_what_is_imported_changed_and_forgotten_meanwhile_is_right_after_the_switch(store, path):
    def meddle(call):
        with Store(path) as other:
            if call == 1:
                grown = replace(
                    TALKS[59], turns=(*TALKS[59].turns, *talk("", "me: and more").turns)
                )
                grown = replace(grown, turns=(*grown.turns[:2], replace(grown.turns[2], key="9")))
                take(other, grown, talk("New", "me: a new talk"))
            if call == 2:
                [gone] = [
                    one.id for one in other.sessions.summaries(Filters()) if one.title == "Talk 58"
                ]
                other.deletion.forget([SessionId(gone)])
                take(other, talk("Newer", "me: another in its place"))

    reindex(store, Other(meddle), embedder_name="mine", rebuild=False)

    assert_embedded(store, Other())
    said = " ".join(vectors(store))
    assert "and more" in said
    assert "another in its place" in said
    assert "number 58" not in said


@pytest.mark.parametrize("rebuild", [False, True])
def test_a_run_that_broke_goes_on_where_it_stopped(store, rebuild):
    def break_down(call):
        if call == 3:
            raise BackendError("out of memory")

    with pytest.raises(BackendError):
        reindex(store, Other(break_down), embedder_name="mine", rebuild=rebuild)
    assert store.vector_sets.incomplete_embedder_name() == "mine"
    assert store.vector_sets.active_embedder().name == "fake-words-64"

    done = reindex(store, Other(), embedder_name="mine", rebuild=False)

    assert 0 < done.vectors < 60
    assert_embedded(store, Other())
    assert store.vector_sets.incomplete_embedder_name() is None


def test_another_wish_drops_what_was_begun(store):
    def break_down(call):
        raise BackendError("out of memory")

    with pytest.raises(BackendError):
        reindex(store, Other(break_down), embedder_name="mine", rebuild=False)

    reindex(store, WordEmbedder(), embedder_name=None, rebuild=False)

    assert store.vector_sets.incomplete_embedder_name() is None
    assert_embedded(store, WordEmbedder())


def test_of_two_processes_with_two_wishes_the_second_has_its_way_and_the_first_says_so(store, path):
    def meddle(_call):
        with Store(path) as other:
            reindex(other, WordEmbedder(), embedder_name=None, rebuild=False)

    with pytest.raises(StoreError, match="switched to another embedder"):
        reindex(store, Other(meddle), embedder_name="mine", rebuild=False)

    assert_embedded(store, WordEmbedder())


def test_an_import_that_began_before_the_switch_fails_and_says_why(store):
    reindex(store, Other(), embedder_name="mine", rebuild=False)

    with pytest.raises(StoreError, match="has vectors of other, not of fake-words-64"):
        take(store, talk("Late", "me: too late"))

    assert "Late" not in [one.title for one in store.sessions.summaries(Filters())]


@pytest.mark.parametrize(
    "damage",
    [
        "delete from passages where id % 3 = 0",
        "insert into turn_words (turn_words) values ('delete-all')",
        "delete from title_words_docsize where id < 9",
        "insert into session_words (session_words) values ('delete-all')",
        "update sessions set tokens = null where id = 3",
        "delete from vectors_1 where rowid % 2 = 0",
        "insert into passage_words (rowid, text) values (99999, 'stray')",
        "update passages set last = last + 1 where id = 5",
        "insert into vectors_1 (rowid, embedding) select 77777, embedding from vectors_1 limit 1",
    ],
)
def test_an_index_that_is_not_that_of_the_turns_is_noticed_and_made_again(store, damage):
    before = found(store, "number noted")
    store._database.rows("pragma foreign_keys = off")
    store._database.rows(damage)
    assert [*store.health.check_full_text(), *store.health.check_vectors()]

    done = reindex(store, WordEmbedder(), embedder_name=None, rebuild=True)

    assert done.sessions == 60
    assert found(store, "number noted") == before
    assert_embedded(store, WordEmbedder())


def test_words_made_again_are_searched_and_set_up_as_before(store):
    schema = "select name, sql from sqlite_schema where name like '%words%' order by name"
    settings = "select k, v from session_words_config order by k"
    before = (store._database.rows(schema), store._database.rows(settings), found(store, "word"))

    reindex(store, WordEmbedder(), embedder_name=None, rebuild=True)

    after = (store._database.rows(schema), store._database.rows(settings), found(store, "word"))
    assert after == before


@pytest.mark.parametrize("words", [40, 400])  # per turn: several turns a passage, and the reverse
def test_a_session_of_four_times_the_turns_takes_four_times_the_work(tmp_path, words):
    """Steps of SQLite's machine are counted: unlike seconds, they are the same everywhere."""
    few, many = (count_rebuild_steps(tmp_path, turns, words) for turns in (100, 400))

    assert many <= 4.4 * few


def count_rebuild_steps(folder, turns, words):
    """Rebuild the index of one session; return how many operations on rows SQLite needed."""
    steps = 0

    def step():
        nonlocal steps
        steps += 1
        return False  # True would interrupt it

    with Store(folder / f"{turns}.db") as store:
        take(store, talk("Long", *(f"me: Number {n}. {'word ' * words}" for n in range(turns))))
        store._database._db.set_progress_handler(step, 1)
        reindex(store, WordEmbedder(), embedder_name=None, rebuild=True)
        store._database._db.set_progress_handler(None)
    return steps


def test_an_empty_database_is_complete(path):
    with Store(path) as empty:
        assert reindex(empty, Other(), embedder_name="mine", rebuild=True).vectors == 0
        take(empty, talk("First", "me: hello"), embedder=Other())
        assert_embedded(empty, Other())
