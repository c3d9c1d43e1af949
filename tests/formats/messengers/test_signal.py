"""signal-export's chats: Markdown, and the same as JSON lines beside it."""

from helpers.parsing import document, lines, parse_one

from memcli.formats import load_format, recognise_format

SIGNAL = load_format("signal")


def row(second, body, **fields):
    head = {"date": f"2026-05-01T10:11:{second:02}", "sender": "Frank", "body": f"{body}  "}
    return {**head, "quote": "", "sticker": None, "reactions": [], "attachments": [], **fields}


MARKDOWN = """[2026-05-01 10:11:01] Frank: The code  
is 4471  
[2026-05-01 10:11:02] Me: Incoming voice call (accepted, 2m 3s)  
[2026-05-01 10:11:03] Frank: 

> The code

Thanks  ![a.jpg](./media/a.jpg)  
[2026-05-01 10:11:04] Frank:   
(( 🥳 ))
[2026-05-01 10:11:05] Frank: (This message was deleted)
"""
ROWS = (
    row(1, "The code  \nis 4471"),
    row(2, "Incoming voice call (accepted, 2m 3s)", sender="Me", call=True),
    row(
        3,
        "Thanks",
        quote="\n\n> The code\n\n",
        reactions=[["Me", "👍"]],
        attachments=[{"name": "a.jpg", "path": "media/a.jpg"}],
    ),
    row(4, "", sticker={"id": "1", "emoji": "🥳"}),
    row(5, "gone", deleted=True),
)


def test_the_lines_of_json_are_the_same_turns_as_the_markdown():
    written, listed = "Frank/chat.md", "Frank/data.json"

    found = parse_one(SIGNAL, MARKDOWN, written)

    assert parse_one(SIGNAL, lines(*ROWS), listed) == found
    assert recognise_format(document(lines(*ROWS), listed)) is SIGNAL
    assert recognise_format(document(MARKDOWN, written)) is SIGNAL
    assert [(turn.kind.value, turn.text) for turn in found.turns] == [
        ("text", "The code  \nis 4471"),
        ("call", "Incoming voice call (accepted, 2m 3s)"),
        ("text", "> The code\n\nThanks  [a.jpg]"),
        ("media", "🥳"),
        ("deleted", ""),
    ]
