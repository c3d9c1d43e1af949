"""`mem doctor`: a verdict on everything, whatever is wrong, and what to type."""

import random

import apsw
import pytest
import sqlite_vec
from helpers.mem_process import Mem
from helpers.panes import pane
from helpers.random_embedders import write_tiny_bert
from helpers.small_exports import talk

WELL = [
    "permissions", "disk", "database", "encryption", "integrity", "checksums", "full text",
    "vectors", "log", "sources", "settings", "models", "embedder", "servers", "hardware",
    "sqlite-vec",
]  # fmt: skip


@pytest.fixture
def archive(mem):
    mem.write(
        "talks.json", [talk("Cats", "me: The cat is called Pixel."), talk("Dogs", "me: Woof")]
    )
    assert mem("ingest", "talks.json").code == 0
    return mem


def change(mem, *statements):
    """Change the database behind the back of `mem`."""
    db = apsw.Connection(str(mem.database))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    for statement in statements:
        db.execute(statement)
    db.close()


def faults(done):
    return [
        (one["name"], one["told"], one["remedy"])
        for one in done.json["checks"]
        if one["state"] == "fault"
    ]


def notes(done):
    return {one["name"]: one["told"] for one in done.json["checks"] if one["state"] == "note"}


def test_when_all_is_well_it_says_so_in_every_form(archive):
    found, quiet, printed = archive("doctor", "--json"), archive("doctor", "-q"), archive("doctor")

    assert (found.code, found.json["schema"], found.json["well"]) == (0, "mem.doctor/1", True)
    assert [one["name"] for one in found.json["checks"]] == WELL
    assert {one["state"] for one in found.json["checks"]} <= {"ok", "note"}  # a full disk is noted
    assert (quiet.code, "fault" in quiet.out) == (0, False)
    lines = printed.out.splitlines()
    assert [line[7:18].strip() for line in lines] == WELL
    assert "ok     integrity    sound" in lines
    assert "ok     servers      none: nothing leaves this machine" in lines


def test_without_a_database_everything_else_is_looked_at(mem):
    found = mem("doctor", "--json")

    assert found.code == 0
    assert notes(found)["database"] == f"none at {mem.database} yet"
    assert not mem.database.exists()


@pytest.mark.parametrize(
    ("damage", "name", "told"),
    [
        ("insert into turn_words (turn_words) values ('delete-all')", "full text",
         "2 turns not indexed"),
        ("insert into title_words (rowid, text) values (99, 'x')", "full text",
         "1 sessions too many"),
        ("delete from passages", "vectors", "2 passages of wordllama-256 too many"),
        ("delete from vectors_1 where rowid = 1", "vectors",
         "1 passages of wordllama-256 not indexed"),
        ("update vectors_1 set embedding = zeroblob(256) where rowid = 1", "vectors",
         "1 vectors of wordllama-256 without a direction"),
        ("delete from bits_1 where rowid = 1", "vectors",
         "1 vectors of wordllama-256 not indexed"),
        ("update bits_1_vector_chunks00 set vectors = zeroblob(length(vectors))", "vectors",
         "2 vectors of wordllama-256 cannot be searched"),
        ("update bits_1_chunks set validity = zeroblob(length(validity))", "vectors",
         "2 vectors of wordllama-256 cannot be searched"),
        ("update bits_1_chunks set rowids = zeroblob(9)", "vectors",
         "2 vectors of wordllama-256 cannot be searched"),
        ("update bits_1_rowids set chunk_offset = 5 where rowid = 1", "vectors",
         "1 vectors of wordllama-256 cannot be searched"),
    ],
)  # fmt: skip
def test_an_index_that_is_not_that_of_the_turns_is_named_and_fixed(archive, damage, name, told):
    change(archive, damage)

    found = archive("doctor", "--json")
    fixed = archive("doctor", "--fix", "--json")

    assert found.code == 5
    assert (name, told, "`mem index --rebuild` makes it again") in faults(found)
    assert (fixed.code, fixed.json["well"]) == (0, True)
    assert fixed.json["fixed"]
    assert archive("search", "Pixel", "--json").json["sessions"][0]["title"] == "Cats"


def test_files_that_others_can_read_are_named_and_closed(archive):
    archive.database.chmod(0o644)

    found = archive("doctor", "--json")
    fixed = archive("doctor", "--fix")

    what, remedy = f"{archive.database} is open to others (644)", f"`chmod 600 {archive.database}`"
    assert (found.code, faults(found)) == (5, [("permissions", what, remedy)])
    assert fixed.code == 0
    assert fixed.out.splitlines()[-1] == "fixed  permissions"
    assert archive.database.stat().st_mode & 0o777 == 0o600


def test_rows_that_belong_to_nothing_are_named(archive):
    change(archive, "pragma foreign_keys = off", "delete from conversations where id = 1")

    found = archive("doctor", "--json")

    assert found.code == 5
    assert ("integrity", "1 of sessions without their conversations; 1 of turns without their"
            " conversations") in [fault[:2] for fault in faults(found)]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_gets_a_verdict_whatever_is_damaged(archive, seed):
    rng = random.Random(seed)
    raw = bytearray(archive.database.read_bytes())
    if seed % 2:
        raw = raw[: rng.randrange(len(raw))]
    for _ in range(40):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    archive.database.write_bytes(raw)

    for options in ((), ("--fix",)):
        done = archive("doctor", *options)  # a traceback fails it

        assert done.code in (0, 5)
        assert (done.code == 5) == ("fault" in done.out or "mem: " in done.err)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no database at all, " * 100, "is not a database"),
        (b"SQLite format 3\x00" + bytes(4080), "is"),
    ],
)
def test_a_file_that_is_no_database_gets_a_verdict(archive, content, told):
    archive.database.write_bytes(content)

    found = archive("doctor", "--json")

    [(_, what, remedy)] = [fault for fault in faults(found) if fault[0] == "database"]
    assert found.code == 5
    assert told in what
    assert remedy


