"""Pulling, step by step: killed at each of them, and with two who pull at once."""

import json
import multiprocessing
import os
import signal
import subprocess
from dataclasses import replace

import pytest
from helpers.hub import serving
from helpers.random_models import save_qwen3
from helpers.taught_models import CARD, NOWHERE, manifest_text, write_reranker
from huggingface_hub import constants

from memcli.catalog import Catalog, PublishedFile, ReferenceRanking
from memcli.errors import BackendError, BusyError, MemError, ModelNotFoundError, UsageError
from memcli.weights.pull import PullOptions, lock_model, pull_checkpoint, pull_gguf
from memcli.weights.recommend import ModelChoice, choose_quantization, recommend_models
from memcli.weights.record import read_record, record_path

pytestmark = pytest.mark.slow

STEPS = ("safetensors", "convert", "quantize", "checksum")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return write_reranker(tmp_path_factory.mktemp("repository") / "taught")


@pytest.fixture
def hub(repository, monkeypatch, tmp_path):
    """A hub on this machine, an empty cache, nobody logged in, no waiting between attempts."""
    with serving({"ann/reranker": repository}) as hub:
        for name, value in {
            "ENDPOINT": hub.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_TOKEN_PATH": str(tmp_path / "token"),
            "HF_STORED_TOKENS_PATH": str(tmp_path / "tokens"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_TELEMETRY": True,
            "HF_HUB_DISABLE_XET": True,
        }.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setattr("memcli.weights.hub.hub_client.PAUSES", (0.0, 0.0, 0.0))
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield hub


@pytest.fixture
def tiny_manifest(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "tiny.toml").write_text(manifest_text())
    return Catalog(NOWHERE, own).manifests["tiny-reranker"]


class StepRecorder:
    """Records the steps of a pull, and can end the process at one of them."""

    def __init__(self, die_at=None, fail_at=None):
        self.steps, self.die_at, self.fail_at = [], die_at, fail_at

    def __call__(self, what, done, of):
        if what not in self.steps:
            self.steps.append(what)
        if self.die_at and self.die_at in what:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_at(step, manifest, folder):
    """Pull in a process that kills itself when it comes to a step."""
    fork = multiprocessing.get_context("fork")
    process = fork.Process(
        target=pull_gguf, args=(manifest, "Q8_0", PullOptions(folder, StepRecorder(step)))
    )
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.parametrize("step", STEPS)
def test_a_pull_killed_at_any_step_is_finished_by_the_next(step, hub, tiny_manifest, tmp_path):
    folder = tmp_path / "models"

    assert killed_at(step, tiny_manifest, folder) == -signal.SIGKILL
    assert not list(folder.glob("*.gguf"))
    done = pull_gguf(tiny_manifest, "Q8_0", PullOptions(folder, StepRecorder()))

    assert done.record.verdict.passed
    assert [path.name for path in folder.glob("*.gguf")] == ["tiny-reranker-Q8_0.gguf"]
    assert [path.name for path in (folder / ".work").iterdir()] == ["tiny-reranker.lock"]


def test_steps_that_were_done_are_not_repeated(hub, tiny_manifest, tmp_path):
    folder = tmp_path / "models"
    recorder = StepRecorder()

    killed_at("quantize", tiny_manifest, folder)
    pull_gguf(tiny_manifest, "Q8_0", PullOptions(folder, recorder))
    again = StepRecorder()
    finished = pull_gguf(tiny_manifest, "Q8_0", PullOptions(folder, again))

    assert not [step for step in recorder.steps if "safetensors" in step or "convert" in step]
    assert (finished.was_installed, again.steps) == (True, [])


def test_the_f16_file_can_be_kept_and_is_a_model_of_its_own(hub, tiny_manifest, tmp_path):
    folder = tmp_path / "models"

    pull_gguf(tiny_manifest, "Q8_0", PullOptions(folder, StepRecorder()), keep_f16=True)
    recorder = StepRecorder()
    pull_gguf(tiny_manifest, "Q6_K", PullOptions(folder, recorder))

    names = {path.name for path in folder.glob("*.gguf")}
    assert names == {f"tiny-reranker-{kind}.gguf" for kind in ("F16", "Q8_0", "Q6_K")}
    assert not [step for step in recorder.steps if "convert" in step]


def test_weights_as_published_are_linked_for_torch(hub, tmp_path, tiny_manifest):
    pytest.importorskip("torch", reason="the torch backend is an extra")
    pytest.importorskip("transformers", reason="the torch backend is an extra")
    save_qwen3(tmp_path / "saved")
    from memcli.backends.torch_bf16 import open_reranker

    prompt = tiny_manifest.rerank_prompt()
    judged = open_reranker(tmp_path / "saved", prompt).judge(CARD.question, CARD.passages)
    order = [CARD.passages[index] for index, _ in sorted(judged, key=lambda one: -one[1])]
    files = {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    hub.repositories["ann/saved"] = files
    options = PullOptions(tmp_path / "models", StepRecorder())
    manifest = replace(
        tiny_manifest,
        repository="ann/saved",
        checks=(ReferenceRanking(CARD.question, tuple(order)),),
    )

    done = pull_checkpoint(manifest, options)
    again = pull_checkpoint(manifest, options)

    assert done.weights.path == tmp_path / "models" / "tiny-reranker-torch"
    assert done.weights.path.resolve().is_relative_to(tmp_path / "cache")
    assert len(done.record.verdict.facts) == 3
    assert (done.weights.is_torch, done.record.verdict.passed, again.was_installed) == (
        True,
        True,
        True,
    )


def test_the_record_says_where_the_weights_come_from(hub, tiny_manifest, tmp_path):
    done = pull_gguf(tiny_manifest, "Q8_0", PullOptions(tmp_path / "models", StepRecorder()))

    record = read_record(record_path(done.weights.path))
    assert record == done.record
    assert (record.repository, record.commit) == ("ann/reranker", hub.commit("ann/reranker"))
    assert record.matches(done.weights.path)
    assert len(record.sha256) == 64
    assert len(record.verdict.facts) == 3


def test_a_reranker_whose_manifest_checks_nothing_is_run_all_the_same(hub, tiny_manifest, tmp_path):
    unchecked = replace(tiny_manifest, checks=())

    done = pull_gguf(unchecked, "Q8_0", PullOptions(tmp_path / "models", StepRecorder()))

    assert len(done.record.verdict.facts) == 2


def test_two_do_not_pull_the_same_model_at_once(hub, tiny_manifest, tmp_path):
    options = PullOptions(tmp_path / "models", StepRecorder())

    with (
        lock_model(tiny_manifest, options),
        pytest.raises(BusyError, match="is pulling tiny-reranker"),
    ):
        pull_gguf(tiny_manifest, "Q8_0", options)


def test_a_published_file_is_taken_if_its_checksum_is_the_manifests(
    hub, tiny_manifest, tmp_path, repository
):
    made = pull_gguf(tiny_manifest, "Q8_0", PullOptions(tmp_path / "first", StepRecorder()))
    hub.repositories["ann/files"] = {"tiny.gguf": made.weights.path.read_bytes()}
    published = PublishedFile("ann/files", "main", "tiny.gguf", made.record.sha256)
    recorder = StepRecorder()

    taken = pull_gguf(
        replace(tiny_manifest, gguf={"Q8_0": published}),
        "Q8_0",
        PullOptions(tmp_path / "second", recorder),
    )
    wrong = replace(tiny_manifest, gguf={"Q8_0": replace(published, sha256="0" * 64)})

    assert taken.weights.path.read_bytes() == made.weights.path.read_bytes()
    assert (taken.record.repository, taken.record.sha256) == ("ann/files", made.record.sha256)
    assert not [step for step in recorder.steps if "convert" in step]
    with pytest.raises(ModelNotFoundError, match=f"and tiny-reranker should have {'0' * 64}"):
        pull_gguf(wrong, "Q8_0", PullOptions(tmp_path / "third", StepRecorder()))


def test_what_cannot_be_pulled_is_named(hub, tiny_manifest, tmp_path):
    options = PullOptions(tmp_path / "models", StepRecorder())
    hub.repositories["ann/words"] = {"config.json": b"{}", "README.md": b"words"}

    with pytest.raises(UsageError, match="`Q9` is not a quantization"):
        pull_gguf(tiny_manifest, "Q9", options)
    with pytest.raises(ModelNotFoundError, match="published in no form"):
        pull_gguf(replace(tiny_manifest, repository=""), "Q8_0", options)
    with pytest.raises(ModelNotFoundError, match="ann/words has no safetensors"):
        pull_gguf(replace(tiny_manifest, repository="ann/words"), "Q8_0", options)
    with pytest.raises(ModelNotFoundError, match="ann/gone"):
        pull_gguf(replace(tiny_manifest, repository="ann/gone"), "Q8_0", options)


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    hub, tiny_manifest, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "memcli.weights.hub.download.shutil.disk_usage",
        lambda _place: type("Usage", (), {"free": 1000}),
    )

    with pytest.raises(ModelNotFoundError, match=r"5\.2 MB are needed in "):
        pull_gguf(tiny_manifest, "Q8_0", PullOptions(tmp_path / "models", StepRecorder()))

    assert not hub.asked("GET /ann/reranker/resolve")


# What repositories of this kind have besides: nothing of it is needed, and some of it is large.
OTHER_FILES = (
    *(".gitattributes", "README.md", "LICENSE", "figures/overview.png", "trainer_state.json"),
    *("training_args.bin", "optimizer.pt", "global_step100/mp_rank_00_model_states.pt"),
    *("onnx/model.onnx", "config_sentence_transformers.json", "1_LogitScore/config.json"),
    *("original/consolidated.safetensors", "rng_state_0.pth", "scheduler.pt"),
)
TOKENIZER_FILES = ("vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json")
TWO_SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def published_files(repository):
    """Return the files of a checkpoint as its authors publish them: shards, an index, the rest."""
    files = {path.name: path.read_bytes() for path in repository.iterdir()}
    whole = files.pop("model.safetensors")
    start = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:start])
    header.pop("__metadata__", None)
    place_of = {name: TWO_SHARDS[at % 2] for at, name in enumerate(sorted(header))}
    for shard in TWO_SHARDS:
        table, data = {"__metadata__": {"format": "pt"}}, b""
        for name in (name for name, place in place_of.items() if place == shard):
            first, end = (start + offset for offset in header[name]["data_offsets"])
            offsets = [len(data), len(data) + end - first]
            table[name] = {**header[name], "data_offsets": offsets}
            data += whole[first:end]
        encoded = json.dumps(table).encode()
        files[shard] = len(encoded).to_bytes(8, "little") + encoded + data
    index = {"metadata": {"total_size": len(whole) - start}, "weight_map": place_of}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    files["generation_config.json"] = b'{"do_sample": true, "temperature": 0.6, "top_p": 0.95}'
    files |= dict.fromkeys(TOKENIZER_FILES, b"{}")
    files["modules.json"] = b'[{"idx": 1, "path": "1_LogitScore", "type": "LogitScore"}]'
    files["chat_template.jinja"] = json.loads(files["tokenizer_config.json"])[
        "chat_template"
    ].encode()
    return files | dict.fromkeys(OTHER_FILES, b"not needed")


