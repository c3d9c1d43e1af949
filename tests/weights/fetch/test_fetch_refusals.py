"""What a hub can answer, or not."""

import json
import time

import pytest
from helpers.fetching import REPOSITORY, WEIGHTS, address, fetched
from huggingface_hub import constants

from memcli.errors import ModelNotFoundError
from memcli.weights.hub import hub_client
from memcli.weights.hub.listing import list_files


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(hub, status):
    hub.fail("/api/models", status=status, times=2)
    hub.fail("/resolve/", status=status, times=2)

    assert fetched("model.safetensors") == {"model.safetensors": WEIGHTS}


def test_a_hub_that_says_when_to_come_back_is_waited_for(hub):
    hub.fail("/api/models", status=429, headers={"Retry-After": "1"})
    started = time.monotonic()

    list_files(REPOSITORY, "main")

    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("where", ["/api/models", "/resolve/"])
def test_a_broken_hub_is_given_up(hub, where):
    hub.fail(where, status=503, times=float("inf"))

    with pytest.raises(ModelNotFoundError, match="answers 503") as caught:
        fetched("model.safetensors")

    assert "run this again" in caught.value.hint
    assert len(hub.asked(where)) == 1 + len(hub_client.PAUSES)


@pytest.mark.parametrize("where", ["/api/models", "/resolve/"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_names_its_page_and_the_login(hub, where, status):
    hub.fail(where, status=status, code="GatedRepo")

    with pytest.raises(ModelNotFoundError, match="ann/tiny is only for users") as caught:
        fetched("model.safetensors")

    assert f"{hub.url}/ann/tiny" in caught.value.hint
    assert "`hf auth login`" in caught.value.hint


@pytest.mark.parametrize("status", [401, 403])
def test_a_private_repository_names_the_login(hub, status):
    hub.fail("/api/models", status=status)

    with pytest.raises(ModelNotFoundError) as caught:
        list_files(REPOSITORY, "main")

    assert "`hf auth login`" in caught.value.hint


@pytest.mark.parametrize(
    ("repository", "revision", "message"),
    [
        ("ann/other", "main", "ann/other"),
        ("ann/tiny", "v9", "the hub has no ann/tiny at v9"),
        ("ann/ti ny", "main", "not a repository name"),
    ],
)
def test_what_the_hub_does_not_have_is_named(hub, repository, revision, message):
    with pytest.raises(ModelNotFoundError, match=message):
        list_files(repository, revision)


def test_a_file_the_repository_does_not_have_is_named(hub):
    with pytest.raises(ModelNotFoundError, match=r"ann/tiny has no model\.gguf at commit"):
        fetched("model.gguf")


def test_a_file_that_is_gone_from_the_hub_is_named(hub):
    hub.fail("/resolve/", status=404, code="EntryNotFound")

    with pytest.raises(ModelNotFoundError, match=r"the hub has no model\.safetensors of ann/tiny"):
        fetched("model.safetensors")


def test_a_hub_that_is_not_there_is_named_at_once(monkeypatch):
    address(monkeypatch, "http://127.0.0.1:9")

    with pytest.raises(ModelNotFoundError, match=r"http://127\.0\.0\.1:9 cannot be reached: "):
        list_files(REPOSITORY, "main")


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:99999999", "ftp://127.0.0.1"])
def test_an_address_of_no_sense_is_named(monkeypatch, url):
    address(monkeypatch, url)

    with pytest.raises(ModelNotFoundError, match=url):
        list_files(REPOSITORY, "main")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Log in to the hotel's network</html>",
        b"[]",
        b"{}",
        b'{"id": "ann/tiny", "sha": "../../x", "siblings": []}',
        b'{"id": "ann/tiny", "sha": null, "siblings": null}',
        b'{"id": "a/b", "sha": "%b", "siblings": [{"rfilename": "a"}]}' % (b"a" * 40),
    ],
)
def test_what_is_no_hub_is_told_from_one(hub, body, monkeypatch):
    hub.fail("/api/models", body=body)

    with pytest.raises(ModelNotFoundError, match="does not answer like a model hub"):
        list_files(REPOSITORY, "main")


@pytest.mark.parametrize("name", ["../../.profile", "/etc/passwd", "a/../../b", "", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(hub, name):
    entry = {"rfilename": name, "size": 1, "blobId": "0" * 40}
    listing = {"id": "ann/tiny", "sha": "0" * 40, "siblings": [entry]}
    hub.fail("/api/models", body=json.dumps(listing).encode())

    with pytest.raises(ModelNotFoundError, match="does not answer like a model hub"):
        list_files(REPOSITORY, "main")


def test_a_silent_hub_is_given_up(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.fail("GET", body=bytes(5000), pause=1, times=float("inf"))

    with pytest.raises(ModelNotFoundError, match="timed out"):
        list_files(REPOSITORY, "main")
