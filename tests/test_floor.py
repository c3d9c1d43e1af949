"""Retrieval without a language model never gets worse than it was, on all of LoCoMo."""

from functools import partial

import pytest
from helpers.shared import SHARED

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.cli.bench.bench_stages import StageArchive, fill_archive
from memcli.evaluation.datasets import read_dataset
from memcli.evaluation.journal import Journal
from memcli.evaluation.runner import BenchmarkRun
from memcli.evaluation.summary import summarize
from memcli.search.stages import RankingModels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def summary():
    path = SHARED / "data" / "locomo10.json"
    if not path.is_file():
        pytest.skip(f"no LoCoMo at {path}")
    models = RankingModels(WordLlamaEmbedder())
    course = BenchmarkRun(
        partial(fill_archive, embedder=models.embedder),
        lambda store: StageArchive(store, models, ("retrieve",), "session"),
    )
    return summarize(list(course.run(read_dataset(path), Journal())))


def test_every_question_with_evidence_is_asked(summary):
    assert summary.count == 1982


@pytest.mark.parametrize(("metric", "floor"), [("mrr", 0.862), ("recall@5", 0.911)])
def test_retrieval_stays_above_the_floor(summary, metric, floor):
    assert summary.stages["retrieve"].overall[metric] >= floor