@pytest.mark.parametrize(
    "name", ["memreranker-4b", "qwen3-reranker-0.6b", "memsifter-4b", "memreader-4b"]
)
def test_a_repository_of_the_true_shape_is_pulled_at_its_pinned_commit(
    name, hub, repository, tiny_manifest, tmp_path
):
    """The files and the names are those of the real repository, the numbers are ours."""
    known = Catalog(NOWHERE, NOWHERE).manifests[name]
    hub.repositories[known.repository] = published_files(repository)
    commit = hub.commit(known.repository)
    manifest = replace(
        tiny_manifest, repository=known.repository, files=known.files, revision=commit
    )

    done = pull_gguf(manifest, "Q8_0", PullOptions(tmp_path / "models", StepRecorder()))

    assert done.record.verdict.passed
    assert (done.record.repository, done.record.commit) == (known.repository, commit)
    fetched = {one.path.rpartition("/")[2] for one in hub.log if "/resolve/" in one.path}
    assert {*TWO_SHARDS, "model.safetensors.index.json", "tokenizer.json"} <= fetched
    assert not fetched & {other.rpartition("/")[2] for other in OTHER_FILES} - {"config.json"}
    assert all(f"/resolve/{commit}/" in one.path for one in hub.log if "/resolve/" in one.path)


