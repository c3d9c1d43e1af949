"""Parsers of assistants, agents and plain JSON account for every message: a turn, or a reason."""

import pytest
from helpers.assistant_exports import EXPORTS
from helpers.parsing import document
from helpers.shared import sample_files

from memcli.domain import Conversation
from memcli.errors import InputError
from memcli.formats import FORMATS, ParseOptions, load_format, recognise_format
from memcli.formats.sources import find_sources

OWN = [
    name
    for name, place in FORMATS.items()
    if place.startswith(("assistants.", "agents.")) or name == "generic_json"
]


def count_unexplained(known, found):
    """Return how many messages of a document have no turn and no reason, and how many it has."""
    turns = 0
    try:
        for item in known.parse(found, ParseOptions()):
            turns += len(item.turns) if isinstance(item, Conversation) else 0
    except InputError:
        pass
    return found.counter.count_unexplained(turns), found.counter.seen


@pytest.mark.parametrize("name", EXPORTS)
def test_every_message_of_a_new_format_is_a_turn_or_has_a_reason(name):
    format_name, export = EXPORTS[name]

    missing, seen = count_unexplained(
        load_format(format_name), document(export("Why?", "", "So?", "Yes."), name)
    )

    assert (missing, seen >= 2) == (0, True)


@pytest.mark.parametrize("path", sample_files())
def test_every_message_of_a_sample_is_a_turn_or_has_a_reason(path):
    for place in find_sources(path):
        for found in place.documents():
            known = recognise_format(found)
            if known and known.name in OWN:
                missing, seen = count_unexplained(known, found)
                assert missing == 0
                assert seen
