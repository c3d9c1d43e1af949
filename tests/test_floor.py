"""Retrieval without a language model never gets worse than it was, on all of LoCoMo."""

import pytest
from measure import locomo, measure, read, scores
from shared import SHARED

from memcli.backends.builtin import WordLlamaEmbedder


@pytest.fixture(scope="module")
def outcomes():
    path = SHARED / "data" / "locomo10.json"
    if not path.is_file():
        pytest.skip(f"no LoCoMo at {path}")
    return measure(read(path, locomo), WordLlamaEmbedder()).outcomes


def test_every_question_with_evidence_is_asked(outcomes):
    assert len(outcomes) == 1982


@pytest.mark.parametrize(("metric", "floor"), [("MRR", 0.858), ("R@5", 0.908)])
def test_retrieval_stays_above_the_floor(outcomes, metric, floor):
    assert scores(outcomes)[metric] >= floor
