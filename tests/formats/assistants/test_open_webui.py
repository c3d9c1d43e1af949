"""Open WebUI's export and database."""

import json
import sqlite3

import pytest
from helpers.parsing import document, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Skipped
from memcli.formats import ParseOptions, load_format, recognise_format

WEBUI = load_format("open_webui")


def message(name, parent, role, content, second=0, **more):
    place = {"id": name, "parentId": parent, "timestamp": 1767261600 + second}
    return {**place, "role": role, "content": content, **more}


def element(*messages, current=None):
    history = {"currentId": current, "messages": {each["id"]: each for each in messages}}
    return {"id": "c1", "title": "Cats", "chat": {"history": history}, "created_at": 1767261600}


ASKED = message("q", None, "user", "A name for a cat?")
ANSWERED = message("a", "q", "assistant", "Biscuit.", 5)
AGAIN = message("b", "q", "assistant", "Pixel.", 6)


def database(path, *rows):
    with sqlite3.connect(path) as connection:
        connection.execute("create table chat (id text, user_id text, title text, chat json)")
        connection.executemany("insert into chat values (?, 'u', ?, ?)", rows)
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("row", sample_rows("openwebui"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    conversations = list(WEBUI.parse(found, ParseOptions()))

    assert recognise_format(found) is WEBUI
    assert len(conversations) == int(row["sessions"])
    said = sum(turn.is_searchable for each in conversations for turn in each.turns)
    assert said == int(row["messages"])


def test_branches_are_kept_and_the_current_one_counts():
    found = parse_one(WEBUI, [element(ASKED, ANSWERED, AGAIN, current="a")])

    assert (found.key, found.title) == ("c1", "Cats")
    assert [(turn.key, turn.active) for turn in found.turns] == [
        ("q", True),
        ("a", True),
        ("b", False),
    ]


def test_one_chat_alone_is_read_too():
    chat = {**element(ASKED, ANSWERED)["chat"], "title": "Cats", "id": "c1"}

    assert recognise_format(document(chat)) is WEBUI
    assert [turn.key for turn in parse_one(WEBUI, chat).turns] == ["q", "a"]


def test_a_chat_that_is_a_list_is_a_line():
    rows = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]
    chat = {"id": "c1", "title": "Old", "chat": {"messages": rows}}

    found = parse_one(WEBUI, [chat])

    assert recognise_format(document([chat])) is WEBUI
    assert turn_summaries(found) == [("user", "text", "Hi"), ("assistant", "text", "Yo")]
    assert found.turns[1].parent == found.turns[0].key


def test_the_database_gives_the_same_as_the_export(tmp_path):
    chat = element(ASKED, ANSWERED)
    raw = database(
        tmp_path / "webui.db",
        ("c1", "Cats", json.dumps(chat["chat"])),
        ("c2", "Broken", "{nope"),
        ("c3", "Empty", None),
    )

    [found, broken, empty] = parse_all(WEBUI, raw, "webui.db")

    assert recognise_format(document(raw, "webui.db")) is WEBUI
    assert [found] == parse_all(WEBUI, [chat])
    assert (broken.where, broken.lost) == ("chat c2", True)
    assert empty == Skipped("chat c3", "has nothing to import", lost=False)


def test_another_database_is_not_taken_for_it(tmp_path):
    with sqlite3.connect(tmp_path / "chat.db") as connection:
        connection.execute("create table chat (guid text)")
    connection.close()

    assert recognise_format(document((tmp_path / "chat.db").read_bytes())) is None


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        (
            '<details type="reasoning" done="true">\n<summary>Thought</summary>\n&gt; Hm &amp; so\n'
            "&gt; on\n</details>\nYes.",
            [("assistant", "thought", "Hm & so\non"), ("assistant", "text", "Yes.")],
        ),
        (
            'One.\n<details type="tool_calls" name="x">18C</details>\nTwo.',
            [("tool", "tool", "18C"), ("assistant", "text", "One.\nTwo.")],
        ),
        (
            "<details><summary>More</summary>Mine</details>",
            [("assistant", "text", "<details><summary>More</summary>Mine</details>")],
        ),
    ],
)
def test_what_is_folded_into_an_answer_is_told_apart(content, blocks):
    found = parse_one(WEBUI, [element(ASKED, message("a", "q", "assistant", content, 1))])

    assert turn_summaries(found)[1:] == blocks


def test_an_answer_without_content_is_taken_from_its_output():
    items = [{"type": "reasoning"}, {"type": "message", "content": [{"text": "Yes."}]}]
    answer = message("a", "q", "assistant", "", 1, output=items)

    assert turn_summaries(parse_one(WEBUI, [element(ASKED, answer)]))[1] == (
        "assistant",
        "text",
        "Yes.",
    )


def test_attached_text_belongs_to_the_turn_and_other_files_are_named():
    files = [
        {"name": "a.txt", "file": {"data": {"content": "pasted"}}},
        {"type": "image", "url": "data:image/png;base64,x"},
        {"name": "b.pdf"},
    ]

    assert turn_summaries(parse_one(WEBUI, [element({**ASKED, "files": files})])) == [
        ("user", "text", "A name for a cat?\n\npasted"),
        ("user", "media", ""),
        ("user", "media", "b.pdf"),
    ]
