import pytest

from memcli.search.answer import ReferenceMarker, TurnReference

SHOWN = {"s_2v4k8qjw0a": frozenset({1, 2, 7}), "s_cake": frozenset({3})}


def mark_references(text, size):
    found = ReferenceMarker(SHOWN)
    pieces = [found.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + found.flush(), found.found


@pytest.mark.parametrize(
    ("text", "expected", "references"),
    [
        ("Tea [s_cake:3].", "Tea [s_cake:3].", [("s_cake:3", True)]),
        ("[s_cake:4]", "[s_cake:4?]", [("s_cake:4", False)]),
        ("[s_2v4k8qjw0a:1-2]", "[s_2v4k8qjw0a:1-2]", [("s_2v4k8qjw0a:1-2", True)]),
        ("[s_2v4k8qjw0a:1–2]", "[s_2v4k8qjw0a:1–2]", [("s_2v4k8qjw0a:1-2", True)]),
        ("[s_2v4k8qjw0a:1-7]", "[s_2v4k8qjw0a:1-7?]", [("s_2v4k8qjw0a:1-7", False)]),
        ("s_cake:7-3", "s_cake:7-3?", [("s_cake:7-3", False)]),
        ("s_cake:1-999999", "s_cake:1-999999?", [("s_cake:1-999999", False)]),
        ("[s_cake, s_nope]", "[s_cake, s_nope?]", [("s_cake", True), ("s_nope", False)]),
        ("s_cake:3 s_cake:3", "s_cake:3 s_cake:3", [("s_cake:3", True)]),
        ("cats_cake:9 s_ s s_1", "cats_cake:9 s_ s s_1", []),
        ("ends in s", "ends in s", []),
        ("s_cake", "s_cake", [("s_cake", True)]),
        ("s_cake:", "s_cake:", [("s_cake", True)]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 99])
def test_references_are_known_or_marked_however_a_text_is_cut(text, expected, references, size):
    assert mark_references(text, size) == (expected, [TurnReference(*one) for one in references])
