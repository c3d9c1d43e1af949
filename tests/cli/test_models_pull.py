"""From a hub to an answer: everything is real but the size of the models and the hub's address."""

import shutil
import signal
import subprocess
import time

import pytest
from helpers.hub import serving
from helpers.mem_process import MEM, Run
from helpers.person import Person
from helpers.random_models import write_qwen3
from helpers.small_exports import talk
from helpers.taught_models import CARD, SQUEEZED, manifest_text, write_reranker

pytestmark = pytest.mark.slow

QUESTION = "What is the capital of China?"


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    return write_reranker(tmp_path_factory.mktemp("repository") / "taught")


@pytest.fixture
def hub(repository):
    with serving({"ann/reranker": repository}) as hub:
        yield hub


@pytest.fixture
def person(tmp_path, hub):
    return Person(tmp_path, hub)


def test_from_a_hub_to_an_answer_with_one_command(person):
    pulled = person("models", "pull", "tiny-reranker")
    again = person("models", "pull", "tiny-reranker", "--quiet")
    listed = person("models", "list", "--json")
    person.mem.remembers(talk("China", f"me: {CARD.passages[0]}"))
    asked = person("ask", QUESTION, "--json")

    assert (pulled.code, pulled.out) == (0, "")
    assert pulled.err.splitlines()[-1] == "mem: tiny-reranker Q8_0 is ready: 1.8 MB, verified"
    assert again == Run(0)
    [model] = [one for one in listed.json["models"] if one["name"] == "tiny-reranker"]
    assert (model["state"], model["used_as"], model["quantization"]) == (
        "verified",
        ["reranker"],
        "Q8_0",
    )
    assert (asked.code, asked.err) == (0, "")
    assert asked.json["stages"][1]["model"] == "tiny-reranker-Q8_0"
    assert person.files() == [
        "tiny-reranker-Q8_0.gguf",
        "tiny-reranker-Q8_0.json",
        "tiny-reranker.source.json",
    ]
    assert person.work() == ["tiny-reranker.lock"]


def test_the_originals_of_a_conversion_are_dropped_on_request_and_the_model_stays(person):
    def originals():
        return large(person.mem.home.rglob("blobs/*"))

    kept = person("models", "pull", "tiny-reranker")
    before = originals()
    dropped = person("models", "pull", "tiny-reranker", "--drop-originals")
    verified = person("models", "verify", "tiny-reranker")

    assert "`--drop-originals` removes them after that" in kept.err
    assert before
    assert "dropped 3.4 MB of originals of tiny-reranker" in dropped.err
    assert not originals()
    assert (dropped.code, verified.code) == (0, 0)


def test_a_pull_that_is_killed_goes_on_where_it_stopped(person):
    person.hub.fail("/cdn/", times=float("inf"), pause=0.01)  # 3.4 MB take half a minute
    with subprocess.Popen(
        [MEM, "models", "pull", "tiny-reranker", "--quiet"],
        env={**person.mem.environment, **person.environment},
    ) as running:
        partial = wait_for(lambda: large(person.mem.home.rglob("*.incomplete")))
        running.send_signal(signal.SIGKILL)
    had = partial.stat().st_size
    person.hub.faults.clear()
    first = list(person.hub.log)

    pulled = person("models", "pull", "tiny-reranker")

    assert running.returncode == -signal.SIGKILL
    assert (pulled.code, pulled.err.splitlines()[-1]) == (
        0,
        "mem: tiny-reranker Q8_0 is ready: 1.8 MB, verified",
    )
    later = person.hub.log[len(first) :]
    ranges = [each.headers["range"] for each in later if "range" in each.headers]
    assert set(ranges) == {f"bytes={had}-"}
    assert had < max(map(len, person.hub.repositories["ann/reranker"].values()))


def large(paths):
    return next((path for path in paths if path.stat().st_size > 50_000), None)


