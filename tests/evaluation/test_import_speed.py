"""Importing is measured on exports that nobody ever said, which are read as real ones are."""

import json

import pytest
from helpers.keyword_models import WordEmbedder

from memcli.evaluation.import_speed import SYNTHETIC_FORMATS, measure_import
from memcli.evaluation.synthetic_exports import write_export
from memcli.formats import recognise_format
from memcli.formats.sources import find_sources
from memcli.ingest.import_exports import import_exports

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", SYNTHETIC_FORMATS)
def test_every_stage_of_an_import_is_measured(kind):
    speed = measure_import(kind, 0.2, import_exports, WordEmbedder)

    stages = (speed.parsed, speed.stored, speed.indexed)
    assert 0.2 <= speed.megabytes < 0.4
    assert all(
        stage.megabytes_per_second > 0 and stage.cpu_megabytes_per_second > 0 for stage in stages
    )
    assert all(10 << 20 < stage.peak_bytes < 300 << 20 for stage in stages)


def test_without_an_embedder_nothing_is_indexed():
    assert measure_import("telegram", 0.05, import_exports).indexed is None


@pytest.mark.parametrize("kind", SYNTHETIC_FORMATS)
def test_an_export_nobody_said_is_recognised_and_always_the_same(tmp_path, kind):
    path, other = tmp_path / "one.json", tmp_path / "other.json"

    size = write_export(kind, 0.1, path)
    write_export(kind, 0.1, other)

    [place] = find_sources(path)
    [document] = place.documents()
    assert recognise_format(document).name == kind
    assert path.stat().st_size == size >= 100_000
    assert path.read_bytes() == other.read_bytes()
    assert json.loads(path.read_bytes())


def test_the_chatgpt_export_is_one_line(tmp_path):
    write_export("chatgpt", 0.1, tmp_path / "one.json")

    assert b"\n" not in (tmp_path / "one.json").read_bytes()
