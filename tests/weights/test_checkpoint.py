"""What is damaged, missing or odd in a checkpoint is an error with a name."""

import json
import os

import numpy as np
import pytest
from helpers.random_models import stored, write_json, write_qwen3, write_safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcli.errors import BackendError
from memcli.weights.convert import checkpoint
from memcli.weights.convert.checkpoint import Checkpoint

WEIGHTS = "model.safetensors"


@pytest.fixture
def two(tmp_path):
    """A checkpoint of two tensors, `first` of 3 rows of 4 and `second` of 5 numbers."""
    write_json(tmp_path / "config.json", {})
    write_two(tmp_path / WEIGHTS)
    return tmp_path


def write_two(path, kind="F32"):
    first = np.arange(12, dtype=np.float32).reshape(3, 4)
    second = np.arange(5, dtype=np.float32) / 8
    write_safetensors(path, {"first": stored(first, kind), "second": stored(second, kind)}, kind)


def rewrite(path, change):
    """Let `change` work on a file's header."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    encoded = json.dumps(change(header) or header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + content[8 + length :])


def numbers(tensor):
    return np.concatenate(list(tensor.pieces()))


def wide(numbers, kind):
    return (numbers.astype(np.uint32) << 16).view(np.float32) if kind == "BF16" else numbers


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_numbers_come_back_as_they_are_stored_however_they_are_cut(two, kind, piece, monkeypatch):
    write_two(two / WEIGHTS, kind)
    monkeypatch.setattr(checkpoint, "PIECE", piece)

    tensor = Checkpoint(two).tensor("first", 3, 4)

    assert max(map(len, tensor.pieces())) == min(piece, 12)
    assert wide(numbers(tensor), kind).tolist() == [*range(12)]


def test_shards_hold_what_one_file_holds(tmp_path):
    single = Checkpoint(write_qwen3(tmp_path / "single"))
    sharded = Checkpoint(write_qwen3(tmp_path / "sharded", shards=3))

    assert not (sharded.folder / WEIGHTS).exists()
    assert sorted(sharded.tensors) == sorted(single.tensors)
    for name, tensor in single.tensors.items():
        assert (numbers(sharded.tensors[name]) == numbers(tensor)).all()


def test_a_file_cut_short_anywhere_is_named(two):
    path = two / WEIGHTS
    content = path.read_bytes()

    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(BackendError, match=f"{path} is"):
            Checkpoint(two)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_to_a_header_ends_in_anything_but_an_error_of_ours(two, data):
    path = two / WEIGHTS
    write_two(path)
    content = bytearray(path.read_bytes())
    end = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    try:
        tensors, message = Checkpoint(two).tensors, None
    except BackendError as error:
        tensors, message = {}, str(error)

    assert message is None or str(path) in message
    assert all(0 <= tensor.start <= len(content) for tensor in tensors.values())


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("second", {"dtype": "F31"}, "has second as F31, an unknown type"),
        ("second", {"shape": [6]}, "describes second in a way that makes no sense"),
        ("second", {"shape": [-5]}, "describes second in a way that makes no sense"),
        ("second", {"shape": 5}, "describes second in a way that makes no sense"),
        ("second", {"data_offsets": [48]}, "describes second in a way that makes no sense"),
        ("second", {"data_offsets": [40, 60]}, "has second where it leaves a gap or overlaps"),
        ("second", {"data_offsets": [56, 76]}, "has second where it leaves a gap or overlaps"),
        ("first", {"data_offsets": [-48, 0]}, "describes first"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(two, name, entry, message):
    rewrite(two / WEIGHTS, lambda header: header[name].update(entry))

    with pytest.raises(BackendError, match=message):
        Checkpoint(two)


def test_bytes_that_belong_to_no_tensor_are_refused(two):
    with (two / WEIGHTS).open("ab") as file:
        file.write(b"123")

    with pytest.raises(BackendError, match="has 3 bytes too many"):
        Checkpoint(two)


def test_whole_numbers_may_lie_there_but_are_no_weights(two):
    rewrite(two / WEIGHTS, lambda header: header["second"].update(dtype="I32"))
    tensor = Checkpoint(two).tensor("second", 5)

    with pytest.raises(BackendError, match="second as I32; only F32, F16 and BF16"):
        next(tensor.pieces())


def test_a_file_that_gets_shorter_while_it_is_read_is_an_error(two):
    tensor = Checkpoint(two).tensor("second", 5)
    os.truncate(two / WEIGHTS, (two / WEIGHTS).stat().st_size - 1)

    with pytest.raises(BackendError, match="cut short inside second"):
        numbers(tensor)


def test_a_tensor_that_is_missing_or_of_another_shape_is_named(two):
    opened = Checkpoint(two)

    with pytest.raises(BackendError, match="have no tensor third"):
        opened.tensor("third", 1)
    with pytest.raises(BackendError, match=r"has first as 3 x 4, .* says 4 x 3"):
        opened.tensor("first", 4, 3)


def test_a_folder_without_config_or_weights_is_refused(tmp_path):
    with pytest.raises(BackendError, match=r"has no config\.json"):
        Checkpoint(tmp_path)

    write_json(tmp_path / "config.json", {})
    with pytest.raises(BackendError, match=r"has no model\.safetensors and no"):
        Checkpoint(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff{}", b"[" * 100_000])
def test_a_config_that_is_no_json_object_is_refused(two, content):
    (two / "config.json").write_bytes(content)

    with pytest.raises(BackendError, match=r"config\.json is no"):
        Checkpoint(two)


@pytest.fixture
def sharded(tmp_path):
    return write_qwen3(tmp_path / "sharded", shards=2)


def test_a_missing_shard_is_named(sharded):
    (sharded / "model-00002-of-00002.safetensors").unlink()

    with pytest.raises(BackendError, match=r"has no model-00002-of-00002\.safetensors"):
        Checkpoint(sharded)


def test_a_tensor_that_is_not_in_its_shard_is_named_with_the_shard(sharded):
    shard = sharded / "model-00001-of-00002.safetensors"
    rewrite(shard, lambda header: {"other": header.pop("model.embed_tokens.weight"), **header})

    with pytest.raises(BackendError, match=rf"{shard} has no tensor model\.embed"):
        Checkpoint(sharded)


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "", ".", "..", 7, [1]])
def test_an_index_that_points_out_of_its_folder_is_refused(sharded, name):
    write_json(sharded / "model.safetensors.index.json", {"weight_map": {"a": name}})

    with pytest.raises(BackendError, match=r"which is not in its folder|has no"):
        Checkpoint(sharded)
