"""Words are erased from where they stand, whatever the size of the archive."""

import hashlib
import math
from itertools import chain, product

import apsw
import pytest
from helpers import schema_dumps
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder
from helpers.stored_texts import change_texts

from memcli.errors import StoreError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.store import Filters, Store
from memcli.store.index import full_text
from memcli.store.sqlite.tokenize import index_tokens

TABLES = full_text.TABLES
LETTERS = "abdfghkm"


def take(store, *conversations):
    ConversationImporter(store, WordEmbedder()).import_batch(conversations, ImportTally())


def number_talk(number):
    """A talk with words that nobody else uses, in the middle of the vocabulary."""
    words = [f"{LETTERS[number % 8]}{''.join(end)}{number}" for end in product("xyz", repeat=4)]
    return talk(f"Talk {number}", f"me: {' '.join(words)}", "ai: indeed")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        take(opened, *map(number_talk, range(60)))
        yield opened


def id_of(store, title):
    return next(one.id for one in store.sessions.summaries(Filters()) if one.title == title)


def rows(tmp_path, sql):
    database = apsw.Connection(str(tmp_path / "mem.db"))
    found = database.execute(sql).fetchall()
    database.close()
    return found


def vocabulary(tmp_path, table):
    database = apsw.Connection(str(tmp_path / "mem.db"))
    database.execute(f"create virtual table temp.v using fts5vocab(main, {table}, row)")
    words = {term for (term,) in database.execute("select term from temp.v")}
    database.close()
    return words


def check_keys(tmp_path):
    """Check that Talks 5 to 44 have left no word, and no key that only their words begin with."""
    for table in TABLES:
        words = vocabulary(tmp_path, table)
        numbers = {int(word[5:]) for word in words if word[5:].isdigit()}
        assert numbers == ({*range(5), *range(45, 60)} if table != "title_words" else set())
        own = rows(tmp_path, f"select cast(term as blob) from {table}_idx")
        for (key,) in own:
            start = bytes(key).removeprefix(b"0").decode()
            assert any(word.startswith(start) for word in words), start


def test_no_key_of_a_page_begins_with_what_only_a_forgotten_session_said(store, tmp_path):
    for number in range(5, 45):
        store.deletion.forget([id_of(store, f"Talk {number}")])

    check_keys(tmp_path)
    assert store.health.check_file() == store.health.check_full_text() == []


def test_keys_of_pages_that_a_merge_has_emptied_are_erased_too(tmp_path):
    emptied = (
        "select count(*) from turn_words_idx where not exists"
        " (select 1 from turn_words_data where id = (segid << 37) + (pgno >> 1))"
    )
    with Store(tmp_path / "mem.db") as store:
        for first in range(5):
            take(store, *map(number_talk, range(first, 60, 5)))
        for table in TABLES:  # FTS5 stops in the middle
            store._database.rows(f"insert into {table} ({table}, rank) values ('merge', -8)")
        assert rows(tmp_path, emptied) != [(0,)]

        for number in range(5, 45):
            store.deletion.forget([id_of(store, f"Talk {number}")])

        check_keys(tmp_path)
        assert store.health.check_file() == store.health.check_full_text() == []


def test_every_word_that_is_left_is_still_found(store):
    for number in range(5, 45):
        store.deletion.forget([id_of(store, f"Talk {number}")])

    for number in (*range(5), *range(45, 60)):
        for word in (f"{LETTERS[number % 8]}xyzz{number}", f"{LETTERS[number % 8]}zzzz{number}"):
            for grain in ("session", "turn", "passage"):
                assert len(store.index.match_terms(grain, [word], Filters(), 9)) == 1, word
    assert not store.index.match_terms("session", ["axyzz8", "bzzzz9"], Filters(), 9)


def test_forgetting_writes_as_much_in_a_large_archive_as_in_a_small_one(tmp_path):
    changes = []
    for size in (50, 200):
        with Store(tmp_path / f"{size}.db") as store:
            take(store, *map(number_talk, range(size)))
            store.merge_log()
            with store.transaction():
                before = store._database._db.total_changes()
                store.index.remove(store.sessions.number(id_of(store, "Talk 7")))
                full_text.erase_keys(store._database, ["Talk 7", "indeed"])
                changes.append(store._database._db.total_changes() - before)
    small, large = changes
    assert large < 1.5 * small


@pytest.mark.parametrize("made", ["", "0 of another time"])
def test_words_that_were_made_by_other_rules_are_erased_too(store, tmp_path, made):
    store._database.rows("update sessions set indexed = ?", made)

    store.deletion.forget([id_of(store, "Talk 7")])

    assert all(not word.endswith("z7") for table in TABLES for word in vocabulary(tmp_path, table))
    assert b"zzzz7 " not in (tmp_path / "mem.db").read_bytes()
    assert store.health.check_file() == store.health.check_full_text() == []
    assert rows(tmp_path, "select distinct indexed from sessions") == [(full_text.RULES,)]
    assert len(store.index.match_terms("turn", ["axxxx8"], Filters(), 9)) == 1


def test_a_session_whose_text_has_changed_on_the_disk_leaves_no_word(store, tmp_path):
    with store.transaction():
        change_texts(store._database, lambda text: "changed" if "zzzz7" in text.split() else text)

    store.deletion.forget([id_of(store, "Talk 7")])

    assert all(not word.endswith("z7") for table in TABLES for word in vocabulary(tmp_path, table))


