"""Facts as somebody wrote them down, in good and bad JSON."""

import pytest

from memcli.cli.json_output.fact_reader import read_facts
from memcli.domain import Fact, MemoryType
from memcli.errors import InputError
from memcli.ingest.own_facts import ExportedMemory

FACT = ExportedMemory(Fact("k", MemoryType.USER, "v"))


@pytest.mark.parametrize(
    "text",
    [
        '{"key": "k", "value": "v"}',
        '[{"key": "k", "value": "v", "tags": null, "said_at": null}]',
        '{"memories": [{"key": "k", "value": "v", "type": "UserMemory", "new": 1}]}',
    ],
)
def test_a_fact_needs_nothing_but_a_key_and_a_value(text):
    assert read_facts(text, "-") == [FACT]


@pytest.mark.parametrize("text", ["", "\n\n", "[]"])
def test_nothing_holds_no_facts(text):
    assert read_facts(text, "-") == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nonsense", "-: line 1 is not JSON"),
        ("null", "-: line 1 is not JSON"),
        ("[" * 100_000, "-: line 1 is not JSON"),
        ('{"memories": 3}', "-: `memories` is not a list"),
        ("[3]", "-: memory 1 is 3, not a JSON object"),
        ('{"key": "k"}', "-: line 1: `value` is missing"),
        ('{"key": "k", "value": 3}', "-: line 1: `value` is 3, not a text"),
        ('{"key": "k", "value": "v", "type": "x"}', "`type` must be UserMemory or"),
        ('{"key": "k", "value": "v", "said_at": "x"}', "`said_at` is no time"),
        ('{"key": "k", "value": "v", "said_at": "0001-01-01T00:00+23:00"}', "is no time"),
        ('{"key": "k", "value": "v", "sources": [{}]}', "`sources` 1: `session` is missing"),
        ('{"key": "k", "value": "v", "tags": "x"}', "-: line 1: `tags` is 'x', not a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, error):
    with pytest.raises(InputError) as raised:
        read_facts(text, "-")

    assert error in str(raised.value)
