import pytest

from memcli.store import highlight_spans, query_terms


@pytest.mark.parametrize(
    ("question", "text", "marked"),
    [
        ("where did I go?", "We went to Rome, and go again.", ["went", "go"]),
        ("codes of cafés", "The CODE of the Cafe", ["CODE", "Cafe"]),
        ("running", "He runs; a runner ran.", ["runs", "ran"]),
        ("Ann's cat", "Anns cats, Ann’s cat", ["Anns", "cats", "Ann", "cat"]),
        ("大阪のラーメン", "大阪で一番のラーメン屋", ["大阪", "のラーメン"]),
        ("屋", "ラーメン屋", ["屋"]),
        ("ﾗｰﾒﾝ", "ラーメン", ["ラーメン"]),
        ("מה הקוד", "הקוד הוא 12", ["הקוד"]),
        ("the of", "of the thing", ["of", "the"]),
        ("zebra", "no match", []),
        ("zebra", "", []),
    ],
)
def test_a_text_is_marked_where_it_has_the_words_of_a_question(question, text, marked):
    found = highlight_spans(text, query_terms(question))

    assert [text[start:end] for start, end in found] == marked
