"""An install without the extra `llama`: all but models on this machine works, and says so."""

import pytest
from helpers.small_exports import talk

from memcli.backends.llama import library

ONE_LINE = (
    "mem: models on this machine need the extra `llama`, which is not installed\n"
    "hint: `pip install 'memcli[llama]'`, in a checkout `pip install '.[llama]'`\n"
)


@pytest.fixture(autouse=True)
def _no_llama(monkeypatch):
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    library.llama_cpp.cache_clear()
    yield
    library.llama_cpp.cache_clear()


def test_questions_are_answered(mem):
    mem.remembers(talk("Door", "me: The door code is 3826."))

    assert "3826" in mem("ask", "what", "is", "the", "door", "code").out
    assert mem("doctor").code == 0
    assert "need the extra `llama`" in mem("doctor").out


@pytest.mark.parametrize("command", ["models pull --yes", "models pull memreranker-4b"])
def test_who_pulls_a_model_is_told_the_one_line_before_any_download(mem, command):
    done = mem(*command.split())

    assert (done.code, done.err) == (7, ONE_LINE)


def test_who_names_a_model_is_told_the_one_line(mem, tiny):
    mem.remembers(talk("Door", "me: The door code is 3826."))

    done = mem("ask", "door", "--reranker", str(tiny))

    assert done.code == 7
    assert done.err.endswith(ONE_LINE)
