"""`mem ask --profile`: who the person is, at the head of what a language model gets to read."""

import pytest
from helpers.mem_process import Run
from helpers.small_exports import talk


@pytest.fixture
def mem(mem):
    """`mem` with a session, and what its owner wrote about themselves."""
    mem.remembers(talk("Door", "me: The door code is 3826.", "ai: Saved."))
    mem("memories", "add", "diet", "Eats no hazelnuts")
    mem("memories", "add", "tram", "Number 28 goes to Graça", "--type", "LongTermMemory")
    return mem


def test_a_context_begins_with_what_one_accepted_about_oneself(mem):
    told = mem("ask", "door code", "-n", "1", "--profile")

    head, _, rest = told.out.partition("\n\n")
    assert (told.code, told.err) == (0, "")
    assert head == "About the user:\n- diet: Eats no hazelnuts"
    assert rest == mem("ask", "door code", "-n", "1", "--format", "context").out


def test_it_takes_its_part_of_the_tokens_and_no_more(mem):
    mem("memories", "add", "biography", "Born long ago. " * 300)

    told = mem("ask", "door code", "-n", "1", "--profile", "--context-tokens", "150")

    assert told.out.startswith("About the user:\n- diet: Eats no hazelnuts\n\nDoor, ")
    assert "Born" not in told.out


def test_of_many_questions_the_first_has_it(mem):
    told = mem("ask", "-", "--profile", stdin=b"door code\nhazelnuts\n").out

    assert told.startswith("About the user:\n")
    assert told.count("About the user:") == 1


def test_where_nothing_is_accepted_it_says_what_to_type(mem):
    mem("forget", mem("memories", "--type", "UserMemory", "--jsonl").lines[0]["id"], "--yes")

    told = mem("ask", "door code", "-n", "1", "--profile")

    assert told.out.startswith("Door, ")
    assert told.err == (
        "mem: no memory about you is accepted yet: `mem memories accept ID`,"
        " or `mem memories add KEY VALUE`\n"
    )


def test_where_there_is_no_room_for_it_it_says_so(mem):
    told = mem("ask", "door code", "-n", "1", "--profile", "--context-tokens", "84")

    assert told.out.startswith("Door, ")
    assert told.err == "mem: the profile does not fit: allow more tokens with `--context-tokens`\n"


def test_where_nothing_is_found_nothing_is_printed(mem):
    assert mem("ask", "xyzzyplugh", "--profile") == Run(3, err="mem: nothing found\n")
