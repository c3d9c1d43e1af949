"""Damaged exports: cut short or with a wrong byte, they give all texts before the damage.

The texts before a position are those that the file gives when it is cut there: so every text that a
piece of a file gives must also come from a longer piece, and from the whole file with a wrong byte
after that position. Every message that a format saw becomes a turn or has a reason for which it
does not, wherever the file is damaged.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from random import Random

import pytest
from helpers.chat_exports import LINES
from helpers.every_format import DATABASES, SAMPLES
from helpers.parsing import document
from helpers.shared import sample_files

from memcli.domain import Conversation
from memcli.errors import InputError
from memcli.formats import FORMATS, ParseOptions, load_format, recognise_format
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.sources import find_sources

pytestmark = pytest.mark.slow

DAMAGES = 50  # of each kind
FILES = [sample for sample in SAMPLES if sample[1] not in DATABASES]


def texts(found, raw):
    """Return the texts of a document with these bytes; none if it cannot be read.

    Its messages are those turns and the messages that its format left out for a reason.
    """
    damaged = replace(found, open=lambda: BytesIO(raw), counter=MessageCounter())
    all_texts = Counter()
    try:
        known = recognise_format(damaged)
        for parsed in known.parse(damaged, ParseOptions()) if known else ():
            if isinstance(parsed, Conversation):
                all_texts.update(turn.text for turn in parsed.turns)
    except InputError:
        pass
    assert damaged.counter.count_unexplained(all_texts.total()) == 0
    return all_texts


def missing_texts(before, after):
    """Return the texts that are missing, also as the beginning of a damaged text."""
    gone = before - after
    return [text for text in gone if not any(text in other for other in after - before)]


def with_wrong_byte(raw, at, random):
    return raw[:at] + bytes([raw[at] ^ random.randint(1, 255)]) + raw[at + 1 :]


def check(found, raw):
    """Damage a document in many places and check that the texts before the damage come."""
    random = Random(len(raw))
    whole = texts(found, raw)
    before = Counter()
    for at in sorted(random.randrange(len(raw)) for _ in range(DAMAGES)):
        cut = texts(found, raw[:at])
        assert not missing_texts(before, cut), f"cut at {at:,}"
        before = cut & whole
        wrong = at + 1  # a line is not whole without its end
        if wrong < len(raw):
            there = texts(found, with_wrong_byte(raw, wrong, random))
            assert not missing_texts(before, there), f"flipped at {wrong:,}"
    return whole


@pytest.mark.parametrize(
    ("known", "name", "raw"), FILES, ids=[f"{known}-{name}" for known, name, _ in FILES]
)
def test_what_lay_before_the_damage_is_read(known, name, raw):
    turns = 0 if load_format(known).is_index else len(LINES)

    assert check(document(raw, name), raw).total() == turns


@pytest.mark.parametrize("path", sample_files())
def test_of_real_exports_what_lay_before_the_damage_is_read(path):
    [place] = find_sources(path)
    for found in place.documents():
        with found.open() as stream:
            raw = stream.read()
        if raw:
            check(found, raw)


DEEP = 100_000
WELLS = ("[" * DEEP, '{"a":' * DEEP, "[" * DEEP + "]" * DEEP + "\n", "{[" * DEEP + "\n{}")


@pytest.mark.parametrize("raw", WELLS, ids=lambda raw: raw[:5])
def test_a_hundred_thousand_brackets_are_no_chat(raw):
    assert recognise_format(document(raw)) is None


@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_thousand_brackets_harm_no_format(name):
    for raw in WELLS:
        with suppress(InputError):
            assert len(list(load_format(name).parse(document(raw), ParseOptions()))) <= 3


@pytest.mark.parametrize("path", sample_files(".zip"))
def test_a_damaged_zip_is_read_or_is_an_error(tmp_path, path):
    raw, random = path.read_bytes(), Random(1)
    damaged = tmp_path / path.name
    for _ in range(DAMAGES):
        at = random.randrange(len(raw))
        for content in (raw[:at], with_wrong_byte(raw, at, random)):
            damaged.write_bytes(content)
            [place] = find_sources(damaged)
            try:
                for found in place.documents():
                    with found.open() as stream:
                        inner = stream.read()
                    texts(found, inner)
            except InputError:
                continue
