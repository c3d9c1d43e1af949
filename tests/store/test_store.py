import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta, timezone
from time import monotonic

import apsw
import pytest
from helpers.builders import BEGIN, MINUTE, keep, session, talk, turn

from memcli.domain import Clock, Kind, Role, Turn
from memcli.errors import BusyError, NotFoundError, StoreError
from memcli.store import Filters, Store
from memcli.store.sqlite import migrations
from memcli.store.tables import model_cache

TOKYO = timezone(timedelta(hours=9))
HOUR = 60 * MINUTE
LISBON = talk("Lisbon", "Ann: We flew in May.", "me: How was it?")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mem.db"


@pytest.fixture
def store(path):
    with Store(path) as opened:
        yield opened


def process(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def writer(path):
    """Another process in the middle of a transaction."""
    Store(path).__exit__(None, None, None)
    script = (
        "import apsw, sys; db = apsw.Connection(sys.argv[1]); db.execute('begin immediate');"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with process(script, path) as running:
        running.stdout.readline()
        yield running
        running.stdin.close()


def titles(store, **filters):
    return [overview.title for overview in store.sessions.summaries(Filters(**filters))]


def test_a_session_comes_back_as_it_was_stored(store):
    turns = (
        Turn("a", Role.PERSON, "東京", "Ann", BEGIN.astimezone(TOKYO), Clock.EXACT),
        Turn("b", Role.SYSTEM, "Ann left", None, None, Clock.NONE, Kind.SERVICE),
        Turn("c", Role.USER, "", None, BEGIN + MINUTE, Clock.LOCAL, Kind.MEDIA, "a", False),
    )
    whole = session(replace(talk("Tokyo"), turns=turns))

    head = store.conversations.add("notes", "k", endless=False)
    number = store.sessions.add(head.number, whole)

    kept = store.sessions.by_number(number)
    assert kept == whole
    assert kept.turns[0].sent_at.utcoffset() == timedelta(hours=9)
    assert kept.started_at.utcoffset() == timedelta(hours=9)
    assert store.sessions.number(whole.id) == number


def test_a_session_is_found_by_the_beginning_of_its_id(store):
    keep(store, talk("Lisbon"), talk("London"), talk("Lis"))

    assert store.sessions.get("s_lo").title == "London"
    assert store.sessions.get("s_lis").title == "Lis"
    with pytest.raises(NotFoundError, match="more than one session begins with `s_l`"):
        store.sessions.get("s_l")
    with pytest.raises(NotFoundError, match="no session `s_x`"):
        store.sessions.get("s_x")


@pytest.mark.parametrize("strange", ["%", "s_%", "s_lisbon'", "~", "🦊"])
def test_strange_ids_are_not_found(store, strange):
    keep(store, LISBON)

    with pytest.raises(NotFoundError):
        store.sessions.get(strange)


def test_sessions_near_a_time_are_those_that_touch_it(store):
    chat = talk("Chat", source="whatsapp", endless=True)
    parts = [
        replace(chat, title=title, turns=turns)
        for title, turns in {
            "late": (turn("Ann: c", "3", BEGIN + 2 * HOUR), turn("Ann: d", "4", BEGIN + 3 * HOUR)),
            "early": (turn("Ann: a", "1", BEGIN), turn("Ann: b", "2", BEGIN + HOUR)),
            "timeless": (turn("Ann: e", "5", None),),
        }.items()
    ]
    keep(store, *parts, LISBON)

    def near(since, until):
        return [one.title for one in store.sessions.overlapping(1, since, until)]

    assert near(None, None) == ["timeless", "early", "late"]
    assert near(BEGIN + HOUR, BEGIN + HOUR) == ["timeless", "early"]
    assert near(BEGIN + HOUR + MINUTE, BEGIN + 2 * HOUR - MINUTE) == ["timeless"]
    assert near(BEGIN + 3 * HOUR, None) == ["timeless", "late"]
    assert [one.title for one in store.sessions.with_turns(1, ["4", "x"])] == ["late"]


def test_the_latest_session_is_listed_first_and_one_without_a_time_last(store):
    keep(store, talk("Old"), talk("No time", "me: x", at=None), talk("Old too", "me: x"))
    keep(store, talk("New", "me: x", "ai: y", at=BEGIN + HOUR))

    assert titles(store) == ["New", "Old too", "No time", "Old"]
    [first] = store.sessions.summaries(Filters(), limit=1)
    assert (first.title, first.turns, first.participants) == ("New", 2, ("user", "assistant"))


def test_the_filters_of_time_include_the_first_moment_and_exclude_the_last(store):
    keep(store, talk("Lisbon", "me: a", "ai: b"), talk("No time", "me: x", at=None))

    assert titles(store, since=BEGIN + MINUTE) == ["Lisbon"]
    assert titles(store, since=BEGIN + MINUTE + timedelta(milliseconds=1)) == []
    assert titles(store, until=BEGIN) == []
    assert titles(store, until=BEGIN + timedelta(milliseconds=1)) == ["Lisbon"]


@pytest.mark.parametrize("name", ["Zoë", "ZOË", "zoe\u0308", "Ｚoë"])
def test_a_speaker_is_found_however_the_name_is_written(store, name):
    keep(store, talk("With", "Zoë: Hi"), talk("Without", "Ann: Zoë says hi"))

    assert titles(store, speaker=frozenset([name])) == ["With"]


def test_a_source_is_a_filter(store):
    keep(store, LISBON, talk("Chat", "me: a", source="whatsapp"))

    assert titles(store, source="whatsapp") == ["Chat"]
    assert store.sessions.numbers(Filters(source="notes", speaker=frozenset(["Ann"]))) == {1}


def test_a_removed_session_takes_its_turns_along(store):
    [number] = keep(store, LISBON)

    store.sessions.remove(number)

    assert titles(store) == []
    assert keep(store, LISBON) == [number]


def test_a_transaction_that_fails_leaves_nothing(store):
    def fail():
        with store.transaction(), store.transaction():
            keep(store, LISBON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert titles(store) == []


def test_the_database_and_its_folder_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "new" / "mem.db"

    with Store(path) as store:
        keep(store, LISBON)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}


def test_an_existing_database_must_exist(path):
    with pytest.raises(StoreError, match="nothing was ingested yet"):
        Store.existing(path)

    assert not path.exists()


def test_a_migration_that_fails_leaves_the_database_as_it_was(path, monkeypatch):
    def broken(db):
        db.execute("create table half (id)")
        db.execute("this is not SQL")

    with Store(path) as store:
        keep(store, LISBON)
    steps = migrations.STEPS
    monkeypatch.setattr(migrations, "STEPS", (*steps, broken))
    with pytest.raises(StoreError):
        Store(path)
    monkeypatch.setattr(migrations, "STEPS", steps)

    with Store(path) as store:
        assert titles(store) == ["Lisbon"]


def test_a_newer_database_is_refused(path, monkeypatch):
    Store(path).__exit__(None, None, None)
    taken = len(migrations.STEPS)
    monkeypatch.setattr(migrations, "STEPS", migrations.STEPS[:-1])

    told = f"the database has schema {taken}, this memcli knows {taken - 1}"
    with pytest.raises(StoreError, match=told):
        Store(path)


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    db = apsw.Connection(str(path))
    db.execute("create table theirs (id)")
    db.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="is a database of another program"):
        Store(path)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path):
    path.write_bytes(b"my diary " * 1000)

    with pytest.raises(StoreError, match="is not a database"):
        Store(path)

    assert path.read_bytes() == b"my diary " * 1000


