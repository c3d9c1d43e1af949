import pytest
from helpers.mem_process import Mem


@pytest.fixture
def mem(tmp_path):
    """`mem` with a database that is not there yet."""
    return Mem(tmp_path)
