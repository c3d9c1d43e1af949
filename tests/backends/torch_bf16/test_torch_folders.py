"""Folders that are damaged, foreign, or hold programs."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed: pip install memcli[torch]")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("sentence_transformers", reason="the torch extra is not installed")

from helpers.judging import PROMPT, judged

from memcli.backends.torch_bf16 import open_reranker
from memcli.errors import BackendError, ModelNotFoundError

pytestmark = pytest.mark.parity


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no model in"):
        open_reranker(tmp_path, PROMPT)


def test_a_missing_shard_is_named(copied):
    (copied / "model-00002-of-00003.safetensors").unlink()

    with pytest.raises(ModelNotFoundError, match="model-00002-of-00003"):
        open_reranker(copied, PROMPT)


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_a_file_cut_short_is_refused_before_it_is_loaded(copied, size):
    path = copied / "model-00001-of-00003.safetensors"
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(BackendError, match="cut short|bytes are missing"):  # noqa: RUF043
        open_reranker(copied, PROMPT)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_json_that_is_none_is_refused(copied, name, content):
    (copied / name).write_text(content)

    with pytest.raises(BackendError, match="cannot be used"):
        open_reranker(copied, PROMPT)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", "{}"),
        ("tokenizer.json", "nonsense"),
        ("tokenizer_config.json", "nonsense"),
        ("config.json", {"model_type": "nonsense", "architectures": ["Nonsense"]}),
        ("config.json", {"hidden_size": "many"}),
        ("config.json", {"vocab_size": 7}),
        ("config.json", {"num_hidden_layers": 3}),
        ("config.json", {"num_attention_heads": 0}),
    ],
)
def test_what_cannot_be_loaded_is_an_error_of_ours(copied, name, content):
    if isinstance(content, dict):
        content = json.dumps({**json.loads((copied / name).read_text()), **content})
    (copied / name).write_text(content)

    with pytest.raises(BackendError):
        judged(open_reranker(copied, PROMPT, device="cpu"))


def test_a_program_that_comes_with_a_model_is_not_run(copied):
    config = json.loads((copied / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}
    (copied / "config.json").write_text(json.dumps(config))
    (copied / "evil.py").write_text("raise SystemExit('the program was run')")

    with pytest.raises(BackendError, match="cannot be loaded"):
        judged(open_reranker(copied, PROMPT, device="cpu"))


def test_weights_that_lack_a_tensor_are_not_filled_up_with_random_numbers(copied):
    from safetensors.torch import load_file, save_file

    path = copied / "model-00002-of-00003.safetensors"
    tensors = load_file(path)
    name = sorted(tensors)[0]
    save_file({key: value for key, value in tensors.items() if key != name}, path)
    index = copied / "model.safetensors.index.json"
    table = json.loads(index.read_text())
    del table["weight_map"][name]
    index.write_text(json.dumps(table))

    with pytest.raises(BackendError, match=f"lacks {name}"):
        judged(open_reranker(copied, PROMPT, device="cpu"))


def test_other_weights_have_another_fingerprint(folder, copied):
    before = open_reranker(copied, PROMPT).fingerprint
    path = copied / "model-00002-of-00003.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert before == open_reranker(folder, PROMPT).fingerprint
    assert before != open_reranker(copied, PROMPT).fingerprint


def test_a_device_that_is_not_there_is_named(folder):
    with pytest.raises(BackendError, match="no device `xyz` here"):
        judged(open_reranker(folder, PROMPT, device="xyz"))


def test_of_several_gpus_the_chosen_one_computes(folder, monkeypatch):
    """There is none here: torch names the device that was asked for."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("MEM_GPU", "1")

    with pytest.raises(BackendError, match="torch has no device `cuda:1` here"):
        judged(open_reranker(folder, PROMPT))


def test_a_model_that_was_closed_is_loaded_again(folder):
    reranker = open_reranker(folder, PROMPT, device="cpu")
    before = judged(reranker)
    reranker.close()

    assert judged(reranker) == before


def test_without_torch_the_extra_is_named(folder):
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from pathlib import Path\nfrom memcli.errors import BackendError\n"
        "from memcli.backends.torch_bf16 import open_sifter\n"
        "from memcli.protocols import Sampling\n"
        "sifter = open_sifter(Path(sys.argv[1]), context=99, sampling=Sampling())\n"
        "try: list(sifter.sift('x', shown=2, ranked=2, thought_tokens=2))\n"
        "except BackendError as error: print(error.hint)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
    )

    assert ran.stdout == '`pip install "memcli[torch]"`\n'