@pytest.mark.parametrize("place", ["folder", "below a file"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" if place == "folder" else tmp_path / "file" / "mem.db"

    with pytest.raises(StoreError):
        Store(path)


def read_all(path):
    with Store(path) as store:
        for overview in store.sessions.summaries(Filters()):
            store.sessions.get(overview.id)
        store.index.match_terms("turn", ["word1"], Filters(), 1)


@pytest.fixture
def filled(path):
    with Store(path) as store:
        lines = (f"me: word{n} {'x' * 200}" for n in range(200))
        [number] = keep(store, talk("Long", *lines))
        store.index.add(number, store.sessions.by_number(number), [])
    return path


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_database_is_an_error_people_understand(filled, kept):
    filled.write_bytes(filled.read_bytes()[: int(filled.stat().st_size * kept)])

    with pytest.raises(StoreError, match=r"is damaged|malformed"):
        read_all(filled)


@pytest.mark.parametrize("page", range(1, 30, 4))
def test_a_database_with_a_broken_page_is_an_error_or_still_read(filled, page):
    content = bytearray(filled.read_bytes())
    content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    filled.write_bytes(content)

    try:
        read_all(filled)
    except StoreError as error:
        assert str(filled) in str(error)  # noqa: PT017  # some pages are not read


def test_text_with_damaged_bytes_is_an_error_people_understand(filled):
    filled.write_bytes(filled.read_bytes().replace(b"Long", b"Lon\xff"))

    with pytest.raises(StoreError, match="holds text that is not UTF-8"):
        read_all(filled)


def test_text_that_cannot_be_decompressed_is_an_error_people_understand(filled):
    with Store(filled) as store:
        store._database.rows("update texts set packed = substr(packed, 1, length(packed) / 2)")

    with pytest.raises(StoreError, match="is damaged in session s_"):
        read_all(filled)


def test_a_writer_waits_for_another_no_longer_than_it_was_told(path, writer):
    with Store(path, wait=0.3) as store:
        began = monotonic()
        with pytest.raises(BusyError, match="another process is writing"):
            keep(store, LISBON)

        assert 0.2 < monotonic() - began < 3


def test_readers_do_not_wait(path, writer):
    began = monotonic()

    with Store(path) as store:
        assert titles(store) == []
        assert store.cache.get("key") is None
        store.cache.put({})

    assert monotonic() - began < 3


def test_the_cache_does_not_wait_either(path, writer):
    with Store(path) as store:
        began = monotonic()
        store.cache.put({"key": 1})

        assert monotonic() - began < 3
        assert store.cache.get("key") is None


def test_a_writer_goes_on_when_the_other_is_done(path, writer):
    with Store(path, wait=30) as store:
        writer.stdin.close()
        keep(store, LISBON)

        assert titles(store) == ["Lisbon"]


def test_many_processes_can_make_the_same_database(path):
    script = (
        "import sys; from pathlib import Path; from memcli.store import Store\n"
        "with Store(Path(sys.argv[1])) as store:\n"
        "    store.conversations.add('notes', sys.argv[2], endless=False)"
    )
    running = [process(script, path, number) for number in range(8)]

    for each in running:
        each.communicate(timeout=60)

    assert [each.returncode for each in running] == [0] * 8
    with Store(path) as store:
        assert all(store.conversations.get("notes", str(number)) for number in range(8))


def test_the_cache_remembers_what_was_put_last(store):
    store.cache.put({"a": 0.5, "b": {"order": [1, 2]}})
    store.cache.put({"a": 0.75})

    assert store.cache.get("a") == 0.75
    assert store.cache.get("b") == {"order": [1, 2]}
    assert store.cache.get("c") is None


def test_the_cache_forgets_the_oldest_beyond_its_size(store, monkeypatch):
    monkeypatch.setattr(model_cache, "MAX_CACHED_ANSWERS", 3)

    store.cache.put({str(number): number for number in range(5)})

    assert [store.cache.get(str(number)) for number in range(5)] == [None, None, 2, 3, 4]


def test_a_session_whose_cells_make_no_sense_is_damage(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        [number] = keep(store, talk("Lisbon", "me: We flew in May."))
        store._database.rows("update turns set role = 'uber'")

        with pytest.raises(StoreError, match="damaged in session s_"):
            store.sessions.by_number(number)


def test_a_store_that_is_only_read_refuses_to_write(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        [number] = keep(store, talk("Lisbon", "me: We flew to Lisbon."))
        store.index.add(number, store.sessions.by_number(number), [])

    with Store.existing(tmp_path / "mem.db", read_only=True) as store:
        [found] = store.sessions.summaries(Filters())
        with pytest.raises(StoreError, match="cannot be written to"):
            store.deletion.forget([found.id])

    assert found.title == "Lisbon"


def test_a_store_that_is_only_read_is_not_brought_up_to_date(tmp_path):
    path = tmp_path / "mem.db"
    with Store(path):
        pass
    with closing(apsw.Connection(str(path))) as database:
        database.execute("pragma user_version = 3")

    with pytest.raises(StoreError, match="made by another version of memcli"):
        Store.existing(path, read_only=True)
