"""Pictures, thoughts, errors, files and unknown content are kept apart in every assistant."""

import json
import sqlite3

import pytest
from helpers.assistant_exports import STARTED, librechat_message, lines_of, stamp, vscode_requests
from helpers.parsing import account, parse_all

from memcli.domain import Conversation
from memcli.formats import load_format

THINKING = "<think>Shorter?</think>\n\nGate 4471."
THOUGHT = [("thought", "Shorter?"), ("text", "Gate 4471.")]


def chatgpt(message, role="assistant"):
    whole = {"id": "m1", "author": {"role": role}, "create_time": STARTED / 1000, **message}
    first = {"id": "m0", "author": {"role": "user"}, "content": {"parts": ["Draw it"]}}
    tree = {
        "m0": {"id": "m0", "parent": None, "message": first},
        "m1": {"id": "m1", "parent": "m0", "message": whole},
    }
    return [{"id": "c1", "title": "Cats", "mapping": tree, "current_node": "m1"}]


def deepseek(kind, text):
    fragments = [{"type": kind, "content": text}]
    message = {"files": [], "inserted_at": stamp(0), "fragments": fragments}
    node = {"id": "1", "parent": None, "children": [], "message": message}
    return [{"id": "c1", "title": "Cats", "inserted_at": "x", "mapping": {"1": node}}]


def grok(sender, message):
    response = {"_id": "m1", "sender": sender, "create_time": stamp(0), "message": message}
    first = {"response": {**response, "_id": "m0", "sender": "human", "message": "Gate?"}}
    return {
        "conversations": [
            {"conversation": {"id": "c1"}, "responses": [first, {"response": response}]}
        ]
    }


def webui(**message):
    messages = {"m": {"id": "m", "parentId": None, "role": "assistant", "content": "", **message}}
    return [{"id": "c1", "chat": {"history": {"messages": messages, "currentId": "m"}}}]


def lechat(**message):
    head = {"id": "m", "chatId": "c1", "createdAt": stamp(0), "contentChunks": None}
    return [{**head, "role": "assistant", **message}]


def perplexity(answer):
    row = {"uuid": "q", "query": "Gate?", "answer": answer, "timestamp": stamp(0)}
    return {"metadata": {"thread_id": "t"}, "conversations": [row]}


def studio(*chunks):
    return {"runSettings": {}, "chunkedPrompt": {"chunks": list(chunks)}}


def x_grok(message):
    item = {"chatId": "g", "createdAt": stamp(0), "sender": {"name": "Agent"}, "message": message}
    return "window.YTD.grok_chat_item.part0 = " + json.dumps([{"grokChatItem": item}])


def tavern(message):
    return lines_of([{"name": "Iris", "is_user": False, "mes": message}])


def codex(kind, **payload):
    row = {"timestamp": stamp(0), "type": kind, "payload": payload}
    return lines_of([{"type": "session_meta", "payload": {"id": "s1"}}, row])


def gemini_cli(kind, text):
    messages = [{"id": "u", "type": "user", "content": "Gate?"}]
    messages.append({"id": "m", "type": kind, "content": text})
    return {"sessionId": "s1", "projectHash": "p", "messages": messages}


def generic(**message):
    return {"messages": [{"role": "assistant", **message}]}


DRAWN = {"content_type": "image_asset_pointer", "metadata": {"dalle": {"prompt": "a cat"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
FILE = {"type": "file", "filename": "lease.pdf"}

KEPT = {
    "drawn": [
        (
            "chatgpt",
            chatgpt({"content": {"content_type": "multimodal_text", "parts": [DRAWN]}}, "tool"),
            [("text", "Draw it"), ("media", "[image: a cat]")],
        ),
        (
            "codex",
            codex("response_item", type="image_generation_call", revised_prompt="a cat"),
            [("media", "[image: a cat]")],
        ),
    ],
    "thought": [
        ("deepseek", deepseek("RESPONSE", THINKING), THOUGHT),
        ("grok", grok("assistant", THINKING), [("text", "Gate?"), *THOUGHT]),
        ("perplexity", perplexity(THINKING), [("text", "Gate?"), *THOUGHT]),
        ("ai_studio", studio({"role": "model", "text": THINKING}), THOUGHT),
        ("lechat", lechat(content=THINKING), THOUGHT),
        ("x_grok", x_grok(THINKING), THOUGHT),
        ("sillytavern", tavern(THINKING), THOUGHT),
        ("generic_json", generic(content=THINKING), THOUGHT),
    ],
    "error": [
        ("open_webui", webui(error={"content": "overloaded"}), [("service", "overloaded")]),
        ("codex", codex("event_msg", type="error", message="529"), [("service", "529")]),
        ("librechat", [librechat_message(1, "529", None, error=True)], [("service", "529")]),
        (
            "vscode_copilot",
            {
                "requests": [
                    {
                        **vscode_requests("Gate?", "")[0],
                        "result": {"errorDetails": {"message": "529"}},
                    }
                ]
            },
            [("text", "Gate?"), ("service", "529")],
        ),
    ],
    "picture or file": [
        (
            "open_webui",
            webui(role="user", content=[{"type": "text", "text": "This?"}, IMAGE]),
            [("text", "This?"), ("media", "[image]")],
        ),
        (
            "generic_json",
            generic(role="user", content=[{"type": "text", "text": "Sign?"}, FILE]),
            [("text", "Sign?"), ("media", "lease.pdf")],
        ),
    ],
    "unknown": [
        ("deepseek", deepseek("POEM", "Gate 4471."), [("text", "Gate 4471.")]),
        ("grok", grok("tool", "Weather: sun"), [("text", "Gate?"), ("context", "Weather: sun")]),
        (
            "ai_studio",
            studio({"role": "user", "text": "Gate?"}, {"role": "judge", "text": "4471"}),
            [("text", "Gate?"), ("context", "4471")],
        ),
        ("gemini_cli", gemini_cli("about", "v2"), [("text", "Gate?"), ("service", "v2")]),
    ],
}
ROWS = [(kind, *row) for kind, rows in KEPT.items() for row in rows]


@pytest.mark.parametrize(
    ("known", "content", "expected"),
    [row[1:] for row in ROWS],
    ids=[f"{kind}-{known}-{at}" for at, (kind, known, *_) in enumerate(ROWS)],
)
def test_it_becomes_a_turn(known, content, expected):
    if known == "librechat":
        content = {"conversationId": "l1", "messages": content}

    found = [
        (turn.kind.value, turn.text)
        for each in parse_all(load_format(known), content)
        if isinstance(each, Conversation)
        for turn in each.turns
    ]

    assert found == expected
    assert account(load_format(known), content)["turns"] == len(expected)


def test_files_of_simonws_llm_are_named(tmp_path):
    path = tmp_path / "logs.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table responses (id text, prompt text, system text, response text,"
        " conversation_id text, datetime_utc text);"
        "create table attachments (id text, path text, url text);"
        "create table prompt_attachments (response_id text, attachment_id text);"
        "insert into responses values ('r', '', null, 'A tyre.', 'c', '2026-01-01T10:00');"
        "insert into attachments values ('a', '/home/ann/tyre.jpg', null);"
        "insert into prompt_attachments values ('r', 'a');"
    )
    connection.commit()
    connection.close()

    [found] = parse_all(load_format("llm_logs"), path.read_bytes())

    assert [(turn.kind.value, turn.text) for turn in found.turns] == [
        ("media", "tyre.jpg"),
        ("text", "A tyre."),
    ]
