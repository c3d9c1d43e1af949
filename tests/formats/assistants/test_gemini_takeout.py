"""Gemini's part of a Google Takeout."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import chain

import pytest
from helpers.parsing import document, parse_all, parse_until_error, shared_document
from helpers.shared import sample_rows

from memcli.domain import Clock, Conversation, Role, Skipped
from memcli.formats import ParseOptions, load_format, recognise_format
from memcli.ingest.cutting import cut_sessions

TAKEOUT = load_format("gemini_takeout")


def row(title, minute=0, answer=None, **more):
    items = {"safeHtmlItem": [{"html": answer}]} if answer else {}
    stamp = f"2026-03-10T18:{minute:02}:00.500Z"
    return {"header": "Gemini Apps", "title": title, "time": stamp, **items, **more}


def cell(
    prompt, stamp="Mar 10, 2026, 6:00:00\u202fPM UTC", answer="<p>Yes.</p>", header="Gemini Apps"
):
    return (
        '<div class="outer-cell mdl-cell"><div class="mdl-grid"><div class="header-cell">'
        f'<p class="mdl-typography--title">{header}<br></p></div><div class="content-cell">'
        f'{prompt}<br>{stamp}<br>{answer}</div><div class="content-cell text-right"></div>'
        "</div></div>"
    )


def page(*cells):
    return "<html><body><div>" + "".join(cells) + "</div></body></html>"


def turn_summaries(parsed):
    turns = chain.from_iterable(each.turns for each in parsed if isinstance(each, Conversation))
    return [(turn.role.value, turn.text) for turn in turns]


@pytest.mark.parametrize("row", sample_rows("gemini_takeout"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])
    if row["messages"] == "0":
        assert recognise_format(found) is None
        return

    parsed = list(TAKEOUT.parse(found, ParseOptions()))

    assert recognise_format(found) is TAKEOUT
    assert sum(turn.is_searchable for each in parsed for turn in each.turns) == int(row["messages"])
    sessions = [
        session
        for each in parsed
        for session in cut_sessions("s", each.key, each.title, each.turns, endless=each.endless)
    ]
    # The index cuts where half an hour is quiet; short stretches of a chat are one session here.
    assert row["sessions"] == "?" or len(parsed) <= len(sessions) <= int(row["sessions"])


def test_a_row_is_a_prompt_and_its_answer():
    [found] = parse_all(
        TAKEOUT, [row("Prompted Why?", answer="<p>So <b>it</b> is.</p><ul><li>a</ul>")]
    )

    question, answer = found.turns
    assert found.endless
    assert (question.text, answer.text) == ("Why?", "So it is.\na")
    assert (question.role, answer.role) == (Role.USER, Role.ASSISTANT)
    assert (question.clock, answer.clock) == (Clock.EXACT, Clock.INHERITED)
    assert answer.parent == question.key


def test_newest_first_or_last_gives_the_same():
    rows = [row("Prompted Two", 9, "2"), row("Prompted One", 1, "1")]

    assert parse_all(TAKEOUT, rows) == parse_all(TAKEOUT, rows[::-1])
    assert turn_summaries(parse_all(TAKEOUT, rows)) == [
        ("user", "One"),
        ("assistant", "1"),
        ("user", "Two"),
        ("assistant", "2"),
    ]


def test_threads_are_told_by_their_address():
    url = "https://gemini.google.com/app/{}?hl=en"
    rows = [
        row("Prompted b", 2, titleUrl=url.format("c/t1")),
        row("Prompted a", 1, titleUrl=url.format("t1")),
        row("Prompted c", 0),
    ]

    found = parse_all(TAKEOUT, rows)

    assert {each.key: [turn.text for turn in each.turns] for each in found} == {
        "t1": ["a", "b"],
        "activity": ["c"],
    }


@pytest.mark.parametrize(
    ("told_row", "texts"),
    [
        (row("送信したメッセージ: これ"), ["これ"]),
        (row("Requête : quoi", answer="<p>Oui</p>"), ["Requête : quoi", "Oui"]),
        (row("Requête : quoi"), []),
        (row("Gave feedback: Good response", answer="<p>x</p>"), []),
        (row("Prompted x", header="Search", products=["Search"]), []),
        (row("Prompted x", header="Gemini-Apps", products=None), ["x"]),
        (row("Prompted x", attachedFiles=["a.pdf", {"name": "b.pdf"}]), ["x\n[a.pdf, b.pdf]"]),
    ],
)
def test_prompts_are_told_from_other_rows(told_row, texts):
    assert [text for _, text in turn_summaries(parse_all(TAKEOUT, [told_row]))] == texts


def test_a_prompt_that_is_only_a_file_is_a_turn():
    found = parse_all(
        TAKEOUT,
        [
            row("Prompted", 2, attachedFiles=["hull.jpg"]),
            row("Prompted", 1, "<p>A hull.</p>", imageFile="mast.jpg"),
            row("Prompted", 0, "<p>Aye.</p>"),
        ],
    )

    assert turn_summaries(found) == [
        ("user", "[prompt]"),
        ("assistant", "Aye."),
        ("user", "mast.jpg"),
        ("assistant", "A hull."),
        ("user", "hull.jpg"),
    ]


def test_rows_that_may_be_prompts_are_counted_when_they_are_left_out():
    parsed = parse_all(TAKEOUT, [row("Demande : quoi"), row("Prompted x")])

    [left_out] = [each for each in parsed if isinstance(each, Skipped)]
    assert left_out.where == "1 rows"
    assert not left_out.lost


def test_the_caption_of_a_row_is_no_part_of_its_answer():
    caption = '<div class="content-cell mdl-typography--caption"><b>Products:</b><br>Gemini</div>'
    raw = page(cell("Prompted x").replace("</div></div></div>", f"</div>{caption}</div></div>", 1))

    assert turn_summaries(parse_all(TAKEOUT, raw)) == [("user", "x"), ("assistant", "Yes.")]


def test_phrases_are_found_in_html_as_well():
    later = "Mar 10, 2026, 6:05:00 PM UTC"
    raw = page(cell("Demande\xa0: Où ?", later), cell("Demande\xa0: Quoi ?"))

    texts = [text for _, text in turn_summaries(parse_all(TAKEOUT, raw))]

    assert texts == ["Quoi ?", "Yes.", "Où ?", "Yes."]


def test_a_broken_time_is_inherited_and_does_not_part_others_from_their_answers():
    [found] = parse_all(
        TAKEOUT, [row("Prompted a", answer="b"), row("Prompted c", time="not a time")]
    )

    assert [turn.text for turn in found.turns] == ["a", "b", "c"]
    assert found.turns[2].clock is Clock.INHERITED


def test_html_and_json_give_the_same_keys():
    raw = page(cell("Prompted\xa0Is it <b>so</b>?"))

    [html], [json] = (
        parse_all(TAKEOUT, raw),
        parse_all(TAKEOUT, [row("Prompted Is it so?", answer="Yes.")]),
    )

    assert recognise_format(document(raw)) is TAKEOUT
    assert [(turn.key, turn.text) for turn in html.turns] == [
        (turn.key, turn.text) for turn in json.turns
    ]
    assert html.turns[0].sent_at == datetime(2026, 3, 10, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "sent_at", "clock"),
    [
        ("Mar 10, 2026, 6:00:00 PM GMT+5:30", datetime(2026, 3, 10, 12, 30, tzinfo=UTC), "exact"),
        ("Mar 10, 2026, 6:00:00 PM PDT", datetime(2026, 3, 11, 1, 0, tzinfo=UTC), "exact"),
        ("Mar 10, 2026, 18:00:00 XYZ", datetime(2026, 3, 10, 16, 0, tzinfo=UTC), "local"),
    ],
)
def test_times_in_html_are_read_with_their_zones(stamp, sent_at, clock):
    reading = ParseOptions(timezone=timezone(timedelta(hours=2)))

    [found] = parse_all(TAKEOUT, page(cell("Prompted x", stamp)), reading=reading)

    assert (found.turns[0].sent_at, found.turns[0].clock.value) == (sent_at, clock)


def test_html_rows_without_a_time_are_told_and_not_guessed():
    parsed = parse_all(
        TAKEOUT,
        page(cell("Prompt: x", "soon"), cell("Prompted y"), cell("Gave feedback: Good response")),
    )

    assert [each.where for each in parsed if isinstance(each, Skipped)] == ["1 rows"]
    assert turn_summaries(parsed) == [("user", "y"), ("assistant", "Yes.")]


@pytest.mark.parametrize(
    ("stamp", "sent_at", "clock"),
    [
        ("10.03.2026, 18:00:00 MEZ", datetime(2026, 3, 10, 17, tzinfo=UTC), "exact"),
        ("10 mars 2026, 18:00:00 UTC+1", datetime(2026, 3, 10, 17, tzinfo=UTC), "exact"),
        ("2026年3月10日 18:00:00 CST", datetime(2026, 3, 10, 10, tzinfo=UTC), "exact"),
        ("2026. 3. 10. 오후 6:00:00 KST", datetime(2026, 3, 10, 9, tzinfo=UTC), "exact"),
        ("2026/03/10 18:00:00 JST", datetime(2026, 3, 10, 9, tzinfo=UTC), "exact"),
        ("10 de março de 2026, 18:00:00 BRT", datetime(2026, 3, 10, 18, tzinfo=UTC), "local"),
        ("10 xyzber 2026, 18:00:00", None, "none"),
    ],
)
def test_times_in_html_of_other_languages_are_read(stamp, sent_at, clock):
    parsed = parse_all(TAKEOUT, page(cell("Eingegebener Prompt: x", stamp)))

    turn = next(each.turns[0] for each in parsed if isinstance(each, Conversation))
    assert (turn.text, turn.sent_at, turn.clock.value) == ("x", sent_at, clock)


def test_html_of_other_products_is_passed_over():
    raw = page(cell("Visited x", header="Chrome"), cell("Prompted y"))

    assert [text for _, text in turn_summaries(parse_all(TAKEOUT, raw))] == ["y", "Yes."]
    assert recognise_format(document(page(cell("Visited x", header="Chrome")))) is None


def test_html_that_breaks_off_keeps_what_was_whole():
    raw = page(cell("Prompted a"), cell("Prompted b"))

    kept = parse_until_error(TAKEOUT, raw[:-60])

    assert turn_summaries(kept) == [("user", "a"), ("assistant", "Yes.")]


def test_what_is_silent_in_html_is_left_out():
    html = "<style>x</style><script>y()</script>A&nbsp;&amp;&#66;<br>C<template>z</template>"

    [found] = parse_all(TAKEOUT, [row("Prompted q", answer=html)])

    assert found.turns[1].text == "A &B\nC"


def test_html_with_the_time_in_its_header_is_read_too():
    raw = page(
        '<div class="outer-cell"><div class="header-cell"><p>Gemini Apps<br></p>'
        "Mar 10, 2026, 6:00:00 PM UTC</div>"
        '<div class="content-cell">Prompted x</div>'
        '<div class="content-cell"><p>Yes.</p></div></div>'
    )

    assert turn_summaries(parse_all(TAKEOUT, raw)) == [("user", "x"), ("assistant", "Yes.")]


def test_an_answer_that_is_no_html_is_told_and_its_prompt_kept():
    parsed = parse_all(TAKEOUT, [row("Prompted q", answer="<a " + "x" * (5 << 20))])

    assert [each.where for each in parsed if isinstance(each, Skipped)] == ["answer of row 1"]
    assert turn_summaries(parsed) == [("user", "q")]
