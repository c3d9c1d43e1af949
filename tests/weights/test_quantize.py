"""Smaller weights by llama.cpp, in a process that can be stopped and may fail."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gguf import GGUFReader
from helpers.random_models import write_qwen3

from memcli.backends import llama
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.quantize import FILE_TYPES
from memcli.errors import BackendError, ModelNotFoundError, UsageError
from memcli.files import locked_atomic_write
from memcli.weights.convert.gguf_writer import convert_checkpoint

SLOWLY = """
import sys, time
from pathlib import Path
from memcli.backends.llama import quantize
from memcli.files import locked_atomic_write

def tell(tensor, of):
    print(tensor, of, flush=True)
    time.sleep(10)

with locked_atomic_write(Path(sys.argv[2])) as part:
    quantize(Path(sys.argv[1]), part, "Q8_0", progress=tell)
"""


def quantize(source, target, kind, **how):
    """Quantize as `mem models pull` does: whole or not at all."""
    with locked_atomic_write(target) as part:
        llama.quantize(source, part, kind, **how)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    convert_checkpoint(write_qwen3(folder / "hub", tied=False), folder / "model.gguf", dtype="F16")
    return folder / "model.gguf"


@pytest.mark.parametrize(
    ("kind", "most", "best"),  # what most tensors are, and what the output is
    [
        ("Q8_0", "Q8_0", "Q8_0"),
        ("Q6_K", "Q6_K", "Q6_K"),
        ("Q5_K_M", "Q5_K", "Q6_K"),
        ("Q4_K_M", "Q4_K", "Q6_K"),
        ("BF16", "BF16", "BF16"),
        ("F16", "F16", "F16"),
    ],
)
def test_weights_become_of_the_kind(source, tmp_path, kind, most, best):
    quantize(source, tmp_path / "small.gguf", kind)

    kinds = {
        tensor.name: tensor.tensor_type.name
        for tensor in GGUFReader(tmp_path / "small.gguf").tensors
    }
    assert (kinds["blk.0.ffn_gate.weight"], kinds["output.weight"]) == (most, best)
    assert kinds["output_norm.weight"] == "F32"
    assert [path.name for path in tmp_path.iterdir()] == ["small.gguf"]
    model = LlamaModel(tmp_path / "small.gguf")
    assert model.decode_token(model.encode_single("yes")) == b"yes"


def test_every_kind_is_tried_above():
    [mark] = test_weights_become_of_the_kind.pytestmark

    assert {kind for kind, _, _ in mark.args[1]} == FILE_TYPES.keys()


def test_progress_counts_tensors(source, tmp_path):
    calls = []

    quantize(source, tmp_path / "small.gguf", "Q8_0", progress=lambda *each: calls.append(each))

    tensors = len(GGUFReader(source).tensors)
    assert calls == [(number, tensors) for number in range(1, tensors + 1)]


def test_a_kind_that_is_none_is_wrong_usage(source, tmp_path):
    with pytest.raises(UsageError, match="no quantization Q4") as raised:
        quantize(source, tmp_path / "small.gguf", "Q4")

    assert "Q4_K_M" in raised.value.hint


def test_a_source_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(ModelNotFoundError):
        quantize(tmp_path / "no.gguf", tmp_path / "small.gguf", "Q8_0")


def test_a_source_cut_short_is_refused_before_llama_cpp_sees_it(source, tmp_path):
    (tmp_path / "cut.gguf").write_bytes(source.read_bytes()[:-1000])

    with pytest.raises(BackendError, match="cut short"):
        quantize(tmp_path / "cut.gguf", tmp_path / "small.gguf", "Q8_0")


def test_what_is_small_already_is_not_made_smaller(source, tmp_path):
    quantize(source, tmp_path / "small.gguf", "Q8_0")
    before = (tmp_path / "small.gguf").read_bytes()

    with pytest.raises(BackendError, match="requantizing from type q8_0 is disabled"):
        quantize(tmp_path / "small.gguf", tmp_path / "small.gguf", "Q4_K_M")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_a_file_that_ends_llama_cpp_does_not_end_us(source, tmp_path):
    content = source.read_bytes().replace(b"general.architecture", b"general.brchitecture")
    (tmp_path / "odd.gguf").write_bytes(content)

    with pytest.raises(BackendError, match="cannot quantise"):
        quantize(tmp_path / "odd.gguf", tmp_path / "small.gguf", "Q8_0")

    assert [path.name for path in tmp_path.iterdir()] == ["odd.gguf"]


def test_a_folder_that_is_not_there_is_an_error(source, tmp_path):
    with pytest.raises(BackendError, match="No such file"):
        quantize(source, tmp_path / "nowhere" / "small.gguf", "Q8_0")


def test_a_disk_that_takes_no_more_leaves_nothing_half_written(source, tmp_path, files_limited_to):
    with files_limited_to(100_000), pytest.raises(BackendError, match="cannot quantise"):
        quantize(source, tmp_path / "small.gguf", "Q8_0")

    assert not [*tmp_path.iterdir()]


def test_what_a_killed_process_left_is_written_over(source, tmp_path):
    (tmp_path / ".small.gguf.part").write_bytes(b"x" * 10_000_000)

    quantize(source, tmp_path / "small.gguf", "Q8_0")

    assert [path.name for path in tmp_path.iterdir()] == ["small.gguf"]
    LlamaModel(tmp_path / "small.gguf")


def children(process):
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux to find the child")
def test_ctrl_c_ends_it_at_once_and_leaves_nothing(source, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", SLOWLY, source, tmp_path / "small.gguf"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as ran:
        assert ran.stdout.readline() == "1 25\n"
        found = children(ran.pid)
        began = time.monotonic()
        ran.send_signal(signal.SIGINT)
        _, message = ran.communicate(timeout=30)

    assert "KeyboardInterrupt" in message
    assert time.monotonic() - began < 8
    assert len(found) == 1
    assert not any(Path(f"/proc/{child}").exists() for child in found)
    assert not [*tmp_path.iterdir()]
