"""Error messages: the file that is at fault, once; the cause; and the remedy that helps."""

import json

import pytest
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


@pytest.mark.parametrize(
    ("words", "status", "message", "hint"),
    [
        ("ingest empty.json", 4, "empty.json is empty", ""),
        ("ingest num.json --format chatgptt", 2, "no format `chatgptt`", "did you mean `chatgpt`"),
        ("ingest num.json --source x", 2, "no such option: --source", "did you mean `--format`"),
        ("models add num.json --role judge", 2, "`judge` is not a role", "one of embedder, "),
        ("models show memsifter", 6, "no model is called memsifter", "did you mean `memsifter-4b`"),
        ("models remove bgem3", 6, "no model is called bgem3", "did you mean `bge-m3`"),
        ("--db folder sessions", 5, "folder is not a file", "name a file with `--db`"),
        ("--db folder ingest num.json", 5, "folder is not a file", "name a file with `--db`"),
        ("where is my passport", 2, "no such command 'where'",
         "did you mean `mem ask where is my passport`"),
        ("people kaito", 2, "no such command 'kaito'",
         "did you mean `mem sessions --speaker kaito`"),
        ("memories cat", 2, "no such command 'cat'", "did you mean `mem memories show`"),
        ("memories biscuit", 2, "no such command 'biscuit'",
         "did you mean `mem memories search biscuit`"),
        ("ask cat --reranker memrerankr-4b", 6, "no reranker file at memrerankr-4b",
         "did you mean `memreranker-4b`"),
        ("config get peple.me", 4, "`peple.me` is not a setting", "did you mean `people.me`"),
        ("config get model.chat", 4, "`model.chat` is not a setting", "did you mean `models.chat`"),
        ("config set models.chat", 2, "wrong arguments for `mem config set`",
         "`mem config set KEY VALUE...`"),
        ("forget 2 --yes", 3, "no session `2`", "`mem show 2` prints the id of that number"),
        ("sessions --limit some", 2, "not a number: `some`", "`--limit 20`, or 0 for all"),
        ("ask cat --budget 5x", 2, "not a duration: `5x`", "20 for seconds, or `90s`, "),
        ("backup -", 2, "a backup cannot be written to standard output", "`mem backup FILE`"),
        ("search cat --limit", 2, "option '--limit' requires an argument", "`mem"),
        ("search cat --since 2025 --until 2024", 2, "the period ends before it begins",
         "`--since 2024 --until 2025`"),
        ("models pull --quant Q9", 2, "there is no quantization Q9", "one of F16, "),
        ("sessions surplus", 2, "unexpected: `surplus`", "`mem sessions --help`"),
    ],
)  # fmt: skip
def test_a_wrong_word_leads_to_the_right_one(mem, words, status, message, hint):
    mem.remembers(CATS)
    mem.write("empty.json", "")
    mem.write("num.json", "3000")
    mem.write("folder/x", "")
    if "peple" in words:
        mem("config", "set", "people.me", "Mira")

    done = mem(*words.split())

    assert (done.code, done.out) == (status, "")
    first, *more = done.err.splitlines()
    assert first == f"mem: {message}"
    assert not hint or more[0].startswith(f"hint: {hint}")


def test_a_path_in_which_nothing_was_found_is_not_read_again(mem):
    mem.remembers(CATS)
    mem.write("q.txt", "hello\n")

    mem("ingest", "q.txt", "--format", "transcript")

    assert mem("sources").err == "mem: no path is remembered\n"


def test_what_an_export_wrote_is_said(mem):
    mem.remembers(CATS)

    done = mem("export", "--format", "markdown", "--to", "notes")

    assert done.out == "notes: 1 session\n"
    assert mem("export", "--format", "markdown", "--to", "again", "-q").out == ""
