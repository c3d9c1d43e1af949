import io
import random

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Conversation, Role, Skipped
from memcli.errors import InputError
from memcli.formats.format import ParseOptions
from memcli.formats.generic import any_text
from memcli.formats.parsing import text_lines
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import HEAD_BYTES, Sample

TALK = "User: Where is Lisbon?\n\nAssistant: In Portugal.\n\nUser: Thanks\n"


def raw_of(content):
    return content if isinstance(content, bytes) else content.encode()


def is_recognised(content):
    return any_text.recognises(Sample("talk.md", raw_of(content)[:HEAD_BYTES]))


def parse_until_error(content, name="talk.md"):
    """Return all results, and the error after them."""
    parsed = []
    source = Document(name, lambda: io.BytesIO(raw_of(content)))
    try:
        for part in any_text.parse(source, ParseOptions()):
            parsed.append(part)  # noqa: PERF402  # keeps what came before an error
    except InputError as error:
        return parsed, error
    return parsed, None


def conversation(content, name="talk.md"):
    [found], error = parse_until_error(content, name)
    assert error is None
    return found


def turn_texts(content):
    return [(turn.speaker or turn.role, turn.text) for turn in conversation(content).turns]


@pytest.mark.parametrize(
    "row", sample_rows("generic_text", "negative"), ids=lambda row: row["path"]
)
def test_a_sample_is_found_and_counted(row):
    raw = (SHARED / "samples" / row["path"]).read_bytes()

    messages = int(row["messages"])

    assert is_recognised(raw) == (messages > 0)
    if messages:
        assert len(conversation(raw).turns) == messages


def test_nothing_else_among_the_samples_is_taken_for_a_transcript(samples):
    taken = [
        str(path.relative_to(samples))
        for path in samples.rglob("*")
        if path.is_file()
        and path.relative_to(samples).parts[0] != "generic_text"
        and is_recognised(path.read_bytes()[:HEAD_BYTES])
    ]

    assert taken == []


def test_a_transcript_is_one_conversation_without_times():
    found = conversation(TALK)

    assert (found.source, found.title, found.endless) == ("transcript", "Where is Lisbon?", False)
    assert [(turn.role, turn.text, turn.sent_at, turn.clock) for turn in found.turns] == [
        (Role.USER, "Where is Lisbon?", None, Clock.NONE),
        (Role.ASSISTANT, "In Portugal.", None, Clock.NONE),
        (Role.USER, "Thanks", None, Clock.NONE),
    ]


@pytest.mark.parametrize(
    ("user", "assistant", "speaker"),
    [
        ("User: ", "Assistant: ", Role.ASSISTANT),
        ("Human: ", "AI: ", Role.ASSISTANT),
        ("You: ", "Gemini: ", "Gemini"),
        ("**You:** ", "**ChatGPT:** ", "ChatGPT"),
        ("**User**: ", "**Claude**: ", "Claude"),
        ("**User**\n", "**Assistant**\n", Role.ASSISTANT),
        ("## User\n\n", "## Assistant\n\n", Role.ASSISTANT),
        ("# You:\n", "# Copilot:\n", "Copilot"),
        ("You said:\n", "ChatGPT said:\n", "ChatGPT"),
        ("👤 User: ", "🤖 Assistant: ", Role.ASSISTANT),
        ("[User]: ", "[GPT-4o]: ", "GPT-4o"),
        ("用户：", "助手：", Role.ASSISTANT),
        ("\ufeffUser: ", "Assistant: ", Role.ASSISTANT),
    ],
)
def test_speakers_are_marked_in_many_ways(user, assistant, speaker):
    text = f"{user}One?\n\n{assistant}Two.\nThree.\n\n{user.lstrip(chr(0xFEFF))}Four?\n"

    assert is_recognised(text)
    assert turn_texts(text) == [
        (Role.USER, "One?"),
        (speaker, "Two.\nThree."),
        (Role.USER, "Four?"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "User: hi\nAssistant: hello\n",  # one change of speaker
        "User: hi\nUser: hello\nUser: there\n",
        "Ann: hi\nBob: hello\nAnn: oh\nBob: yes\n",
        "## User Guide\nText\n## Assistant Professors\nText\n## User Stories\n",
        "You are here.\nAI is there.\nYou are here.\nAI is there.\n",
        "name: x\nuser: root\nhost: y\nuser: admin\n",
    ],
)
def test_documents_are_not_taken_for_transcripts(text):
    assert not is_recognised(text)
    assert str(parse_until_error(text)[1]) == "talk.md is not a transcript"


@pytest.mark.parametrize("start", ['{"a": "', "<html>", "[\n{"])
def test_transcripts_inside_json_or_html_are_left_to_others(start):
    assert not is_recognised(f"{start}\n{TALK}")


def test_markers_of_another_style_are_part_of_what_is_said():
    text = (
        "## User\nWrite a dialogue.\n## Assistant\nUser: hi\nAI: hello\n"
        "## User\nThanks\n## Assistant\nWelcome.\n"
    )

    assert [words for _, words in turn_texts(text)] == [
        "Write a dialogue.",
        "User: hi\nAI: hello",
        "Thanks",
        "Welcome.",
    ]


def test_a_heading_before_the_first_turn_is_the_title_and_rules_are_no_words():
    text = "# Trip to Lisbon\n\n**You:** One?\n\n---\n\n**AI:** Two.\n\n---\n\n**You:** Three\n"

    found = conversation(text)

    assert found.title == "Trip to Lisbon"
    assert [turn.text for turn in found.turns] == ["One?", "Two.", "Three"]


def test_a_transcript_is_the_same_under_another_name_and_when_it_has_grown():
    grown = conversation(TALK + "\nAssistant: Welcome.\n", "other.txt")
    before = conversation(TALK)

    assert grown.key == before.key
    assert grown.turns[:3] == before.turns
    assert conversation(TALK.replace("Lisbon", "Porto")).key != before.key


def test_equal_turns_have_keys_of_their_own():
    found = conversation("User: go on\nAI: one\nUser: go on\nAI: two\nUser: go on\n")

    assert len({turn.key for turn in found.turns}) == 5


def test_a_form_that_nobody_filled_in_holds_nothing():
    assert parse_until_error("User:\nAssistant:\nUser:\n")[0] == [
        Skipped("transcript", "has nothing to import", lost=False)
    ]


def test_a_line_without_end_is_left_out(monkeypatch):
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 1000)

    parsed, _ = parse_until_error(TALK + "x" * 5000 + "\nand more\n")

    assert [part.where for part in parsed if isinstance(part, Skipped)] == ["line 6"]
    assert parsed[-1].turns[-1].text == "Thanks\nand more"


def test_a_transcript_cut_anywhere_keeps_what_came_before():
    whole = conversation(TALK).turns

    for cut in range(TALK.index("User: Thanks") + 5, len(TALK)):
        found = conversation(TALK[:cut] + ":" * (TALK[:cut].endswith("User"))).turns
        assert found[:2] == whole[:2]


def test_flipped_bytes_end_in_nothing_worse_than_an_input_error():
    chance = random.Random(1)
    for _ in range(500):
        raw = bytearray(TALK.encode() * 2)
        for _ in range(4):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        is_recognised(bytes(raw))
        assert all(
            isinstance(part, Conversation | Skipped) for part in parse_until_error(bytes(raw))[0]
        )
