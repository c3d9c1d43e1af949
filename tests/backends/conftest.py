import pytest

from memcli.backends.llama.model import LlamaModel


@pytest.fixture(scope="session", params=["tiny", "smollm"])
def any_path(request):
    """Return the path of each of the two models in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def any_model(any_path):
    model = LlamaModel(any_path)
    yield model
    model.close()