def wait_for(found, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError("it never happened")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"shuffled": True}, '"What is the capital of China?" / "'),
        (
            {"scores": SQUEEZED},
            "all its probabilities are between 0.51 and 0.72, as if a sigmoid were applied to"
            ' another; "What is the capital of China?" / "The capital of China is Beijing.":'
            " yes - no is 0.9",
        ),
        ({"scores": [0.1, 0.09, 0.08]}, "it answers the same to everything, 0.52"),
    ],
    ids=["shuffled", "two sigmoids", "one answer to everything"],
)
def test_a_reranker_that_does_not_score_as_published_is_not_installed(tmp_path, made, said):
    with serving({"ann/reranker": write_reranker(tmp_path / "bad", **made)}) as hub:
        person = Person(tmp_path, hub)
        pulled = person("models", "pull", "tiny-reranker", "--quiet")

    assert (pulled.code, pulled.out) == (7, "")
    start = "mem: tiny-reranker-Q8_0 did not pass its verification and is not installed: "
    assert pulled.err.startswith(start + said)
    assert '" / "' in pulled.err
    assert person.files() == ["tiny-reranker.source.json"]
    assert person.work() == ["tiny-reranker.lock"]


@pytest.fixture(scope="module")
def house(tmp_path_factory, repository):
    """A home with a pulled model and a database, to be copied."""
    with serving({"ann/reranker": repository}) as hub:
        person = Person(tmp_path_factory.mktemp("house"), hub)
        assert person("models", "pull", "tiny-reranker", "--quiet") == Run(0)
    person.mem.remembers(talk("China", f"me: {CARD.passages[0]}"))
    return person.mem.folder


@pytest.fixture
def pulled(tmp_path, hub, house):
    """A person who has pulled the model before."""
    shutil.copytree(house, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Person(tmp_path, hub)


def test_a_file_cut_short_or_with_one_bit_flipped_never_reaches_llama_cpp(pulled):
    path = pulled.models / "tiny-reranker-Q8_0.gguf"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) * 3 // 4] ^= 1

    for content, faults in ((whole[:-1000], "cut short"), (bytes(flipped), "its SHA-256 is ")):
        path.write_bytes(content)
        asked = pulled("ask", QUESTION, PYTHONPATH=without_llama_cpp(pulled.mem.folder))
        verified = pulled("models", "verify", PYTHONPATH=without_llama_cpp(pulled.mem.folder))

        assert (asked.code, verified.code) == (7, 7)
        assert "llama" not in asked.err + verified.err
        assert faults in verified.err
        assert "cut short" in asked.err or "changed since it was verified" in asked.err
    path.write_bytes(whole)
    assert pulled("models", "verify", "--quiet") == Run(0)
    assert pulled("ask", QUESTION, "--json").json["stages"][1]["name"] == "rerank"


def without_llama_cpp(folder):
    """Return a folder whose llama_cpp says so when it is imported."""
    place = folder / "blocked" / "llama_cpp"
    place.mkdir(parents=True, exist_ok=True)
    (place / "__init__.py").write_text("raise ImportError('llama.cpp was reached')\n")
    return str(place.parent)


def test_a_damaged_model_is_made_again_by_pulling_it_again(pulled):
    path = pulled.models / "tiny-reranker-Q8_0.gguf"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])

    again = pulled("models", "pull", "tiny-reranker", "--quiet")

    assert again == Run(0)
    assert path.read_bytes() == whole


def test_a_hub_that_changes_under_the_same_commit_is_refused(pulled, repository, tmp_path):
    changed = {path.name: path.read_bytes() for path in repository.iterdir()}
    changed["config.json"] += b"\n"
    old = pulled.hub.commit("ann/reranker")
    pulled.hub.repositories["ann/reranker"] = changed

    held = pulled("models", "pull", "tiny-reranker", "--quant", "F16", "--quiet")
    updated = pulled("models", "pull", "tiny-reranker", "--quant", "F16", "--quiet", "--update")

    assert held.code == 6
    assert old in held.err
    assert updated == Run(0)


def test_without_a_network_a_pull_says_so_and_what_is_in_the_cache_is_enough(pulled):
    path = pulled.models / "tiny-reranker-Q8_0.gguf"
    path.unlink()
    empty = pulled("models", "pull", "qwen3-reranker-0.6b", "--quiet", HF_HUB_OFFLINE="1")

    again = pulled("models", "pull", "tiny-reranker", "--quiet", HF_HUB_OFFLINE="1")

    assert (empty.code, empty.out) == (6, "")
    assert again == Run(0)
    assert path.exists()


