"""Fetching in a process of its own: its environment, its end, its disk."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.fetching import FILES, WEIGHTS, fetched, partial
from huggingface_hub import constants

from memcli.errors import ExitCode, ModelNotFoundError

pytestmark = pytest.mark.slow

FETCH = """
import sys
from memcli.errors import MemError
from memcli.weights.hub.download import download_files
from memcli.weights.hub.listing import list_files
def tell(name, done, size): print(name, done, size, flush=True)
try:
    print(download_files(list_files("ann/tiny", "main"), sys.argv[1:], progress=tell))
except MemError as error:
    print(error, error.hint)
    sys.exit(error.exit_code)
"""


def process(hub, cache, *names, code=FETCH, **environment):
    """Start a process that fetches, in an environment of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.Popen(
        [sys.executable, "-c", code, *names],
        env={**kept, "HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(cache), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_process_is_gone_on_with(hub, cache, stop):
    hub.fail("GET /cdn", pause=0.01)
    first = process(hub, cache, "model.safetensors")
    for line in first.stdout:
        if int(line.split()[1]) > 20_000:
            break

    first.send_signal(stop)
    first.communicate()

    kept = partial(cache).stat().st_size
    second = process(hub, cache, "model.safetensors")
    out, err = second.communicate()
    assert (second.returncode, err) == (0, "")
    assert kept >= 20_000
    assert out.startswith(f"model.safetensors {kept} 300000")
    assert (Path(out.split()[-1]) / "model.safetensors").read_bytes() == WEIGHTS


def test_the_library_says_nothing_whatever_happens(hub, cache):
    hub.fail("GET /cdn", after=100_000)
    hub.fail("/api/models", status=503)
    loud = {"HF_HUB_DISABLE_PROGRESS_BARS": "0", "HF_HUB_VERBOSITY": "debug", "HF_DEBUG": "1"}
    loud |= {"HF_HUB_ENABLE_HF_TRANSFER": "1", "HF_HUB_DISABLE_TELEMETRY": "0"}

    ran = process(hub, cache, *FILES, **loud)
    out, err = ran.communicate()

    assert (ran.returncode, err) == (0, "")
    assert all(line.split()[0] in FILES for line in out.splitlines()[:-1])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HF_ENDPOINT", "http://[nonsense"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
        ("ALL_PROXY", "nonsense://127.0.0.1"),
    ],
)
def test_an_environment_of_no_sense_is_an_error_and_no_traceback(hub, cache, variable, value):
    ran = process(hub, cache, "config.json", **{variable: value})
    out, err = ran.communicate()

    assert (ran.returncode, err) == (ExitCode.MODEL_MISSING, "")
    assert out.startswith("huggingface-hub cannot start")


def test_offline_as_the_environment_says(hub, cache):
    ran = process(hub, cache, "config.json", HF_HUB_OFFLINE="1")
    out, err = ran.communicate()

    assert (ran.returncode, err, hub.log) == (ExitCode.MODEL_MISSING, "", [])
    assert out.startswith("ann/tiny at main is not on this machine")


LIMITED = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (150000,) * 2)\n{FETCH}"


def test_a_full_disk_is_named_and_what_is_there_is_gone_on_with(hub, cache):
    ran = process(hub, cache, "model.safetensors", code=LIMITED)
    out, err = ran.communicate()

    assert (ran.returncode, err) == (ExitCode.MODEL_MISSING, "")
    assert "the disk is full: only a part of model.safetensors of ann/tiny was saved" in out
    assert partial(cache).stat().st_size > 100_000
    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


def test_a_disk_that_fills_up_meanwhile_is_named(hub, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", small],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(small))
        monkeypatch.setattr("memcli.weights.hub.download.check_room", lambda folder, needed: None)

        with pytest.raises(ModelNotFoundError, match="the disk is full") as caught:
            fetched("model.safetensors")

        assert caught.value.__cause__.errno == errno.ENOSPC
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_cache_that_cannot_be_written_is_named(hub, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file"))

    with pytest.raises(ModelNotFoundError, match=r"cannot be saved in .*file"):
        fetched("config.json")


@pytest.mark.parametrize("token", ["hf_ü", "hf_a\tb"])
def test_a_token_of_no_sense_is_named_and_not_shown(hub, cache, token):
    ran = process(hub, cache, "config.json", HF_TOKEN=token)
    out, err = ran.communicate()

    assert (ran.returncode, err, hub.log) == (ExitCode.MODEL_MISSING, "", [])
    assert "HF_TOKEN" in out
    assert "hf_" not in out