def test_the_commit_that_is_known_is_pinned():
    """Of the language models' repositories only this one's commit is known to us."""
    assert Catalog(NOWHERE, NOWHERE).manifests["memreranker-4b"].revision == (
        "22890bb4adff85b83b2181ed91e940ffb5a4ec45"
    )


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, and a function that changes its size in KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def resize(kibibytes, *more):
        size = f"{','.join(more)}size={kibibytes}k"
        mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder]
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0

    if not resize(1024):
        pytest.skip("a small disk can be mounted by root alone")
    yield folder, lambda kibibytes: resize(kibibytes, "remount,")
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("kibibytes", [4, 64, 2000, 3800, 4200])
def test_a_disk_that_fills_up_at_any_step_is_named_and_a_larger_one_goes_on(
    hub, tiny_manifest, small_disk, monkeypatch, kibibytes
):
    """Nobody knows beforehand that it will be full: other programs write, too."""
    folder, resize = small_disk
    monkeypatch.setattr("memcli.weights.pull.check_room", lambda _folder, _needed: None)
    assert resize(kibibytes)

    with pytest.raises(MemError) as raised:
        pull_gguf(tiny_manifest, "Q8_0", PullOptions(folder / "models", StepRecorder()))

    told = f"{raised.value} {raised.value.hint}"
    assert "full" in told or "df -h" in told or "No space" in told, told
    assert not list(folder.glob("models/*.gguf"))
    assert resize(64_000)
    done = pull_gguf(tiny_manifest, "Q8_0", PullOptions(folder / "models", StepRecorder()))
    assert done.record.verdict.passed


