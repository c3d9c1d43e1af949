"""Manifests of exports that come in several files."""

import pytest
from helpers.parsing import document, parse_all, shared_document
from helpers.shared import sample_rows

from memcli.domain import Skipped
from memcli.formats import ParseOptions, load_format, recognise_format

MANIFESTS = load_format("export_manifests")


def chatgpt(*names):
    files = {"files": list(names), "sharded": True}
    return {"export_files": [], "logical_files": {"conversations.json": files}, "version": 1}


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in sample_rows("chatgpt_sharded")
        if "manifest" in row["path"] or "missing" in row
    ],
    ids=lambda row: row["path"][-40:],
)
def test_the_sample_names_a_shard_that_is_not_there(row):
    found = shared_document(row["path"])

    assert recognise_format(found) is MANIFESTS
    # The document finds the other shards beside it, so only one is missing.
    assert [each.where for each in MANIFESTS.parse(found, ParseOptions())] == [
        "conversations-404.json"
    ]


def test_a_shard_that_is_missing_is_told_and_one_that_is_there_is_not():
    content = chatgpt("conversations-000.json", "conversations-001.json")

    assert recognise_format(document(content)) is MANIFESTS
    assert parse_all(MANIFESTS, content, **{"conversations-000.json": []}) == [
        Skipped("conversations-001.json", "is named by the export's manifest, and is not there")
    ]


@pytest.mark.parametrize(
    "content",
    [
        {"files": [{"url": "https://x.test/conversations-000.zip?sig=1"}]},
        ["https://x.test/conversations-000.zip?sig=a/b"],
        {"a": {"b": ["https://x.test/conversations-000.zip", "https://x.test/readme.txt"]}},
    ],
)
def test_of_links_to_zips_the_person_is_told_to_download_them(content):
    found = recognise_format(document(content, "manifest-9d86.json"))

    assert found is MANIFESTS
    [note] = parse_all(MANIFESTS, content, "manifest-9d86.json")
    assert note.why == "only has links: download conversations-000.zip, and ingest those"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"links": ["https://x.test/a.zip"]}, "package.json"),
        ({"version": 3}, "manifest.json"),
        ({"update_url": "https://x.test/a.zip"}, "manifest.json"),
        (["https://x.test/a.zip"], "list.json"),
    ],
)
def test_other_files_are_not_taken_for_manifests(content, name):
    assert recognise_format(document(content, name)) is None
