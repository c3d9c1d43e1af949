"""Google AI Studio's prompts."""

import json

from helpers.parsing import document, parse_all, parse_one, turn_summaries

from memcli.domain import Clock, Skipped
from memcli.formats import load_format, recognise_format

STUDIO = load_format("ai_studio")


def prompt(*chunks, **more):
    return {"runSettings": {}, "chunkedPrompt": {"chunks": list(chunks)}, **more}


ASKED, ANSWERED = {"role": "user", "text": "Why?"}, {"role": "model", "text": "So."}


def test_a_prompt_is_told_by_the_name_of_its_file():
    found = parse_one(STUDIO, prompt(ASKED, ANSWERED), "Drive/Google AI Studio/Cats")

    assert recognise_format(document(prompt(ASKED))) is STUDIO
    assert (found.key, found.title) == ("Cats", "Cats")
    assert turn_summaries(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]
    assert {turn.clock for turn in found.turns} == {Clock.NONE}


def test_times_are_read_where_there_are_any():
    question = {**ASKED, "createTime": "2026-01-01T10:00:00Z"}

    found = parse_one(STUDIO, prompt(question, ANSWERED))

    assert [turn.clock for turn in found.turns] == [Clock.EXACT, Clock.INHERITED]


def test_thoughts_files_and_instructions_are_kept_apart():
    chunks = [
        ASKED,
        {"role": "user", "driveDocument": {"id": "x"}},
        {"role": "model", "text": "Hm", "isThought": True},
        {"role": "model", "parts": [{"text": "So"}, {"text": "."}]},
    ]

    system = {"parts": [{"text": "Be brief"}]}

    assert turn_summaries(parse_one(STUDIO, prompt(*chunks, systemInstruction=system))) == [
        ("system", "context", "Be brief"),
        ("user", "text", "Why?"),
        ("user", "media", ""),
        ("assistant", "thought", "Hm"),
        ("assistant", "text", "So."),
    ]


def test_equal_chunks_have_keys_that_last():
    first, grown = (
        parse_one(STUDIO, prompt(ASKED, ASKED)),
        parse_one(STUDIO, prompt(ASKED, ASKED, ANSWERED)),
    )

    assert len({turn.key for turn in first.turns}) == 2
    assert grown.turns[:2] == first.turns


def test_a_broken_chunk_is_told_and_an_empty_prompt_is_not_lost():
    [skipped, found] = parse_all(
        STUDIO, f'{{"chunkedPrompt":{{"chunks":[{{no}},{json.dumps(ASKED)}]}}}}'
    )

    assert (skipped.where, len(found.turns)) == ("message 1", 1)
    assert parse_all(STUDIO, prompt()) == [Skipped("export", "has nothing to import", lost=False)]
