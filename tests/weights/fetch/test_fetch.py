"""Through the real huggingface-hub, against a hub on loopback."""

import errno
import hashlib
from pathlib import Path

import huggingface_hub
import pytest
from helpers.fetching import CONFIG, FILES, REPOSITORY, WEIGHTS, WHOLE, Seen, fetched, partial
from helpers.hub import sum_of
from huggingface_hub import constants

from memcli.errors import BusyError, ExitCode, ModelNotFoundError
from memcli.weights.hub import hub_client
from memcli.weights.hub.download import check_room, sha256
from memcli.weights.hub.listing import HubFile, Listing, list_files


def test_a_listing_has_sizes_and_sums(hub):
    listing = list_files(REPOSITORY, "main")

    assert listing == Listing(
        REPOSITORY,
        hub.commit(REPOSITORY),
        (
            HubFile("config.json", len(CONFIG), git_id=sum_of("config.json", CONFIG)),
            HubFile("model.safetensors", 300_000, sha256=hashlib.sha256(WEIGHTS).hexdigest()),
            HubFile("onnx/model.bin", 4, sha256=hashlib.sha256(b"onnx").hexdigest()),
        ),
    )


def test_files_arrive_where_other_programs_look_for_them(hub, cache):
    assert fetched(*FILES) == FILES

    monkey = {"repo_id": REPOSITORY, "revision": hub.commit(REPOSITORY), "cache_dir": cache}
    for name in FILES:
        found = huggingface_hub.hf_hub_download(filename=name, local_files_only=True, **monkey)
        assert Path(found).read_bytes() == FILES[name]
    kept = huggingface_hub.scan_cache_dir(cache)
    assert (kept.warnings, [repo.nb_files for repo in kept.repos]) == ([], [3])


def test_what_another_program_fetched_is_not_fetched_again(hub, cache):
    for name in WHOLE:
        huggingface_hub.hf_hub_download(REPOSITORY, name, cache_dir=cache)
    hub.log.clear()

    assert fetched(*WHOLE) == WHOLE
    assert [request.path.partition("?")[0] for request in hub.log] == [
        f"/api/models/{REPOSITORY}/revision/main"
    ]


def test_files_go_to_a_folder_of_ones_own(hub, cache, tmp_path):
    assert fetched(*FILES, folder=tmp_path / "own") == FILES

    files = [path for path in (tmp_path / "own").rglob("*") if path.is_file()]
    assert (len(files), list(cache.rglob("blobs"))) == (3, [])


def test_progress_counts_bytes(hub):
    seen = Seen()

    fetched("model.safetensors", progress=seen)

    assert seen.of("model.safetensors") == sorted(set(seen.of("model.safetensors")))
    assert seen.calls[-1] == ("model.safetensors", 300_000, 300_000)
    assert len(seen.calls) > 3


def test_a_broken_connection_is_gone_on_with(hub):
    hub.fail("GET /cdn", after=100_000, times=2)

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}
    ranges = [request.headers.get("range") for request in hub.asked("GET /cdn")]
    assert ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_a_connection_that_breaks_without_a_byte_is_given_up(hub, cache):
    hub.fail("GET /cdn", after=100_000)
    hub.fail("GET /cdn", after=0, times=float("inf"))

    with pytest.raises(ModelNotFoundError, match="cannot be reached") as caught:
        fetched("model.safetensors")

    assert "continues where it stopped" in caught.value.hint
    assert len(hub.asked("GET /cdn")) == 1 + 1 + len(hub_client.PAUSES)
    assert partial(cache).stat().st_size == 100_000


def test_the_next_run_goes_on_where_the_last_one_stopped(hub, cache):
    hub.fail("GET /cdn", after=100_000)
    hub.fail("GET /cdn", after=0, times=4)
    with pytest.raises(ModelNotFoundError):
        fetched("model.safetensors")
    hub.log.clear()
    seen = Seen()

    assert fetched("model.safetensors", progress=seen) == {"model.safetensors": WEIGHTS}

    assert [each.headers["range"] for each in hub.asked("GET /cdn")] == ["bytes=100000-"]
    assert seen.calls[0] == ("model.safetensors", 100_000, 300_000)
    assert list(cache.rglob("*.incomplete")) == []


def test_a_hub_without_ranges_begins_again(hub):
    hub.fail("GET /cdn", after=100_000)
    hub.fail("GET /cdn", ranges=False)

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


def test_a_partial_file_that_is_too_long_begins_again(hub, cache):
    hub.fail("GET /cdn", after=100_000)
    hub.fail("GET /cdn", after=0, times=4)
    with pytest.raises(ModelNotFoundError):
        fetched("model.safetensors")
    partial(cache).write_bytes(bytes(400_000))

    with pytest.raises(ModelNotFoundError, match="400,000 bytes"):
        fetched("model.safetensors")

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


@pytest.mark.parametrize("name", WHOLE)
def test_wrong_bytes_are_removed_and_named_with_both_sums(hub, cache, name):
    wrong = bytes(len(FILES[name]))
    hub.fail("GET /cdn" if name == "model.safetensors" else f"/{name}", body=wrong)

    with pytest.raises(ModelNotFoundError) as caught:
        fetched(name)

    message = str(caught.value)
    assert caught.value.exit_code == ExitCode.MODEL_MISSING
    assert all(part in message for part in (name, sum_of(name, wrong), sum_of(name, FILES[name])))
    assert [path for path in (cache / "models--ann--tiny").rglob("*") if path.is_file()] == []
    assert fetched(name) == {name: FILES[name]}


