"""How much memory a conversion takes, measured where a model's real widths are at work."""

import json
import subprocess
import sys
from itertools import islice, product
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from helpers.random_models import CONFIG, SMALL, qwen3_shapes, stored, write_json, write_tokenizer
from helpers.tiny_models import _letters

pytestmark = pytest.mark.slow

GB = 1000**3
WIDTHS = {  # of Qwen3-4B, with as many of its 36 layers as make 2 GB
    "vocab_size": 151936,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 7,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
CONVERT = """
import sys
from pathlib import Path
from memcli.weights.convert.gguf_writer import convert_checkpoint

convert_checkpoint(Path(sys.argv[1]), Path(sys.argv[2]), dtype="F16")
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(peak.split()[1])
"""


def write_large(folder, shards):
    """Write shards in which every tensor repeats the same random MB."""
    config = {**CONFIG, **SMALL, **WIDTHS, "tie_word_embeddings": True}
    write_json(folder / "config.json", config)
    letters = [*_letters().values()]
    pairs = [*product(letters, letters)]
    triples = islice(product(map("".join, pairs), letters), 151_000 - len(pairs) - len(letters))
    merges = [" ".join(merge) for merge in (*pairs, *triples)]
    write_tokenizer(folder, [*letters, *(merge.replace(" ", "") for merge in merges)], merges)
    numbers = np.random.default_rng(0).standard_normal(500_000, np.float32)
    megabyte = stored(numbers, "BF16").tobytes()
    shapes, place_of, size = [*qwen3_shapes(config)], {}, 0
    for number in range(shards):
        name = f"model-{number}.safetensors"
        size += write_repeated(folder / name, shapes[number::shards], megabyte)
        place_of |= {tensor: name for tensor, _ in shapes[number::shards]}
    write_json(folder / "model.safetensors.index.json", {"weight_map": place_of})
    return size


def write_repeated(path, shapes, block):
    header, end = {}, 0
    for name, shape in shapes:
        start, end = end, end + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for start in range(0, end, len(block)):
            file.write(block[: end - start])
    return end


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the peak")
def test_two_gigabytes_in_shards_take_less_than_one_and_a_half_of_memory(tmp_path):
    if disk_usage(tmp_path).free < 6 * GB:
        pytest.skip("less than 6 GB of disk are free")

    with TemporaryDirectory(dir=tmp_path) as folder:
        size = write_large(Path(folder), shards=3)
        ran = subprocess.run(
            [sys.executable, "-c", CONVERT, folder, f"{folder}/model.gguf"],
            capture_output=True,
            text=True,
        )
        written = Path(folder, "model.gguf").stat().st_size

    assert ran.returncode == 0, ran.stderr
    assert 2 * GB < size < written
    assert int(ran.stdout) * 1024 < 1.5 * GB
