"""The one checker of TOML tables and JSON objects."""

import pytest

from memcli.errors import InputError
from memcli.typed_table import TypedTable


def test_values_are_returned_with_their_types():
    table = TypedTable(
        {"name": "a", "size": 3, "on": True, "null": None, "tags": ["x"], "inner": {"a": 1}}
    )

    assert table.get("name", str) == "a"
    assert table.get("size", float) == 3.0
    assert table.get("null", str, "default") == "default"
    assert table.get_optional("null", str) is None
    assert table.get_list("tags", str) == ("x",)
    assert table.get_mapping("inner", int) == {"a": 1}
    assert table.get_table("inner").get("a", int) == 1
    assert table.get_table("gone") is None
    assert table.get_tables("gone") == []


@pytest.mark.parametrize(
    ("syntax", "read", "error"),
    [
        ("TOML", lambda table: table.get("on", int), "f: `on` is True, not a whole number"),
        ("TOML", lambda table: table.get("gone", str), "f: `gone` is missing"),
        ("TOML", lambda table: table.get_table("on"), "f: [on] is True, not a table"),
        ("JSON", lambda table: table.get_table("on"), "f: `on` is True, not a JSON object"),
        ("TOML", lambda table: table.get_tables("tags"), "f: [[tags]] 1 is 'x', not a table"),
        ("JSON", lambda table: table.get_tables("tags"), "f: `tags` 1 is 'x', not a JSON object"),
        ("TOML", lambda table: table.get_list("tags", int), "f: `tags[0]` is 'x', not a whole"),
        ("TOML", lambda table: table.subtables(), "f: `on` is True, not a table"),
        ("TOML", lambda table: table.reject_unknown_keys(), "f: unknown key `on`"),
    ],
)
def test_an_error_names_the_place_the_key_and_the_value(syntax, read, error):
    table = TypedTable({"on": True, "tags": ["x"]}, "f", syntax=syntax)

    with pytest.raises(InputError) as raised:
        read(table)

    assert str(raised.value).startswith(error)


def test_a_huge_value_is_cut_in_the_error():
    with pytest.raises(InputError) as raised:
        TypedTable({"text": "x" * 10_000}).get("text", int)

    assert len(str(raised.value)) < 150


def test_anything_but_a_table_is_refused():
    with pytest.raises(InputError, match=r"^it is \[\], not a JSON object$"):
        TypedTable([], syntax="JSON")