def test_a_model_of_another_shape_is_refused_before_it_runs(hub, tiny_manifest, tmp_path):
    other = replace(tiny_manifest, expected_header=replace(tiny_manifest.expected_header, blocks=3))

    with pytest.raises(BackendError, match="its number of blocks is 2, not 3"):
        pull_gguf(other, "Q8_0", PullOptions(tmp_path / "models", StepRecorder()))


@pytest.mark.parametrize(
    ("gibibytes", "room", "chosen"),
    [
        (4, 100, ["qwen3-reranker-0.6b Q8_0"]),
        (8, 100, ["qwen3-reranker-0.6b Q8_0", "memsifter-4b Q4_K_M", "memreader-4b Q4_K_M"]),
        (7.7, 100, ["qwen3-reranker-0.6b Q8_0", "memsifter-4b Q4_K_M", "memreader-4b Q4_K_M"]),
        (7, 100, ["qwen3-reranker-0.6b Q8_0"]),
        (16, 100, ["memreranker-4b Q4_K_M", "memsifter-4b Q4_K_M", "memreader-4b Q4_K_M"]),
        (32, 100, ["memreranker-4b Q8_0", "memsifter-4b Q8_0", "memreader-4b Q8_0"]),
        (16, 25, ["memreranker-4b Q4_K_M"]),
        (16, 5, ["qwen3-reranker-0.6b Q8_0"]),
        (16, 1, []),
    ],
)
def test_the_set_that_suits_a_machine_fits_its_memory_and_its_disk(gibibytes, room, chosen):
    ours = Catalog(NOWHERE, NOWHERE).manifests.values()

    found = recommend_models(ours, gibibytes, room * 10**9)

    assert [f"{one.manifest.name} {one.quantization}" for one in found] == chosen


def test_a_model_that_is_named_is_had_in_its_smallest_form_where_memory_is_short():
    ours = Catalog(NOWHERE, NOWHERE).manifests

    assert choose_quantization(ours["memsifter-4b"], 2) == ModelChoice(
        ours["memsifter-4b"], "Q4_K_M"
    )
