"""A hostile chat template ends in an error, within bounded time and memory."""

from pathlib import Path
from time import monotonic

import pytest

from memcli.backends.generation import bounded_template
from memcli.backends.generation.chat_template import render_dialogue
from memcli.errors import BackendError
from memcli.protocols import Message

HOSTILE = {
    "endless loops": "{% for a in range(99999) %}{% for b in range(99999) %}"
    "{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    "a large power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "a long product": "{{ 'x' * 9999999999 }}",
    "a wide field": "{{ '%9999999999d' % 1 }}",
    "endless output": "{% for a in range(99999) %}{% for b in range(999) %}xxxxxxxxxxxx"
    "{% endfor %}{% endfor %}",
    "a text that doubles": "{% set n = namespace(t='x') %}{% for i in range(64) %}"
    "{% set n.t = n.t ~ n.t %}{% endfor %}",
    "a list that doubles": "{% set n = namespace(t=['x']) %}{% for i in range(64) %}"
    "{% set n.t = [n.t, n.t] %}{% endfor %}{{ n.t }}",
    "a macro without end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
}


@pytest.fixture(autouse=True)
def process(monkeypatch):
    with_little_time = bounded_template.TemplateProcess(seconds=1)
    monkeypatch.setattr(bounded_template, "_shared", with_little_time)
    render("{{ messages[0].content }}")  # it has started
    yield
    with_little_time.close()


def render(template):
    return render_dialogue(template, {}, Path("some.gguf"), [Message("user", "Hello")])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_ends_in_an_error(name):
    began = monotonic()

    with pytest.raises(BackendError, match=r"the chat template of some\.gguf"):
        render(HOSTILE[name])

    assert monotonic() - began < 30
    assert render("{{ messages[0].content }}")[1] == "Hello"  # the next one is rendered
