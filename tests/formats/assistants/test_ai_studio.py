"""Google AI Studio's prompts."""

import json

from helpers.parsing import document, one, read, told

from memcli.domain import Clock, Skipped
from memcli.formats import load, recognise

STUDIO = load("ai_studio")


def prompt(*chunks, **more):
    return {"runSettings": {}, "chunkedPrompt": {"chunks": list(chunks)}, **more}


ASKED, ANSWERED = {"role": "user", "text": "Why?"}, {"role": "model", "text": "So."}


def test_a_prompt_is_told_by_the_name_of_its_file():
    found = one(STUDIO, prompt(ASKED, ANSWERED), "Drive/Google AI Studio/Cats")

    assert recognise(document(prompt(ASKED))) is STUDIO
    assert (found.key, found.title) == ("Cats", "Cats")
    assert told(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]
    assert {turn.clock for turn in found.turns} == {Clock.NONE}


def test_times_are_read_where_there_are_any():
    question = {**ASKED, "createTime": "2026-01-01T10:00:00Z"}

    found = one(STUDIO, prompt(question, ANSWERED))

    assert [turn.clock for turn in found.turns] == [Clock.EXACT, Clock.INHERITED]


def test_thoughts_files_and_instructions_are_kept_apart():
    chunks = [
        ASKED,
        {"role": "user", "driveDocument": {"id": "x"}},
        {"role": "model", "text": "Hm", "isThought": True},
        {"role": "model", "parts": [{"text": "So"}, {"text": "."}]},
    ]

    system = {"parts": [{"text": "Be brief"}]}

    assert told(one(STUDIO, prompt(*chunks, systemInstruction=system))) == [
        ("system", "context", "Be brief"),
        ("user", "text", "Why?"),
        ("user", "media", ""),
        ("assistant", "thought", "Hm"),
        ("assistant", "text", "So."),
    ]


def test_equal_chunks_have_keys_that_last():
    first, grown = one(STUDIO, prompt(ASKED, ASKED)), one(STUDIO, prompt(ASKED, ASKED, ANSWERED))

    assert len({turn.key for turn in first.turns}) == 2
    assert grown.turns[:2] == first.turns


def test_a_broken_chunk_is_told_and_an_empty_prompt_is_not_lost():
    [skipped, found] = read(
        STUDIO, f'{{"chunkedPrompt":{{"chunks":[{{no}},{json.dumps(ASKED)}]}}}}'
    )

    assert (skipped.where, len(found.turns)) == ("message 1", 1)
    assert read(STUDIO, prompt()) == [Skipped("export", "has nothing to import", lost=False)]
