"""Error messages: the file that is at fault, once; the cause; and the remedy that helps."""

import json

from helpers.small_exports import chatgpt

CATS = chatgpt("Cats", "me: A name for a cat?", "ai: Biscuit.")


def test_a_good_file_is_not_blamed_for_those_beside_it(mem):
    mem.write("exports/a.json", [CATS])
    mem.write("exports/readme.txt", "hello\n")

    done = mem("ingest", "exports")

    assert done.err == "mem: exports: not recognised as chat exports: readme.txt\n"


def test_the_place_of_a_cut_is_where_the_file_ends(mem):
    whole = json.dumps([CATS, CATS])
    mem.write("cut.json", whole[: len(whole) - 50])

    done = mem("ingest", "cut.json")

    assert f"ends in the middle (byte {len(whole) - 50:,})" in done.err


def test_a_model_that_is_to_be_removed_is_not_to_be_pulled(mem):
    done = mem("models", "remove", "bge-m3")

    assert done.err == (
        "mem: bge-m3 is not on this machine\nhint: `mem models list` shows the models that are\n"
    )


def test_a_file_of_ones_own_is_not_to_be_pulled(mem):
    mem.write("q.txt", "x")

    done = mem("models", "add", "q.txt", "--role", "chat")

    assert done.code == 7
    assert done.err.splitlines()[1] == "hint: name a whole GGUF file"
