import json
import resource
from contextlib import contextmanager

import pytest
from gguf import GGUFReader
from helpers.random_models import write_json, write_qwen3


@pytest.fixture
def hub(tmp_path):
    """A small Qwen3 as a hub has it, to do with as one likes."""
    return write_qwen3(tmp_path / "hub")


@pytest.fixture
def change(hub):
    """Replace a place in one of its JSON files, written as `model.vocab`; None removes it."""

    def change(file, place, value):
        path = hub / file
        content = json.loads(path.read_text("utf-8"))
        *way, last = place.split(".")
        inner = content
        for name in way:
            inner = inner[name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
        write_json(path, content)

    return change


@pytest.fixture
def header():
    """Read what a GGUF file says about a model."""

    def header(path):
        fields = GGUFReader(path).fields
        return {name: field.contents() for name, field in fields.items()}

    return header


@pytest.fixture
def files_limited_to():
    """Let no file exceed a size for a while: what writing meets is an error of the system."""

    @contextmanager
    def files_limited_to(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return files_limited_to
