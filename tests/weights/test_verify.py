"""Header and tensors of a GGUF file, what is kept of it, and the authors' wording."""

from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import gguf
import numpy as np
import pytest
from helpers.tiny_models import write_tiny_qwen3
from hypothesis import given
from hypothesis import strategies as st

from memcli.errors import BackendError, MemError
from memcli.weights.gguf_header import find_faults, read_header
from memcli.weights.hub.prompt_wording import authors_wording, fetch_wording, remove_wording
from memcli.weights.record import (
    Verdict,
    WeightsRecord,
    describe_file,
    read_record,
    record_path,
    verification_state,
    write_record,
)

PASSED = Verdict(True, "2026-01-02T03:04:05+00:00", (), ("p(yes) 0.9",))


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    return read_header(write_tiny_qwen3(tmp_path_factory.mktemp("tiny") / "tiny.gguf"))


def test_a_whole_model_has_no_fault(contents):
    assert not find_faults(
        contents,
        architecture="qwen3",
        blocks=2,
        dimensions=64,
        tied=False,
        special=("<think>", "<|im_end|>"),
        template=True,
    )


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"architecture": "bert"}, "its architecture is qwen3, not bert"),
        ({"blocks": 36}, "its number of blocks is 2, not 36"),
        ({"dimensions": 2560}, "its width is 64, not 2560"),
        ({"tied": True}, "it has an output matrix of its own"),
        ({"special": ("<gone>",)}, "its vocabulary has no <gone>"),
    ],
)
def test_what_is_not_as_the_manifest_has_it_is_named(contents, expected, message):
    assert find_faults(contents, **expected) == [message]


def test_a_model_without_a_chat_template_cannot_be_talked_to(tmp_path):
    plain = read_header(write_tiny_qwen3(tmp_path / "plain.gguf", template=None))

    assert find_faults(plain, template=True) == ["it has no chat template"]
    assert not find_faults(plain)


def rewritten(source, target, change):
    """Write a GGUF file again with other tensors; `change` turns name and numbers to either."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, "qwen3")
    writer.add_block_count(2)
    writer.add_embedding_length(64)
    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    writer.add_token_list(tokens)
    for tensor in reader.tensors:
        changed = change(tensor.name, np.array(tensor.data))
        if changed:
            writer.add_tensor(*changed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda name, data: None if name == "blk.1.attn_k_norm.weight" else (name, data),
            "tensors are missing: blk.1.attn_k_norm.weight",
        ),
        (
            lambda name, data: None if name.startswith("blk.1.") else (name, data),
            "tensors are missing: blk.1.attn_k.weight, blk.1.attn_k_norm.weight,"
            " blk.1.attn_norm.weight and 8 more",
        ),
        (
            lambda name, data: None if name == "output_norm.weight" else (name, data),
            "tensors are missing: output_norm.weight",
        ),
        (
            lambda name, data: (name, data[:-1] if name == "blk.1.ffn_up.weight" else data),
            "blk.1.ffn_up.weight is 64x127, that of block 0 64x128",
        ),
        (
            lambda name, data: (name, data[:-1] if name == "token_embd.weight" else data),
            "token_embd.weight is 64x",
        ),
    ],
)
def test_a_tensor_that_is_missing_or_of_another_shape_is_named(tmp_path, change, message):
    whole = write_tiny_qwen3(tmp_path / "whole.gguf")

    [fault] = find_faults(read_header(rewritten(whole, tmp_path / "other.gguf", change)))

    assert fault.startswith(message)


@given(place=st.integers(0, 4000), byte=st.integers(0, 255))
def test_no_damage_to_a_header_ends_in_anything_but_an_error_of_ours(tmp_path_factory, place, byte):
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    whole = folder / "whole.gguf"
    if not whole.exists():
        write_tiny_qwen3(whole, layers=1)
    content = bytearray(whole.read_bytes())
    content[place] = byte
    (folder / "damaged.gguf").write_bytes(content)

    with suppress(MemError):
        find_faults(read_header(folder / "damaged.gguf"), architecture="qwen3")


def test_a_count_of_blocks_beyond_all_sense_is_not_counted_up_to(contents):
    [fault] = find_faults(replace(contents, blocks=2**32 - 1))

    assert fault.startswith("tensors are missing: blk.2.attn_k.weight")


def test_a_record_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "mine-Q8_0.gguf"
    path.write_bytes(b"weights")
    record = describe_file(
        WeightsRecord("mine", "Q8_0", "ann/mine", "c0ffee"), path, sha256="5a", digest="d1"
    )

    write_record(record, record_path(path))

    assert record_path(path) == tmp_path / "mine-Q8_0.json"
    assert read_record(record_path(path)) == record
    assert record.matches(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"name": 3}', "{", "\0"])
def test_a_record_that_cannot_be_read_is_no_record(tmp_path, content):
    (tmp_path / "mine.json").write_text(content)

    assert read_record(tmp_path / "mine.json") is None


def test_weights_are_verified_until_they_change(tmp_path):
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"weights")
    known = describe_file(WeightsRecord("mine", ""), path, sha256="5a", digest="d1")
    passed = WeightsRecord(
        **{name: getattr(known, name) for name in WeightsRecord.__slots__[:-1]}, verdict=PASSED
    )

    assert verification_state(path, None, lambda: "d1") == "unverified"
    assert verification_state(path, known, lambda: "d1") == "unverified"
    assert verification_state(path, passed, lambda: "d1") == "verified"
    assert verification_state(path, passed, lambda: "d2") == "changed"
    path.write_bytes(b"Weights")
    assert verification_state(path, passed, lambda: "d1") == "changed"


YAML = """\
version: "1"
texts:
  system: |
    You rank.

  user: |
    Past:
    {history}
    Now:
      {current}

    Rank "them": all.
"""


@pytest.fixture
def site():
    """A site on this machine with one file."""

    class Answer(BaseHTTPRequestHandler):
        content = YAML.encode()

        def do_GET(self):  # http.server calls it
            found = self.path == "/prompt.yaml"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(self.content if found else b"")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.answer, server.url = Answer, f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def online(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def test_the_authors_wording_is_fetched_once_and_used_until_it_is_removed(tmp_path, site):
    fetch_wording(f"{site.url}/prompt.yaml", tmp_path, "sifter")
    fetch_wording("http://127.0.0.1:1/gone", tmp_path, "sifter")

    wording = 'Past:\n{history}\nNow:\n  {current}\n\nRank "them": all.\n'
    assert authors_wording(tmp_path, "sifter") == wording
    remove_wording(tmp_path, "sifter")
    assert authors_wording(tmp_path, "sifter") is None


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("gone.yaml", "", "cannot be fetched: "),
        ("prompt.yaml", "<html>", "holds no text with {history} and {current}"),
        ("prompt.yaml", YAML.replace("{current}", "{history}"), "holds no text with"),
        ("prompt.yaml", "a: |\n" + " " * 2_000_000, "holds no text with"),
    ],
)
def test_a_wording_that_cannot_be_had_is_an_error(tmp_path, site, path, content, message):
    site.answer.content = content.encode()

    with pytest.raises(BackendError, match=message):
        fetch_wording(f"{site.url}/{path}", tmp_path, "sifter")

    assert not list(tmp_path.iterdir())


def test_a_person_who_wants_no_network_gets_none(tmp_path, site, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(BackendError, match="HF_HUB_OFFLINE"):
        fetch_wording(f"{site.url}/prompt.yaml", tmp_path, "sifter")
