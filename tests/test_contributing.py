"""The guide for contributors: what it says can be found is found."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
PLACES = re.findall(r"^\| (.+?) \| `(.+?)` \| `(memcli/.+?)` \|$", GUIDE, re.MULTILINE)
MOST_FILES = 12  # that a search may list before it stops to be a help


@pytest.mark.parametrize(("question", "words", "module"), PLACES, ids=[row[0] for row in PLACES])
def test_a_search_for_the_usual_words_finds_the_module(question, words, module):
    hits = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "memcli").rglob("*.py")
        if words in path.read_text("utf-8") or words in path.stem
    }

    assert module in hits
    assert len(hits) <= MOST_FILES


def test_there_are_enough_places():
    assert len(PLACES) >= 15


def test_every_path_and_module_that_is_named_is_there():
    paths = re.findall(r"`((?:memcli|tests|models|man)/[\w./]+)`", GUIDE)
    modules = re.findall(r"-m (memcli[\w.]*)", GUIDE)

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert all(
        (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
        for module in modules
        if module != "memcli"
    )
