"""Every format accounts for all messages it saw: turns + reasons = messages seen."""

from collections import Counter

import pytest
from helpers.chat_exports import LINES
from helpers.every_format import SAMPLES
from helpers.parsing import account, document

from memcli.formats import FORMATS, load_format, recognise_format

by_name = pytest.mark.parametrize(
    ("known", "name", "raw"), SAMPLES, ids=[f"{known}-{name}" for known, name, _ in SAMPLES]
)


def test_every_format_has_a_sample():
    assert {known for known, _, _ in SAMPLES} == set(FORMATS)


@by_name
def test_a_sample_is_recognised(known, name, raw):
    assert recognise_format(document(raw, name)) is load_format(known)


@by_name
def test_turns_and_reasons_are_the_messages_seen(known, name, raw):
    counts = account(load_format(known), raw, name)

    assert +Counter(counts) == Counter(turns=0 if load_format(known).is_index else len(LINES))