def test_more_bytes_than_announced_are_not_taken_for_ever(hub):
    hub.fail("GET /cdn", body=WEIGHTS + bytes(50_000_000))
    seen = Seen()

    with pytest.raises(ModelNotFoundError, match="was removed"):
        fetched("model.safetensors", progress=seen)

    assert max(seen.of("model.safetensors")) < 2_000_000


def test_a_file_damaged_in_the_cache_is_found_and_fetched_anew(hub, cache):
    fetched("model.safetensors")
    [blob] = (cache / "models--ann--tiny" / "blobs").iterdir()
    blob.write_bytes(WEIGHTS[:-1] + b"?")

    with pytest.raises(ModelNotFoundError, match="differs from the hub"):
        fetched("model.safetensors")

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


def test_a_slow_hub_is_waited_for(hub):
    hub.fail("GET /cdn", pause=0.0005)

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


def test_without_room_nothing_is_written(hub, cache, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: Room)

    with pytest.raises(ModelNotFoundError, match=r"0\.3 MB are needed in .*, and 0\.1 MB are free"):
        fetched("model.safetensors")

    assert not cache.exists()


class Room:
    free = 100_000


def test_what_is_there_needs_no_room(hub, monkeypatch):
    fetched("model.safetensors")
    monkeypatch.setattr("shutil.disk_usage", lambda path: Room)

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


def test_room_is_looked_for_where_a_folder_will_be(tmp_path):
    check_room(tmp_path / "not" / "there", 1)

    with pytest.raises(ModelNotFoundError, match="are needed"):
        check_room(tmp_path / "not" / "there", 2**62)


def test_two_processes_do_not_write_the_same_file(hub, cache):
    lock = cache / ".locks" / "models--ann--tiny" / f"{sum_of('a.bin', WEIGHTS)}.lock"
    lock.parent.mkdir(parents=True)

    with huggingface_hub.utils.WeakFileLock(lock), pytest.raises(BusyError) as caught:
        fetched("model.safetensors")

    assert caught.value.exit_code == ExitCode.BUSY


def test_the_token_goes_to_the_hub_and_no_further(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    fetched("model.safetensors")

    [cdn] = hub.asked("GET /cdn")
    asked = [each.headers.get("authorization") for each in hub.log if each is not cdn]
    assert asked == ["Bearer hf_secret"] * 2
    assert "authorization" not in cdn.headers


def test_the_hub_learns_nothing_about_the_machine(hub):
    fetched(*FILES)

    agents = {request.headers["user-agent"] for request in hub.log}
    assert [agent.partition("/")[0] for agent in agents] == ["memcli"]
    assert not any("authorization" in request.headers for request in hub.log)


def test_xet_is_never_asked(hub):
    fetched("model.safetensors")

    assert [each.path.split("/")[1] for each in hub.log] == ["api", "ann", "cdn"]


def test_offline_the_cache_is_listed(hub, monkeypatch):
    online = list_files(REPOSITORY, "main")
    fetched(*WHOLE)
    hub.log.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    for revision in ("main", online.commit):
        listing = list_files(REPOSITORY, revision)

        kept = {file for file in online.files if file.name in WHOLE}
        assert (listing.commit, set(listing.files)) == (online.commit, kept)
    assert fetched(*WHOLE) == WHOLE
    assert hub.log == []


def test_offline_a_file_that_is_not_there_is_named(hub, monkeypatch):
    fetched("config.json")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(ModelNotFoundError, match=r"has no model\.safetensors in the cache"):
        fetched("model.safetensors")


@pytest.mark.parametrize("revision", ["main", "f" * 40])
def test_offline_a_repository_that_is_not_there_is_named(monkeypatch, revision):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(ModelNotFoundError, match="not on this machine") as caught:
        list_files(REPOSITORY, revision)

    assert "unset HF_HUB_OFFLINE" in caught.value.hint


def test_a_sum_is_that_of_the_file(tmp_path):
    (tmp_path / "a").write_bytes(WEIGHTS)
    seen = Seen()

    assert sha256(tmp_path / "a", seen) == hashlib.sha256(WEIGHTS).hexdigest()
    assert seen.calls == [("a", 300_000, 300_000)]


def test_a_file_that_cannot_be_read_has_no_sum(tmp_path):
    with pytest.raises(ModelNotFoundError, match="cannot be read"):
        sha256(tmp_path / "a")


def test_what_is_in_a_cache_that_cannot_be_written_is_used(hub, cache, monkeypatch):
    fetched(*WHOLE)

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    for write in ("mkdir", "replace", "unlink", "symlink_to", "touch"):
        monkeypatch.setattr(Path, write, refuse)

    assert fetched(*WHOLE) == WHOLE


def test_a_repository_that_moved_is_found_where_it_is_now(hub):
    hub.fail(
        "GET /ann/tiny/resolve",
        status=307,
        headers={"Location": "/cdn/" + sum_of("a.bin", WEIGHTS)},
    )

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}
