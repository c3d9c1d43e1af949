import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.backends.generation.json_constraint import (
    JsonConstraint,
    JsonState,
    _value_state,
    constrain_call,
)
from memcli.protocols import Tool

STRING = {"type": "string"}
PIECES = """
", " "} "]} ": {" [] "] true 12 -0.5 ", a the naïve 東 \\n \\u00e9 \\ud83d\\ude00 </tool_call> } 😀
""".split()
VOCABULARY = [bytes([byte]) for byte in range(256)] + [piece.encode() for piece in PIECES]


def constrain_json(schema):
    """Begin a JSON text under a schema, as the arguments of a call are."""
    return JsonConstraint(_value_state(schema, JsonState()))


def an_object(properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


literals = st.text(max_size=4) | st.integers(-20, 20) | st.booleans() | st.none()
schemas = st.recursive(
    st.sampled_from(["string", "integer", "number", "boolean"]).map(lambda kind: {"type": kind})
    | st.lists(literals, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    lambda inner: (
        inner.map(lambda items: {"type": "array", "items": items})
        | st.dictionaries(st.text(max_size=3), inner, max_size=4).map(an_object)
    ),
    max_leaves=6,
)


def values(schema):
    """Return a strategy for the values that a schema allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            properties = schema["properties"]
            return st.tuples(*map(values, properties.values())).map(
                lambda drawn: dict(zip(properties, drawn, strict=True))
            )
        case "array":
            return st.lists(values(schema["items"]), max_size=3)
        case "string":
            return st.text(max_size=6)
        case "integer":
            return st.integers(-(10**15) + 1, 10**15 - 1)
        case "number":
            return st.decimals(-(10**6), 10**6, places=3).map(float)
        case "boolean":
            return st.booleans()


def obeys(value, schema):
    if "enum" in schema:
        return any(type(value) is type(each) and value == each for each in schema["enum"])
    match schema["type"]:
        case "object":
            properties = schema["properties"]
            return list(value) == list(properties) and all(
                obeys(value[name], each) for name, each in properties.items()
            )
        case "array":
            return isinstance(value, list) and all(obeys(each, schema["items"]) for each in value)
        case "string":
            return isinstance(value, str) and bool(value.encode() or True)  # no lone surrogates
        case "integer":
            return type(value) is int
        case "number":
            return type(value) in (int, float)
        case "boolean":
            return type(value) is bool


@given(schemas, st.integers(0, 60), st.randoms(use_true_random=False))
def test_any_choice_of_allowed_pieces_ends_in_json_that_obeys(schema, most, random):
    text = constrain_json(an_object({"it": schema}))

    for _ in range(most):
        if text.is_determined:
            break
        text.accept(random.choice([piece for piece in VOCABULARY if text.allows(piece)]))
    text.close()

    assert text.is_determined
    assert obeys(text.value, an_object({"it": schema}))


@given(st.data(), schemas)
def test_all_that_obeys_may_be_written(data, schema):
    text = constrain_json(an_object({"it": schema}))
    value = {"it": data.draw(values(schema))}

    text.accept(json.dumps(value, ensure_ascii=False).encode())

    text.close()
    assert text.value == value


@given(st.text())
def test_any_text_fits_a_string_spelled_out_or_escaped(said):
    for ascii_only in (True, False):
        text = constrain_json(STRING)

        text.accept(json.dumps(said, ensure_ascii=ascii_only).encode())

        assert text.value == said


@pytest.mark.parametrize(
    "piece",
    [
        b"\n",
        b"\x00",
        b"\x1f",
        b"\xff",
        b"\x80",
        b"\xc0\x80",  # overlong
        b"\xed\xa0\x80",  # a surrogate
        b"\xf4\x90\x80\x80",  # beyond Unicode
        b"\xe2\x82a",
        rb"\x41",
        rb"\u12g",
        rb"\ud800 ",
        rb"\ud800\u0041",
        rb"\udc00",
        b'"}',
    ],
)
def test_what_no_string_may_hold_is_not_allowed(piece):
    text = constrain_json(STRING)
    text.accept(b'"a')

    assert not text.allows(piece)
    with pytest.raises(ValueError, match="may not come after"):
        text.accept(piece)


@pytest.mark.parametrize(
    "number", ["01", "-", "1.", ".5", "+1", "1e5", "1" * 16, "0." + "1" * 16, "- 1", "NaN"]
)
def test_a_number_is_a_plain_one_of_bounded_length(number):
    text = constrain_json({"type": "array", "items": {"type": "number"}})

    assert not text.allows(f"[{number}]".encode())


def test_where_there_is_no_choice_the_bytes_are_told():
    tools = [
        Tool("add_memory", "", an_object({"kind": {"enum": ["LongTerm", "Long"]}, "tags": STRING})),
        Tool("add_note", "", an_object({})),
    ]
    text = constrain_call(tools)

    assert text.forced_bytes() == b'{"name": "add_'
    text.accept(text.forced_bytes())
    assert text.forced_bytes() == b""
    text.accept(b"m")
    assert text.forced_bytes() == b'emory", "arguments": {"kind": "Long'
    text.accept(text.forced_bytes() + b'"')
    assert text.forced_bytes() == b', "tags": "'
    text.accept(text.forced_bytes() + b'x"')
    assert text.is_determined
    text.close()
    assert text.value == {"name": "add_memory", "arguments": {"kind": "Long", "tags": "x"}}


def test_closing_takes_the_shortest_way_from_wherever_the_text_is():
    item = an_object({"key": STRING, "sure": {"type": "boolean"}, "count": {"type": "integer"}})
    schema = an_object({"items": {"type": "array", "items": item}, "summary": STRING})
    whole = json.dumps({"items": [{"key": "a", "sure": False, "count": 7}], "summary": "b"})
    shortest = set()

    for size in range(len(whole)):
        text = constrain_json(schema)
        text.accept(whole[:size].encode())
        text.close()
        shortest.add(len(json.dumps(text.value)))
        assert obeys(text.value, schema)

    assert min(shortest) == len('{"items": [], "summary": ""}')


def test_enums_of_which_one_begins_another_are_told_apart():
    for value in (1, 12, 123):
        text = constrain_json({"type": "array", "items": {"enum": [1, 12, 123]}})
        text.accept(f"[{value}]".encode())

        assert text.value == [value]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "a+"},
        {"$ref": "#/x"},
        {"type": "string", "maxLength": 3},
        {"type": ["string", "null"]},
        {"type": "null"},
        {},
    ],
)
def test_a_schema_that_cannot_be_enforced_is_refused(schema):
    with pytest.raises(ValueError, match="cannot be enforced"):
        constrain_json(an_object({"it": schema}))


def test_without_a_tool_there_is_no_call():
    with pytest.raises(ValueError, match="no tool"):
        constrain_call([])