def test_a_folder_in_the_place_of_the_database_is_left_as_it_is(mem):
    folder = mem.folder / "folder"
    folder.mkdir(mode=0o755)

    found = mem("--db", "folder", "doctor", "--fix", "--json")

    assert (found.code, faults(found)[0][1]) == (5, "folder is not a file")
    assert folder.stat().st_mode & 0o777 == 0o755


def test_what_cannot_be_fixed_is_told_beside_all_the_rest(archive):
    change(archive, "insert into turn_words (turn_words) values ('delete-all')")
    archive.write("home/.config/mem/config.toml", '[models]\nembedder = "bge-m3"\n')

    done = archive("doctor", "--fix", "--json")

    assert done.code == 5
    assert done.json["fixed"] == []
    assert "mem: the full text could not be repaired: bge-m3 is not on this machine" in done.err


def test_a_newer_database_is_told_from_a_damaged_one(archive):
    change(archive, "pragma user_version = 99")

    [(_, what, remedy)] = faults(archive("doctor", "--json"))

    assert what.startswith("the database has schema 99")
    assert remedy == "upgrade memcli, or name another file with `--db`"


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("[models", 4, "is not valid TOML"),
        ("[models]\nreader = 3\n", 4, "`reader` is 3, not a text"),
        ('[models]\nrerankr = "x"\n', 4, "unknown key `rerankr`"),
        ('[models]\nsifter = "gone.gguf"\n', 6, "no sifter file at gone.gguf"),
        ('[models]\nembedder = "nomic-embed-text-v1.5"\n', 6, "is not on this machine"),
    ],
)
def test_settings_that_cannot_be_followed_are_named(archive, text, status, told):
    archive.write("home/.config/mem/config.toml", text)

    found = archive("doctor", "--json")

    assert found.code == status
    assert any(told in what and remedy for _, what, remedy in faults(found))


def test_what_would_leave_the_machine_is_said_plainly(archive):
    archive.write(
        "home/.config/mem/config.toml",
        '[models]\nreranker = "https://models.example/v1#judge"\n'
        'sifter = "http://localhost:8000/v1#sift"\n',
    )

    found = archive("doctor", "--json")

    told = [one["told"] for one in found.json["checks"] if one["name"] == "servers"]
    assert told == [
        "every question, and the passages that may answer it leave this machine:"
        " they are sent to https://models.example/v1 (reranker)",
        "http://localhost:8000/v1 (sifter) is on this machine",
    ]


def test_another_embedder_in_the_settings_than_in_the_database_is_a_fault(archive):
    file = write_tiny_bert(archive.folder / "tiny.gguf")
    archive.write(
        "home/.config/mem/models/tiny.toml", f'name = "tiny"\nlike = "bge-m3"\nfile = "{file}"\n'
    )
    archive("config", "set", "models.embedder", "tiny")

    found = archive("doctor", "--json")

    assert found.code == 5
    assert faults(found) == [
        ("embedder", "the settings name tiny, and the database has vectors of wordllama-256",
         "`mem index --embedder tiny` embeds everything again")
    ]  # fmt: skip
    unverified = [one["told"] for one in found.json["checks"] if one["name"] == "models"]
    assert unverified == ["embedder tiny : unverified, used as embedder"]


def test_vectors_of_whole_passages_of_an_embedder_that_reads_sentences_are_noted(archive):
    file = write_tiny_bert(archive.folder / "tiny.gguf")
    archive.write(
        "home/.config/mem/models/tiny.toml", f'name = "tiny"\nlike = "bge-m3"\nfile = "{file}"\n'
    )
    archive("index", "--embedder", "tiny")
    assert "embedder" not in notes(archive("doctor", "--json"))
    database = apsw.Connection(str(archive.database))
    database.execute("update embedders set turns = 0")  # as an older memcli made it
    database.close()

    assert notes(archive("doctor", "--json"))["embedder"] == (
        "tiny, whose vectors here stand for whole passages"
    )


def test_sources_that_are_gone_are_noted_and_lose_nothing(archive):
    (archive.folder / "talks.json").unlink()

    found = archive("doctor", "--json")

    assert found.code == 0
    assert notes(found)["sources"] == (
        f"no longer there: {archive.folder / 'talks.json'}; what came from them is kept"
    )


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_reads_well_at_every_width(tmp_path_factory, width):
    mem = Mem(tmp_path_factory.mktemp("d"))
    mem.remembers(talk("Cats", "me: x"))
    mem.database.chmod(0o640)

    lines = pane(mem, "doctor", width=width).splitlines()

    assert max(map(len, lines)) <= width
    assert lines[0].startswith("fault  permissions  /")
    assert "`chmod 600" in "".join(line.strip() for line in lines)
    assert all(line[:5] in ("ok   ", "note ", "fault", "     ") for line in lines)
    assert "ok     integrity    sound" in lines
