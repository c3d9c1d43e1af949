import time
from contextlib import suppress

import gguf
import pytest
from helpers.tiny_models import write_tiny_qwen3

from memcli.backends.gguf_check import BLOCKS, check_gguf
from memcli.errors import BackendError, ModelNotFoundError


def test_a_missing_file_is_a_missing_model(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"^no model file at .*gone\.gguf$") as caught:
        check_gguf(tmp_path / "gone.gguf")

    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04" + bytes(100), b"<html>" * 9])
def test_a_file_that_is_no_gguf_is_refused_by_name(tmp_path, content):
    path = tmp_path / "page.gguf"
    path.write_bytes(content)

    with pytest.raises(BackendError, match=r"page\.gguf cannot be used: it is .*GGUF file$"):
        check_gguf(path)


def test_a_gguf_of_an_unknown_version_is_refused(tiny, tmp_path):
    path = tmp_path / "new.gguf"
    path.write_bytes(b"GGUF\x09" + tiny.read_bytes()[5:])

    with pytest.raises(BackendError, match="its GGUF version is 9, known are 2 and 3"):
        check_gguf(path)


def test_a_gguf_that_was_cut_anywhere_is_refused(tiny, tmp_path):
    whole = tiny.read_bytes()
    path = tmp_path / "cut.gguf"

    for size in [*range(0, 10_000, 97), *range(10_000, len(whole), 9973), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(BackendError, match=r"cut\.gguf cannot be used"):
            check_gguf(path)


def test_the_bytes_that_are_missing_are_counted(tiny, tmp_path):
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny.read_bytes()[:-1000])

    with pytest.raises(BackendError, match="it is cut short, 1,000 bytes are missing"):
        check_gguf(path)


@pytest.mark.parametrize("place", range(8, 600, 7))
def test_a_header_of_nonsense_is_refused_or_read_but_never_followed(tiny, tmp_path, place):
    path = tmp_path / "odd.gguf"
    content = bytearray(tiny.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)

    with suppress(BackendError):
        check_gguf(path)


def test_a_folder_is_not_a_model(tmp_path):
    with pytest.raises(ModelNotFoundError):
        check_gguf(tmp_path)


def test_the_digest_is_that_of_the_contents(tiny, tmp_path):
    copy, other = tmp_path / "copy.gguf", tmp_path / "other.gguf"
    copy.write_bytes(tiny.read_bytes())
    write_tiny_qwen3(other, seed=1)

    digests = [check_gguf(path).digest for path in (tiny, copy, other)]

    assert digests[0] == digests[1] != digests[2]


def test_the_trained_context_is_found(tiny):
    assert check_gguf(tiny).context == 4096


def test_block_sizes_are_those_of_the_gguf_package():
    theirs = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}

    assert {kind: theirs[kind] for kind in BLOCKS} == BLOCKS


def test_a_real_vocabulary_is_walked_at_once(smollm):
    begun = time.perf_counter()

    check_gguf(smollm)

    assert time.perf_counter() - begun < 0.3