def test_what_an_older_memcli_only_marked_as_deleted_goes_when_its_database_is_opened(tmp_path):
    schema_dumps.load(16, tmp_path / "mem.db")
    old = apsw.Connection(str(tmp_path / "mem.db"))
    old.execute("insert into turn_words (rowid, text) values (99, 'xylophone')")
    old.execute("delete from turn_words where rowid = 99")
    assert any(b"xylophon" in bytes(b) for (b,) in old.execute("select block from turn_words_data"))
    old.close()

    with Store(tmp_path / "mem.db") as store:
        assert store.health.check_full_text() == []
        assert len(store.index.match_terms("turn", ["hazelnuts"], Filters(), 9)) == 2
        store.deletion.forget(["s_lsbn000001"])
        assert not store.index.match_terms("turn", ["hazelnuts"], Filters(), 9)
        assert len(store.index.match_terms("turn", ["ferry"], Filters(), 9)) == 1

    content = (tmp_path / "mem.db").read_bytes()
    assert b"xylophon" not in content
    assert b"hazelnut" not in content


def test_rules_have_another_name_when_they_make_another_text():
    texts = (
        "She went to Ólafur's café, bought 3 knives & told the children: Straße, ＦＵＬＬ.",
        "東京タワーへ行った。 我们明天去北京 ภาษาไทย Ελληνικά русский עברית",
        "don't can’t won't I'd geese worse men better; run ran running",
    )
    digest = hashlib.sha256(" ".join(chain(*map(index_tokens, texts))).encode()).hexdigest()[:16]

    assert (full_text.RULES.split()[0], digest) == ("2", "383dff23d57f60fa"), (
        "raise the number in RULES"
    )


def test_bm25_of_sessions_is_that_of_the_formula(store):
    texts = ["plum " * count + "filler " * (30 - count) for count in (1, 2, 3, 7, 12)]
    take(store, *(talk(f"Plums {len(text)}", f"me: {text}") for text in texts))
    lengths = dict(store._database.rows("select id, tokens from sessions"))
    average = sum(lengths.values()) / len(lengths)
    idf = math.log1p((len(lengths) - 5 + 0.5) / 5.5)

    found = store.index.match_terms("session", ["plum"], Filters(), 9)

    scores = {match.session: match.score for match in found}
    for count, session in zip((1, 2, 3, 7, 12), sorted(scores), strict=True):
        # The title has the word once more, in its plural.
        tf, norm = count + 1, 1.2 * (0.25 + 0.75 * lengths[session] / average)
        assert scores[session] == pytest.approx(idf * tf * 2.2 / (tf + norm), rel=0.03)


def test_an_assistants_word_counts_half_and_a_date_twice(store):
    take(store, talk("One", "me: nectarine"), talk("Two", "ai: nectarine"), talk("Three", "me: ok"))

    first, second = store.index.match_terms("session", ["nectarine"], Filters(), 9)
    dates = store.index.match_terms("session", ["2024"], Filters(), 99)

    assert first.score > 1.2 * second.score
    assert len(dates) == 63


def test_words_that_the_index_leaves_out_say_nothing(store):
    weights = store.index.term_weights(["the", "axxxx8"])

    assert weights["the"] < 0.01 * weights["axxxx8"]
    assert store.index.nearest_spellings(["the"]) == {}
    assert store.index.match_terms("turn", ["the"], Filters(), 9) == []
    assert store.index.match_pairs([("the", "axxxx8")], Filters()) == []
    assert store.index.match_titles(["the"], Filters(), 9) == {}


@pytest.fixture
def old(tmp_path):
    """The path of a database as an older memcli left it, with 60 sessions without words."""
    path = tmp_path / "old.db"
    with Store(path) as store:
        take(store, *map(number_talk, range(60)))
        full_text.recreate_word_tables(store._database)
        store._database.rows("update sessions set indexed = null, tokens = null")
        store._database.rows("update passages set tokens = null")
    return path


def test_the_words_of_an_older_database_are_written_when_it_is_opened(old, monkeypatch):
    monkeypatch.setattr(full_text, "_SESSIONS_AT_ONCE", 25)
    reports = []

    with Store(old, progress=lambda *counts: reports.append(counts)) as store:
        assert reports == [(0, 60), (25, 60), (50, 60), (60, 60)]
        assert store.health.check_full_text() == []
        assert len(store.index.match_terms("turn", ["axxxx8"], Filters(), 9)) == 1
    with Store(old, progress=pytest.fail):
        pass


def test_an_upgrade_that_was_killed_goes_on_and_nobody_searches_half_an_archive(old, monkeypatch):
    monkeypatch.setattr(full_text, "_SESSIONS_AT_ONCE", 25)

    def stop(done, _of):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(old, progress=stop)
    with pytest.raises(StoreError, match=r"is not finished: 35 sessions cannot be searched yet"):
        Store.existing(old, read_only=True)

    reports = []
    with Store(old, progress=lambda *counts: reports.append(counts)) as store:
        assert reports[0] == (0, 35)
        assert store.health.check_full_text() == []
    Store.existing(old, read_only=True)


def test_a_damaged_session_does_not_stop_the_upgrade(old):
    database = apsw.Connection(str(old))
    database.execute("update texts set packed = x'ff' where session_id = 7")
    database.close()

    with Store(old) as store:
        assert len(store.index.match_terms("turn", ["axxxx8"], Filters(), 9)) == 1
        titles = store._database.rows("select count(*) from title_words_docsize")
    assert titles == [(59,)]  # `mem doctor` names the session that is missing
    Store.existing(old, read_only=True)
