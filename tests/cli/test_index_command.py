"""`mem index`, with an embedder that llama.cpp runs: killed, interrupted, and taken up again."""

import random
import signal
import subprocess
import time

import apsw
import numpy as np
import pytest
import sqlite_vec
from helpers.mem_process import MEM, Mem
from helpers.random_embedders import write_tiny_bert
from helpers.small_exports import talk

pytestmark = pytest.mark.slow

MANIFEST = 'name = "{name}"\nlike = "bge-m3"\nfile = "{file}"\n'


@pytest.fixture
def mem(tmp_path):
    """`mem` with a few sessions, and two embedders of the person's own: `tiny` and `slow`."""
    mem = Mem(tmp_path)
    models = {"tiny": 2, "slow": 12}
    for name, layers in models.items():
        file = write_tiny_bert(tmp_path / f"{name}.gguf", layers=layers)
        text = MANIFEST.format(name=name, file=file)
        mem.write(f"home/.config/mem/models/{name}.toml", text)
    mem.remembers(talk("Cats", "me: The cat is called Pixel."), talk("Dogs", "me: A dog barks."))
    return mem


def fill(mem, count):
    """Add sessions that take an embedder some time."""
    rng = random.Random(1)
    words = "the capital of china walk query passage walking cafe".split()
    mem.remembers(
        *[talk(f"Talk {n}", f"me: {n} {' '.join(rng.choices(words, k=60))}") for n in range(count)]
    )


def start(mem, *arguments):
    return subprocess.Popen(
        [MEM, *arguments], env=mem.environment, cwd=mem.folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def vectors(mem):
    """What is in the vector tables, by passage."""
    db = apsw.Connection(str(mem.database))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    query = "select id, 6 * (turns > 0) from embedders where serving"
    [(number, shift)] = db.execute(query).fetchall()
    found = db.execute(
        "select first, last, title, embedding from passages join sessions"
        f" on sessions.id = session_id join vectors_{number} as made"
        f" on made.id >> {shift} = passages.id"
        " order by title, first"
    ).fetchall()
    [(passages,)] = db.execute("select count(*) from passages").fetchall()
    assert len({tuple(place) for *place, _ in found}) == passages
    db.close()
    return found


def test_after_the_switch_the_new_embedder_is_used_by_itself(mem):
    done = mem("index", "--embedder", "tiny", "--json")

    assert done.json == {"schema": "mem.index/1", "embedder": "tiny", "sessions": 0, "vectors": 2}
    assert mem("ask", "Pixel", "--json").json["sessions"][0]["title"] == "Cats"
    mem.remembers(talk("Birds", "me: A bird sings."))
    [set_] = mem("stats", "--json").json["vectors"]
    assert set_ == {"embedder": "tiny", "dimensions": 32, "count": 3, "serving": True}
    assert mem("index").out == "indexed 0 vectors with the embedder tiny\n"
    assert mem("index", "--embedder", "builtin", "-q").out == ""
    assert mem("stats", "--json").json["vectors"][0]["embedder"] == "wordllama-256"


def test_a_question_with_another_embedder_is_told_how_to_embed_again(mem):
    done = mem("search", "cat", MEM_EMBEDDER="tiny")

    assert (done.code, done.out) == (5, "")
    assert done.err.endswith(
        f"mem: {mem.database} has vectors of wordllama-256, not of tiny\n"
        "hint: `mem index --embedder tiny` embeds everything again\n"
    )
    assert mem("index", "--embedder", "tiny").code == 0
    assert mem("search", "cat", MEM_EMBEDDER="tiny").code == 0


def test_a_file_is_found_again_from_another_folder(mem, tmp_path):
    mem("index", "--embedder", "tiny.gguf")
    mem.folder = tmp_path / "home"

    assert mem("search", "cat").code == 0


def test_settings_that_name_another_embedder_are_told(mem):
    mem("config", "set", "models.embedder", "slow")

    done = mem("index", "--embedder", "tiny")

    assert "mem: the settings name another embedder: `mem config set models.embedder tiny`" in (
        done.err
    )


@pytest.mark.parametrize("name", ["nothing", "gone.gguf"])
def test_an_embedder_that_is_not_there_changes_nothing(mem, name):
    before = vectors(mem)

    assert mem("index", "--embedder", name).code == 6

    assert vectors(mem) == before


def made(mem):
    """How many vectors there are of the embedder that does not serve yet."""
    db = apsw.Connection(str(mem.database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for (number,) in db.execute("select id from embedders where not serving").fetchall():
            [(count,)] = db.execute(f"select count(*) from vectors_{number}").fetchall()
            return count
        return 0
    finally:
        db.close()


def until_more_is_made(mem, process):
    """Wait until a process that embeds has stored some more; it has not come to its end then."""
    before = made(mem)
    while made(mem) <= before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(mem, tmp_path):
    fill(mem, 150)
    (tmp_path / "calm").mkdir()
    calm = Mem(tmp_path / "calm")
    calm.home = mem.home
    assert mem("backup", str(calm.database)).code == 0
    assert calm("index", "--embedder", "slow").code == 0
    rng = random.Random(2)

    for _ in range(3):
        process = start(mem, "index", "--embedder", "slow")
        until_more_is_made(mem, process)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.communicate()
        assert mem("search", "Pixel", "--json").json["sessions"][0]["title"] == "Cats"

    assert made(mem)
    assert mem("index").code == 0
    ended, undisturbed = vectors(mem), vectors(calm)
    assert [place for *place, _ in ended] == [place for *place, _ in undisturbed]
    # What is computed together differs, and with it the last digits.
    assert np.allclose(numbers(ended), numbers(undisturbed), atol=2)


def numbers(found):
    return np.array([np.frombuffer(raw, np.int8) for *_, raw in found], int)


def test_interrupted_it_says_what_to_type(mem):
    fill(mem, 150)
    process = start(mem, "index", "--embedder", "slow")
    until_more_is_made(mem, process)
    process.send_signal(signal.SIGINT)

    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert err.decode().endswith(
        "mem: interrupted; `mem index` continues where it stopped;"
        " until it is done, nothing changes\n"
    )
    assert mem("search", "Pixel").code == 0


def test_every_command_uses_the_embedder_that_was_recorded(mem):
    """The settings name none: then it is the one that `mem index` was given."""
    from memcli.cli.agent_tools.memory_tools import MemoryTools
    from memcli.cli.models.open import open_models

    assert mem("index", "--embedder", "tiny").code == 0

    added = mem("memories", "add", "cat", "The cat is called Pixel.", "--json")
    edited = mem("memories", "edit", added.json["memory"]["id"], "The cat is called Pix.")
    mem.write("facts.jsonl", '{"key": "dog", "value": "A dog barks."}\n')
    imported = mem("memories", "import", "facts.jsonl")
    found = mem("memories", "search", "cat")

    assert [each.code for each in (added, edited, imported, found)] == [0, 0, 0, 0]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in mem.environment.items():
            patch.setenv(name, value)
        tools = MemoryTools(
            mem.database,
            lambda store: open_models(
                None, None, gpu_layers=None, thought_tokens=None, database=store
            ),
        )
        assert tools.search({"query": "cat"})["sessions"]
        assert tools.ask({"question": "cat"})["sessions"]
        assert tools.memories({"query": "cat"})["memories"][0]["key"] == "cat"
