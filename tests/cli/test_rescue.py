"""`mem doctor` sees damage inside text and index, and saves what can be read."""

import random

import apsw
import pytest
import sqlite_vec
from helpers import schema_dumps
from helpers.small_exports import talk


@pytest.fixture
def archive(mem):
    mem.remembers(
        *(
            talk(f"Talk {number}", *(f"me: {word} of talk {number}" for word in WORDS))
            for number in range(30)
        )
    )
    mem("memories", "add", "home", "Lives in Lisbon")
    change(mem, "pragma wal_checkpoint(truncate)")
    return mem


WORDS = [f"xylophone{number:02} " + "and a harp " * 12 for number in range(20)]


def change(mem, *statements):
    """Change the database behind the back of `mem`."""
    db = apsw.Connection(str(mem.database))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    for statement in statements:
        db.execute(statement).fetchall()
    db.close()


def packed_texts(mem):
    db = apsw.Connection(str(mem.database))
    values = [value for (value,) in db.execute("select packed from texts order by session_id")]
    db.close()
    return values


def faults(done):
    return {one["name"] for one in done.json["checks"] if one["state"] == "fault"}


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("update turn_words_data set block = zeroblob(length(block)) where id > 10", "full text"),
        ("delete from session_words_data where id > 10", "full text"),
        ("delete from passage_words_idx", "full text"),
        ("delete from turn_words_docsize", "full text"),
        ("delete from title_words_docsize", "full text"),
        ("update text_totals set words = 0", "full text"),
        ("update bits_1_vector_chunks00 set vectors = zeroblob(length(vectors))", "vectors"),
        ("update bits_1_chunks set validity = zeroblob(length(validity))", "vectors"),
        ("delete from bits_1_vector_chunks00", "vectors"),
        ("delete from bits_1_chunks", "vectors"),
        ("delete from vectors_1", "vectors"),
        ("delete from memory_vectors_1_rowids", "vectors"),
    ],
)
def test_an_index_that_was_emptied_is_seen_and_mended(archive, damage, name):
    change(archive, damage)
    assert archive("search", "xylophone07").code in (0, 3, 5)  # a traceback fails it

    found, fixed = archive("doctor", "--json"), archive("doctor", "--fix", "--json")

    assert found.code == 5
    assert name in faults(found)
    assert (fixed.code, fixed.json["well"]) == (0, True)
    assert archive("search", "xylophone07").code == 0


def test_every_flipped_bit_inside_a_text_is_seen(archive):
    rng, raw = random.Random(1), archive.database.read_bytes()
    values = packed_texts(archive)
    seen = 0
    for _ in range(6):
        value = rng.choice(values)
        damaged = bytearray(raw)
        damaged[raw.index(value) + rng.randrange(len(value))] ^= 1 << rng.randrange(8)
        archive.database.write_bytes(damaged)
        seen += bool(faults(archive("doctor", "--json")) & {"checksums", "integrity"})

    assert seen == 6


def test_sessions_of_an_older_memcli_get_a_checksum(archive):
    change(archive, "update sessions set checksum = null")

    assert "no checksum" in archive("doctor").out
    assert archive("doctor", "--fix").code == 0
    assert "no checksum" not in archive("doctor").out


@pytest.mark.parametrize("seed", range(3))
def test_a_rescue_saves_every_turn_that_can_be_read(archive, seed):
    rng, raw = random.Random(seed), bytearray(archive.database.read_bytes())
    page = int.from_bytes(raw[16:18], "big")
    for _ in range(seed):
        start = rng.randrange(8, len(raw) // page) * page
        raw[start : start + page] = rng.randbytes(page)
    archive.database.write_bytes(raw)

    done = archive("doctor", "--rescue", "new.db", "--json")

    assert done.code in (0, 5), done
    assert archive.database.read_bytes()[: len(raw)] == raw
    turns = 0
    for one in archive("--db", "new.db", "sessions", "--json").json["sessions"]:
        turns += one["turns"]
    assert turns > 600 * (1 - 0.15 * seed)
    if not seed:
        assert (done.code, turns) == (0, 601)
        assert archive("--db", "new.db", "search", "xylophone07").code == 0
        assert "Lisbon" in archive("--db", "new.db", "memories", "list").out


def test_a_rescue_saves_the_texts_of_a_session_up_to_the_damage(archive):
    raw = bytearray(archive.database.read_bytes())
    value = packed_texts(archive)[3]
    start = raw.index(value) + len(value) - 30
    raw[start : start + 30] = bytes(30)
    archive.database.write_bytes(raw)

    done = archive("doctor", "--rescue", "new.db", "--json")

    [finding] = [one["told"] for one in done.json["checks"] if one["state"] == "fault"]
    damaged = finding.removeprefix("not as they were written: ")
    turns = archive("--db", "new.db", "show", damaged, "--json").json["session"]["turns"]
    read = [turn["text"].split()[0] for turn in turns[:8]]
    assert read == [word.split()[0] for word in WORDS[:8]]
    sessions = archive("--db", "new.db", "sessions", "--json").json["sessions"]
    assert len(sessions) == 31


def test_a_rescue_saves_texts_without_their_turns(archive):
    change(archive, "delete from turns where session_id = 3 and position > 15")

    done = archive("doctor", "--rescue", "new.db", "--json")

    sessions = archive("--db", "new.db", "sessions", "--json").json["sessions"]
    assert {one["turns"] for one in sessions} == {1, 20}
    [finding] = [one["told"] for one in done.json["checks"] if one["state"] == "fault"]
    damaged = finding.removeprefix("not as they were written: ")
    turns = archive("--db", "new.db", "show", damaged, "--json").json["session"]["turns"]
    assert [turn["text"].split()[0] for turn in turns] == [word.split()[0] for word in WORDS]


def test_a_rescue_reads_a_database_of_an_older_memcli(mem):
    schema_dumps.load(18, mem.database)

    done = mem("doctor", "--rescue", "new.db")

    assert "saved 3 sessions with 5 turns" in done.out
    assert "東京 is next?" in mem("--db", "new.db", "show", "s_annn000001").out


def test_a_rescue_writes_over_nothing(archive):
    archive.write("new.db", "mine")

    assert archive("doctor", "--rescue", "new.db").code == 2
    assert (archive.folder / "new.db").read_text() == "mine"


def test_the_doctor_reports_damage_that_stands_in_its_own_way(mem):
    mem.remembers(talk("Cats", *(f"me: Pixel is cat number {number}." for number in range(200))))
    raw = bytearray(mem.database.read_bytes())
    raw[8192 : 8192 + 40_960] = b"\xff" * 40_960
    mem.database.write_bytes(raw)

    done = mem("doctor")

    assert (done.code, done.err) == (5, "")
    assert "mem doctor --rescue FILE" in done.out