def test_what_is_verified_can_be_read_by_people_and_by_programs(pulled):
    told = pulled("models", "verify", "tiny-reranker")
    shown = pulled("models", "verify", "--json").json

    [model] = shown["models"]
    first, *facts = told.out.splitlines()
    assert (told.code, first) == (0, "tiny-reranker Q8_0: verified")
    assert [fact.strip() for fact in facts] == model["verdict"]["facts"]
    assert model["verdict"]["passed"] is True
    assert shown["schema"] == "mem.models/1"
    assert len(facts) == len(CARD.passages)
    assert facts[0].endswith(", published 2.969")


def test_a_list_is_the_same_to_people_and_to_programs(pulled):
    told = pulled("models", "list").out.splitlines()
    lines = pulled("models", "list", "--jsonl").lines

    assert pulled("models", "list", "--json").json == {"schema": "mem.models/1", "models": lines}
    assert [line["name"] for line in lines] == [line.lstrip("* ").split()[0] for line in told]
    assert told[0].split() == "* tiny-reranker reranker Q8_0 1.8 MB verified".split()
    assert all(line.endswith("not here") for line in told[1:])
    assert [line["used_as"] for line in lines] == [["reranker"]] + [[]] * (len(lines) - 1)


def test_a_model_that_is_removed_leaves_nothing(pulled):
    place = pulled("models", "path", "tiny-reranker")
    removed = pulled("models", "remove", "tiny-reranker")

    assert place == Run(0, f"{pulled.models}/tiny-reranker-Q8_0.gguf\n")
    assert (removed.code, removed.out) == (0, "tiny-reranker: removed\n")
    assert "`hf cache rm model/ann/reranker`" in removed.err
    assert pulled.files() == []
    assert pulled("models", "path") == Run(0, f"{pulled.models}\n")
    missing = "mem: tiny-reranker is not on this machine\nhint: `mem models {}"
    assert pulled("models", "path", "tiny-reranker") == Run(
        6, err=missing.format("pull tiny-reranker`\n")
    )
    assert pulled("models", "remove", "tiny-reranker") == Run(
        6, err=missing.format("list` shows the models that are\n")
    )


def test_a_file_of_ones_own_is_known_by_a_name_where_it_is(pulled, tmp_path):
    file = tmp_path / "Mine own-Q8_0.gguf"
    shutil.copy(pulled.models / "tiny-reranker-Q8_0.gguf", file)
    pulled("models", "remove", "tiny-reranker")
    like = ("--role", "reranker", "--like", "tiny-reranker")

    added = pulled("models", "add", str(file), *like, "--name", "mine", "--quiet")
    asked = pulled("ask", QUESTION, "--reranker", "mine", "--json")
    by_path = pulled("ask", QUESTION, "--reranker", str(file), "--json")
    taken = pulled("models", "add", str(file), *like, "--name", "bge-m3")
    removed = pulled("models", "remove", "mine")

    assert added == Run(0)
    assert (asked.code, asked.err, by_path.err) == (0, "", "")
    assert asked.json["stages"][1]["model"] == file.stem
    assert taken == Run(
        2, err="mem: a model is called bge-m3 already\nhint: choose another name with `--name`\n"
    )
    assert removed == Run(0, "mine: removed\n")
    assert file.exists()
    assert pulled.files() == []
    assert "mine" not in [one["name"] for one in pulled("models", "list", "--jsonl").lines]


def test_a_file_that_does_not_do_what_its_role_asks_is_not_added(person, tiny, tmp_path):
    words = tmp_path / "words.gguf"
    words.write_text("these are only words, and no model at all")

    random = person("models", "add", str(tiny), "--role", "reranker")
    judging = person("models", "add", str(words), "--role", "sifter")
    nothing = person("models", "add", "gone.gguf", "--role", "sifter")
    role = person("models", "add", str(tiny), "--role", "judge")
    unclear = person("models", "add", str(tiny), "--role", "embedder")
    sifter = person("models", "add", str(tiny), "--role", "sifter", "--name", "small", "--quiet")

    assert (random.code, '" / "' in random.err) == (7, True)
    assert (judging.code, nothing.code, role.code, unclear.code) == (7, 6, 2, 2)
    assert "it is not a GGUF file" in judging.err
    assert "name the known model it is like, with `--like`: bge-m3" in unclear.err
    assert sifter == Run(0)
    [added] = [one for one in person("models", "list", "--jsonl").lines if one["installed"]]
    assert (added["name"], added["state"], added["used_as"]) == ("small", "verified", ["sifter"])


