"""Every format has a guide, under the one name that people use for it everywhere."""

import pytest

from memcli.formats import FORMATS
from memcli.formats.guides import find_format_name, find_source, format_table, load_guides


def test_every_format_has_a_guide_and_every_guide_a_format():
    assert sorted(load_guides()) == sorted(FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_guide_tells_how_to_get_the_export(name):
    guide = load_guides()[name]

    assert guide.title
    assert len(guide.export) > 10
    assert not guide.export.endswith(".")
    assert guide.to_row().count("|") == 6


def test_the_table_has_a_row_for_each_of_many_formats():
    rows = format_table().splitlines()[2:]

    assert [row.split("`")[1] for row in rows] == list(load_guides())
    assert len(rows) >= 65


def test_names_of_formats_and_of_sources_are_one_list():
    assert find_source("generic_json") == "generic"
    assert find_source("whatsapp") == "whatsapp"
    assert find_source("of mine") == "of mine"
    assert find_format_name("instagram") == "messenger"
    assert find_format_name("transcript") == "generic_text"
    assert find_format_name("discord") == "discord"
    assert find_format_name("of mine") == "of mine"
