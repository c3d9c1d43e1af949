"""The texts of a session are stored together: compressed, bounded, and moved there from before."""

import random
import subprocess
import sys
import zlib
from contextlib import closing, suppress

import apsw
import pytest
from helpers import schema_dumps
from helpers.builders import keep, talk
from helpers.stored_texts import packed
from hypothesis import given
from hypothesis import strategies as st

from memcli.errors import StoreError
from memcli.store import Filters, Store
from memcli.store.sqlite import connection, step_0019_packed_texts
from memcli.store.sqlite.connection import Database
from memcli.store.tables.packed_texts import pack_texts, recover_texts, unpack_texts

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.lists(st.one_of(st.text(CHARACTERS), st.sampled_from(["\0", "", "wörd " * 300, "東京"])))
SESSIONS, TURNS = 60, 15
OLD = 18  # the last schema with the texts in the rows of turns
OPEN = """
import os, signal, sys
from pathlib import Path
from memcli.store import Store
from memcli.store.sqlite import connection, step_0019_packed_texts as step
step._SESSIONS_PER_REPORT = 1
connection._LEAST_UNUSED = 0
def progress(done, of):
    if done > int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
Store(Path(sys.argv[1]), progress=progress)
"""


@given(TEXTS)
def test_texts_come_back_as_they_were(texts):
    raw = [text.encode() for text in texts]

    assert unpack_texts(pack_texts(raw)) == texts
    assert recover_texts(pack_texts(raw)) == raw
    assert unpack_texts(step_0019_packed_texts._pack(raw)) == texts


def test_a_session_of_a_million_tokens_comes_back():
    rng = random.Random(1)
    words = [f"word{number}" for number in range(5000)]
    texts = [" ".join(rng.choices(words, k=200)) for _ in range(5000)]

    value = pack_texts([text.encode() for text in texts])

    assert len(value) < sum(map(len, texts)) / 2
    assert unpack_texts(value) == texts


@pytest.mark.parametrize("damage", range(40))
def test_damaged_texts_are_never_taken_for_sound_ones(damage):
    rng = random.Random(damage)
    value = bytearray(pack_texts([f"a text about number {n}".encode() for n in range(50)]))
    value[rng.randrange(len(value))] ^= 1 << rng.randrange(8)

    with pytest.raises(ValueError, match=r"text|utf-8"):
        unpack_texts(bytes(value))
    recover_texts(bytes(value))


def test_a_value_that_would_fill_the_memory_is_damaged():
    bomb = zlib.compress(bytes(1 << 28), 9)

    with pytest.raises(ValueError, match="do not end"):
        unpack_texts(bomb)
    assert recover_texts(bomb) == []


def test_text_that_looks_like_one_is_stored_as_it_is():
    blanks = [b" " * (1 << 25)]

    assert unpack_texts(pack_texts(blanks)) == [blanks[0].decode()]


@pytest.mark.parametrize("value", [b"", b"x", b"\0", b"\0\xff\xff\xff\xff", b"\0\1\0\0\0\4\0\0\0"])
def test_values_that_end_too_early_are_damaged(value):
    with pytest.raises(ValueError, match="text"):
        unpack_texts(value)
    assert recover_texts(value) == []


def old_checksum(db, number):
    checksum = step_0019_packed_texts._checksums(db, number, b"")[0]
    db.execute("update sessions set checksum = ? where id = ?", [checksum, number])


@pytest.fixture
def old(tmp_path):
    """The path of a database of before, with sessions of several turns."""
    path = tmp_path / "mem.db"
    schema_dumps.load(OLD, path)
    with closing(apsw.Connection(str(path))) as db, db:
        for number in range(10, 10 + SESSIONS):
            db.execute(
                "insert into sessions (id, public, conversation_id, title, utc_offset,"
                f" participants) values ({number}, 's_{number}', 1, 'One', 0, '[]')"
            )
            db.executemany(
                "insert into turns (session_id, conversation_id, position, key, role, text,"
                " utc_offset, clock, kind, active) values (?, 1, ?, ?, 'user', ?, 0, 'none',"
                " 'text', 1)",
                [(number, at, f"{number}/{at}", text_of(number, at)) for at in range(1, TURNS + 1)],
            )
            old_checksum(db, number)
    return path