def test_a_model_that_failed_its_verification_is_not_used(pulled):
    pulled.describes(manifest_text().replace("2.969", "-2.969"))

    verified = pulled("models", "verify")
    asked = pulled("ask", QUESTION)

    assert verified.code == 7
    assert verified.err.splitlines()[-1].startswith(
        'mem: tiny-reranker: "What is the capital of China?" / "The capital of China is Beijing.":'
    )
    assert asked == Run(
        7,
        err="mem: tiny-reranker is not used: it did not pass its verification\n"
        "hint: `mem models verify tiny-reranker` says why\n",
    )
    [model, *_] = pulled("models", "list", "--jsonl").lines
    assert model["state"] == "failed"


def test_the_settings_say_which_model_plays_which_role(pulled):
    config = pulled.mem.home / ".config" / "mem" / "config.toml"
    config.write_text('[models]\nreranker = "none"\nsifter = "http://127.0.0.1:1/v1#some"\n')
    without = pulled("ask", QUESTION, "--sifter", "none", "--json")
    lines = pulled("models", "list", "--jsonl").lines
    config.write_text('[models]\nreranker = "memreranker-4b"\n')
    missing = pulled("ask", QUESTION)
    named = pulled("ask", QUESTION, "--json", MEM_RERANKER="tiny-reranker")
    config.write_text("[modles]\n")
    misspelt = pulled("ask", QUESTION)

    assert [stage["name"] for stage in without.json["stages"]] == ["retrieve"]
    assert [(one["name"], one["used_as"]) for one in lines if one["used_as"]] == [
        ("http://127.0.0.1:1/v1#some", ["sifter"])
    ]
    assert missing.code == 6
    assert named.json["stages"][1]["model"] == "tiny-reranker-Q8_0"
    assert misspelt == Run(
        4, err=f"mem: {config}: unknown key `modles`\nhint: did you mean `models`\n"
    )


def test_the_set_for_this_machine_is_shown_and_asked_for(person):
    asked = person("models", "pull")

    assert (asked.code, asked.out) == (2, "")
    hint = "\nmem: not a terminal, so it cannot ask\nhint: add `--yes` to download "
    assert hint in asked.err
    assert " GB, a download of " in asked.err or " MB, a download of " in asked.err
    assert " of memory to run" in asked.err
    assert " of memory are free now" in asked.err
    assert not person.hub.log


def test_a_sifter_is_asked_in_its_authors_words_once_they_were_fetched(tmp_path, smollm):
    text = (
        'name = "tiny-sifter"\nlike = "memsifter-4b"\nrepository = "ann/sifter"\n'
        '[quantizations]\nQ8_0 = 0\n[artefact]\nurl = "{url}"\n'
    )
    theirs = b"texts:\n  user: |\n    {history}\n    Which of these says {current}?\n"
    with serving(
        {"ann/sifter": write_qwen3(tmp_path / "sifter"), "ann/words": {"w.yaml": theirs}}
    ) as hub:
        person = Person(tmp_path, hub)
        person.describes(text.format(url=f"{hub.url}/gone"), "tiny-sifter")
        refused = person("models", "pull", "tiny-sifter")
        person.mem.remembers(talk("China", f"me: {CARD.passages[0]}"))
        ours = person("ask", QUESTION, "--think", "4", "--json")
        person.describes(
            text.format(url=f"{hub.url}/ann/words/resolve/{hub.commit('ann/words')}/w.yaml"),
            "tiny-sifter",
        )
        fetched = person("models", "pull", "tiny-sifter", "--quiet")
        again = person("ask", QUESTION, "--think", "4", "--json")

    assert refused.code == 0
    assert "tiny-sifter gets memcli's prompt, not its authors'" in refused.err
    assert fetched == Run(0)
    assert "tiny-sifter.wording.yaml" in person.files()
    assert [stage["name"] for stage in again.json["stages"]][-1] == "sift"
    assert (ours.code, again.code) == (0, 0)
