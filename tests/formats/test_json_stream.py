"""JSON of any size, read one value at a time."""

import json
import random
from io import BytesIO

import pytest

from memcli.errors import InputError
from memcli.formats import Document
from memcli.formats.parsing import json_stream
from memcli.formats.parsing.json_stream import (
    DEEPEST,
    BrokenValue,
    Edge,
    parse_prefix,
    read_elements,
    scan_json,
)

VALUES = [
    {"a": [1, 2.5, {"b": None}], "text": 'quote " brace } slash \\ end'},
    "a string, [with] {marks}",
    -7,
    True,
    None,
    [],
    {},
    [[["deep"]]],
    "\u6f22\u5b57 \U0001f600",
]


class Trickle(BytesIO):
    """A stream that returns fewer bytes than requested, like a pipe."""

    def __init__(self, raw, most):
        super().__init__(raw)
        self._most = most

    def read(self, size=-1):
        return super().read(min(size, self._most) if size >= 0 else self._most)


def document(raw, most=1 << 30):
    return Document("export.json", lambda: Trickle(raw, most))


def stream_elements(raw, *lists, most=1 << 30):
    return list(read_elements(document(raw, most), *lists))


def before_the_error(raw, *lists):
    """Return the values before an InputError, and the error or None."""
    kept = []
    try:
        kept.extend(read_elements(document(raw), *lists))
    except InputError as error:
        return kept, error
    return kept, None


@pytest.mark.parametrize("most", [1, 2, 3, 7, 1 << 30])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_elements_are_those_of_the_list_however_the_bytes_come(most, indent, ascii_only):
    raw = json.dumps(VALUES, indent=indent, ensure_ascii=ascii_only).encode()

    assert stream_elements(raw, most=most) == VALUES


def test_a_byte_order_mark_is_passed_over():
    assert stream_elements(b"\xef\xbb\xbf[1, 2]") == [1, 2]


def test_lists_are_found_by_their_paths_in_the_order_of_the_file():
    raw = json.dumps({"a": {"list": [1, 2]}, "b": [3], "c": [4], "list": [5]}).encode()

    assert stream_elements(raw, "c", "a.list") == [1, 2, 4]


def test_an_object_without_the_lists_is_given_itself_if_wanted():
    raw = b'{"a": {"conversations": [1]}, "conversations": 2}'

    assert stream_elements(raw, "conversations", "") == [json.loads(raw)]
    assert stream_elements(raw, "conversations") == []


def test_scan_tells_everything_on_the_way():
    raw = b'{"name": "Ann", "chats": {"list": [{"x": 1}]}, "n": 2}'

    assert list(scan_json(document(raw), [("chats", "list", "[]")])) == [
        ((), Edge.BEGIN),
        (("name",), "Ann"),
        (("chats",), Edge.BEGIN),
        (("chats", "list"), Edge.BEGIN),
        (("chats", "list", "[]"), {"x": 1}),
        (("chats", "list"), Edge.END),
        (("chats",), Edge.END),
        (("n",), 2),
        ((), Edge.END),
    ]


@pytest.mark.parametrize(
    "bad",
    [b'{"a": nonsense}', b'{"a" 1}', b"[1 2]", b"[1}", b'"\\x"', b"1" * 5000, b"tru"],
)
def test_a_broken_element_is_reported_and_the_next_one_read(bad):
    first, broken, last = stream_elements(b'[{"n": 1}, ' + bad + b', {"n": 2}]')

    assert (first, last) == ({"n": 1}, {"n": 2})
    assert isinstance(broken, BrokenValue)


def test_a_file_that_breaks_off_gives_what_was_whole_and_an_error():
    raw = json.dumps(VALUES).encode()

    for end in range(1, len(raw)):
        kept, error = before_the_error(raw[:end])

        # A number at the end of the file looks complete.
        assert kept[:-1] == VALUES[: len(kept) - 1 if kept else 0]
        assert str(error).startswith("export.json ends in the middle (byte ")


def test_no_flipped_byte_is_more_than_an_input_error():
    raw = json.dumps({"conversations": VALUES}).encode()
    chance = random.Random(5)

    for _ in range(3000):
        damaged = bytearray(raw)
        for _ in range(chance.choice((1, 2, 5))):
            damaged[chance.randrange(len(raw))] = chance.randrange(256)
        before_the_error(bytes(damaged), "conversations", "")
        parse_prefix(damaged.decode("utf-8", "replace"))


@pytest.mark.parametrize("lists", [(), ("a",), ("a", "")], ids=str)
@pytest.mark.parametrize("bomb", [b"[" * 1_000_000, b'{"a":' * 200_000, b'[{"a":' * 200_000])
def test_nesting_is_bounded(bomb, lists):
    kept, error = before_the_error(bomb, *lists)

    assert kept == []
    assert "is nested too deeply" in str(error)


@pytest.mark.parametrize("head", [b"[", b'[{"a": ', b'{"a": ', b'{"a": [', b"{"])
def test_a_single_string_is_bounded(head, monkeypatch):
    monkeypatch.setattr(json_stream, "LARGEST_VALUE", 1 << 18)
    raw = head + b'"' + b"x" * (4 << 20) + b'"'

    kept, error = before_the_error(raw, "a")

    assert kept == []
    assert "holds a value of more than" in str(error)


def test_a_value_as_long_as_many_reads_is_read_once_whole():
    text = 'x"\\' * 300_000

    assert stream_elements(json.dumps([text, {"a": text}]).encode()) == [text, {"a": text}]


@pytest.mark.parametrize("raw", [b"[1] [2]", b'{"a": 1}{"a": 2}', b"[1]x"])
def test_what_goes_on_after_its_end_is_refused(raw):
    _, error = before_the_error(raw)

    assert "goes on after its end" in str(error)


@pytest.mark.parametrize("raw", [b"[1}", b'{"a": 1]', b"]", b"[1, }"])
def test_brackets_that_do_not_match_are_refused(raw):
    _, error = before_the_error(raw)

    assert "is not JSON" in str(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('[{"a": 1}, {"b": [2, "x', [{"a": 1}, {"b": [2]}]),
        ('[{"a": 1, "b": "cut', [{"a": 1}]),
        ('{"a": {"b": {"c": [1, 2', {"a": {"b": {"c": [1]}}}),
        ('{"a": 1', {}),
        ("[", []),
        (' \n{"a": [1, 2]} ', {"a": [1, 2]}),
        ('{"a": [1]}\n{"b": 2}', {"a": [1]}),
        ("[1, 2] and more", [1, 2]),
        ('{"text": "a, b {c \\q", "d": 1}', {}),
        ("plain words", None),
        ('"a string"', None),
        ("", None),
        ("[" * 100_000, json.loads("[" * DEEPEST + "]" * DEEPEST)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_beginning_of_a_text_is_read_as_far_as_it_is_sound(text, value):
    assert parse_prefix(text) == value


def test_every_beginning_of_a_list_gives_a_beginning_of_its_elements():
    text = json.dumps(VALUES)

    for end in range(1, len(text)):
        value = parse_prefix(text[:end])

        assert value is not None
        assert value[:-1] == VALUES[: len(value) - 1 if value else 0]