def text_of(number, at):
    return f"turn {at} of session {number}\0 " + "and a harp " * (number % 40)


def check_untouched(path):
    with closing(apsw.Connection(str(path))) as db:
        assert db.pragma("user_version") == OLD
        assert len(db.execute("select text from turns").fetchall()) == SESSIONS * TURNS + 5


def check_all(path):
    with Store(path) as store:
        for number in range(10, 10 + SESSIONS):
            texts = [turn.text for turn in store.sessions.get(f"s_{number}").turns]
            assert texts == [text_of(number, at) for at in range(1, TURNS + 1)]
        assert store.health.check_checksums() == ["not as they were written: s_lsbn000001"]
        assert store.health.check_file() == store.health.check_references() == []
    assert b"turn 1 of session 40" not in path.read_bytes()


def test_a_database_of_before_is_converted_with_progress_and_gets_smaller(old, monkeypatch):
    seen, size = [], old.stat().st_size
    monkeypatch.setattr(connection, "_LEAST_UNUSED", 0)

    with Store(old, progress=lambda done, of: seen.append((done, of))) as store:
        assert packed(store, "s_40")

    assert seen[-1] == (SESSIONS + 3, SESSIONS + 3)
    assert old.stat().st_size < size
    check_all(old)


def test_a_session_that_was_damaged_before_is_still_damaged_after(old):
    with closing(apsw.Connection(str(old))) as db:
        db.execute("update turns set text = 'changed' where session_id = 12 and position = 3")
        db.execute("update turns set text = cast(x'61ff' as text) where key = '13/3'")

    with Store(old) as store:
        [finding] = store.health.check_checksums()
        assert finding.endswith("s_lsbn000001, s_12, s_13")
        assert store.sessions.get("s_12").turns[2].text == "changed"
        with pytest.raises(StoreError, match="damaged"):
            store.sessions.get("s_13")
        assert b"a\xff" in b"".join(recover_texts(packed(store, "s_13")))


@pytest.mark.parametrize("moment", [0, 1, 30])
def test_a_kill_in_the_middle_of_the_migration_loses_nothing(old, moment):
    done = subprocess.run([sys.executable, "-c", OPEN, str(old), str(moment)], check=False)

    assert done.returncode == -9
    check_untouched(old)
    check_all(old)


def test_a_kill_at_any_time_of_the_migration_loses_nothing(old, tmp_path):
    raw, rng = old.read_bytes(), random.Random(2)
    for _ in range(6):
        (tmp_path / "mem.db-wal").unlink(missing_ok=True)
        old.write_bytes(raw)
        process = subprocess.Popen([sys.executable, "-c", OPEN, str(old), "9999"])
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.15 + rng.random() * 0.5)
        process.kill()
        process.wait()
        check_all(old)


def test_a_full_disk_leaves_the_database_as_it_was(old, monkeypatch):
    connect = Database._connect

    def connect_to_full_disk(self, flags):
        db = connect(self, flags)
        db.pragma("max_page_count", db.pragma("page_count") + 2)
        return db

    with monkeypatch.context() as context:
        context.setattr(Database, "_connect", connect_to_full_disk)
        with pytest.raises(StoreError) as raised:
            Store(old)

    assert "the disk is full" in str(raised.value)
    assert "df -h" in str(raised.value.hint)
    check_untouched(old)
    check_all(old)


def test_what_the_doctor_adds_is_what_an_import_writes(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        [number] = keep(store, talk("Lisbon", "me: We fly.", "ai: When?"))
        [written] = store._database.rows("select checksum from sessions where id = ?", number)
        store._database.rows("update sessions set checksum = null")
        store.health.add_checksums()

        assert store._database.rows("select checksum from sessions") == [written]
        assert store.statistics.totals().words > 2
        assert [*store.sessions.summaries(Filters())]
