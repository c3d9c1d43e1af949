"""Every row of the table of engines in mem-models(1) has tests that exist."""

import re
from pathlib import Path

import pytest

from memcli.cli.reference.servers import ENGINES

ROOT = Path(__file__).parents[2]
CARDS = (  # the ways that the model cards name
    "transformers",
    "sentence-transformers",
    "vLLM, offline class",
    "vLLM, rerankers",
    "SGLang",
    "Other OpenAI-compatible servers",
    "Memos Rerank API",
    "llama.cpp, on this machine",
)


@pytest.mark.parametrize("row", ENGINES, ids=lambda row: row.name)
def test_the_tests_of_a_row_exist(row):
    assert row.tests
    for test in row.tests:
        path, _, name = test.partition("::")
        function, _, case = name.partition("[")
        text = (ROOT / path).read_text("utf-8")
        found = re.search(rf"^((?:@.*\n(?:^[^d@\n].*\n)*)*)def {function}\(", text, re.MULTILINE)
        assert found, test
        if case:
            assert re.search(rf"\b{case.removesuffix(']')}\b", found[1]), test


def test_what_is_replayed_is_not_called_real():
    real = {row.name for row in ENGINES if row.verified == "real"}
    for row in ENGINES:
        files = {test.partition("::")[0].rpartition("/")[2] for test in row.tests}
        replays = {"test_served_rerankers.py", "test_server_replays.py", "test_server_reader.py"}
        assert (row.name in real) == bool(files - replays), row.name


def test_every_way_of_the_model_cards_has_a_row():
    assert set(CARDS) <= {row.name for row in ENGINES}
