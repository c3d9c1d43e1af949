"""Damaged databases of other programs raise nothing but InputError."""

from random import Random

import pytest
from helpers.every_format import DATABASES, SAMPLES
from helpers.parsing import document, parse_until_error

from memcli.formats import load_format, recognise_format

ROUNDS = 50
FILES = [sample for sample in SAMPLES if sample[1] in DATABASES]


@pytest.mark.parametrize(
    ("known", "name", "raw"), FILES, ids=[f"{known}-{name}" for known, name, _ in FILES]
)
def test_a_damaged_database_is_no_more_than_an_input_error(known, name, raw):
    known, random = load_format(known), Random(known)
    assert parse_until_error(known, raw)

    for _ in range(ROUNDS):
        damaged = bytearray(raw)
        for _ in range(random.choice((1, 3, 30))):
            damaged[random.randrange(len(raw))] = random.randrange(256)

        recognise_format(document(bytes(damaged)))
        parse_until_error(known, bytes(damaged))
        parse_until_error(known, raw[: random.randrange(len(raw))])
