import pytest
from shared import SHARED


@pytest.fixture(scope="session")
def samples():
    """Real exports, kept beside the repository where we build it, never inside it."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip(f"no real exports at {folder}")
    return folder
