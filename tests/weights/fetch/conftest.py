import pytest
from helpers.fetching import FILES, REPOSITORY, address
from helpers.hub import serving
from huggingface_hub import constants

from memcli.weights.hub import hub_client


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, nobody logged in, and no waiting between attempts."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "tokens"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("TELEMETRY", "XET", "PROGRESS_BARS"):  # too late to say so in the environment
        monkeypatch.setattr(constants, f"HF_HUB_DISABLE_{name}", True)
    monkeypatch.setattr(hub_client, "PAUSES", (0.0, 0.0, 0.0))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def hub(monkeypatch):
    with serving({REPOSITORY: FILES}) as hub:
        address(monkeypatch, hub.url)
        yield hub
