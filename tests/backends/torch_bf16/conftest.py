import pytest
from helpers.judging import PROMPT
from helpers.random_models import save_qwen3

from memcli.backends.torch_bf16 import open_reranker
from memcli.weights.convert.gguf_writer import convert_checkpoint


@pytest.fixture(autouse=True, scope="module")
def alone():
    """Threads of models so small only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A random Qwen3 as a hub has it."""
    folder = tmp_path_factory.mktemp("torch") / "tiny"
    save_qwen3(folder, tied=False, shards=2)
    return folder


@pytest.fixture(scope="session")
def twin(folder):
    """The same weights as GGUF."""
    path = folder.parent / "tiny.gguf"
    convert_checkpoint(folder, path, dtype="F16")
    return path


@pytest.fixture(scope="session")
def reranker(folder):
    return open_reranker(folder, PROMPT, device="cpu")


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the folder to be damaged."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path
