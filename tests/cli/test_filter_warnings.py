"""A source or a speaker that nothing here goes by is named, with what comes near it."""

import json

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import telegram


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.write("telegram.json", telegram("Ann Ng", "Ann Ng: The trip to Porto?", "Me: Hi."))
    assert mem("ingest", "telegram.json").code == 0
    return mem


@pytest.mark.parametrize(
    "command", ["ask trip", "search trip", "sessions", "export", "read --reader {reader}"]
)
def test_a_slip_in_a_filter_is_said_and_what_was_meant(mem, smollm, command):
    words = command.format(reader=smollm).split()

    of_source = mem(*words, "--source", "telegrm")
    of_speaker = mem(*words, "--speaker", "ng")

    said = "mem: no session is from `telegrm`\nhint: did you mean `telegram`\n"
    assert of_source.err.startswith(said)
    assert of_speaker.err.startswith(
        "mem: no session has a speaker called `ng`\nhint: did you mean `Ann Ng`"
    )


def test_forgetting_a_source_that_is_not_there_says_so(mem):
    done = mem("forget", "--source", "whatsapp", "--yes")

    assert (done.code, done.err) == (
        3,
        "mem: no session is from `whatsapp`\nmem: nothing to delete\n",
    )


def test_what_is_there_needs_no_word_and_data_stays_data(mem):
    known = mem("search", "trip", "--source", "telegram", "--speaker", "ann ng", "--json")
    unknown = mem("search", "trip", "--source", "signal", "--json")

    assert (known.code, known.err) == (0, "")
    assert unknown.code == 3
    assert json.loads(unknown.out)["sessions"] == []
