"""A small export of every format: twelve messages in every file.

SAMPLES    (format, file name, bytes), at least one for each format
"""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256

from helpers import small_exports
from helpers.assistant_exports import EXPORTS, lines_of, stamp
from helpers.chat_exports import AT, CHATS, LINES, rows

SAID = [f"{'ai' if at % 2 else 'me'}: {line}" for at, line in enumerate(LINES)]
PEOPLE = [f"{'Ann' if at % 2 else 'Bob'}: {line}" for at, line in enumerate(LINES)]


def role(at, *, person="user", model="assistant"):
    return model if at % 2 else person


def parent(at):
    return f"m{at - 1}" if at else None


def deepseek(at, line):
    fragment = {"type": role(at, person="REQUEST", model="RESPONSE"), "content": line}
    message = {"files": [], "inserted_at": stamp(at), "fragments": [fragment]}
    return {"id": f"m{at}", "parent": parent(at) or "root", "children": [], "message": message}


def grok(at, line):
    head = {"_id": f"m{at}", "sender": role(at, person="human"), "create_time": stamp(at)}
    return {"response": {**head, "message": line, "parent_response_id": parent(at)}}


def lechat(at, line):
    head = {"id": f"m{at}", "chatId": "c1", "createdAt": stamp(at), "contentChunks": None}
    return {**head, "role": role(at), "content": line}


def open_webui(at, line):
    head = {"id": f"m{at}", "parentId": parent(at), "childrenIds": [], "timestamp": AT + at}
    return {**head, "role": role(at), "content": line}


def lm_studio(at, line):
    content = [{"type": "text", "text": line}]
    version = {"type": "singleStep", "role": role(at), "content": content}
    return {"versions": [version], "currentlySelected": 0}


def codex(at, line):
    part = {"type": role(at, person="input_text", model="output_text"), "text": line}
    message = {"type": "message", "role": role(at), "content": [part]}
    return {"timestamp": stamp(at), "type": "response_item", "payload": message}


def claude_code(at, line):
    head = {"type": role(at), "uuid": f"m{at}", "parentUuid": parent(at), "sessionId": "s1"}
    return {**head, "timestamp": stamp(at), "message": {"role": role(at), "content": line}}


def gemini_cli(at, line):
    head = {"id": f"m{at}", "timestamp": stamp(at), "type": role(at, model="gemini")}
    return {**head, "content": line}


def pi(at, line):
    message = {"role": role(at), "content": [{"type": "text", "text": line}]}
    head = {"type": "message", "id": f"m{at}", "parentId": parent(at), "timestamp": stamp(at)}
    return {**head, "message": message}


def opencode(at, line):
    info = {"id": f"m{at}", "role": role(at), "time": {"created": (AT + at) * 1000}}
    return {"info": info, "parts": [{"type": "text", "text": line}]}


def signal(at, line):
    content = {"standardMessage": {"text": {"body": line}}}
    head = {"chatId": "7", "authorId": "2", "dateSent": str((AT + at) * 1000), "incoming": {}}
    return {"chatItem": {**head, **content}}


def activity(at):
    """Return a prompt and its answer as one row of Google's activity."""
    answer = [{"html": f"<p>{LINES[at + 1]}</p>"}]
    head = {"header": "Gemini Apps", "title": f"Prompted {LINES[at]}", "time": stamp(at)}
    return {**head, "products": ["Gemini Apps"], "safeHtmlItem": answer}


def perplexity(at):
    """Return a question and its answer."""
    return {"uuid": f"q{at}", "query": LINES[at], "answer": LINES[at + 1], "timestamp": stamp(at)}


def sillytavern(at, line):
    return {"name": "Ann", "is_user": at % 2 == 0, "mes": line, "swipes": [line]}


def cline(at, line):
    return {"ts": at, "type": "say", "say": "text", "text": line}


def archive_turn(at, line):
    return {"key": f"m{at}", "role": role(at), "text": line, "sent_at": stamp(at), "clock": "exact"}


def antigravity(at, line):
    kind = role(at, person="USER_INPUT", model="PLANNER_RESPONSE")
    source = role(at, person="USER_EXPLICIT", model="MODEL")
    head = {"step_index": at, "source": source, "type": kind, "created_at": stamp(at)}
    return {**head, "content": line if at % 2 else f"<USER_REQUEST>\n{line}\n</USER_REQUEST>"}


def cursor_store(*messages, **about):
    """Return statements that make a chat of Cursor's command-line agent."""
    blobs = [json.dumps(message).encode() for message in messages]
    root = b"".join(b"\n " + sha256(blob).digest() for blob in blobs)
    about = {"agentId": "a1", "latestRootBlobId": sha256(root).hexdigest(), **about}
    return [
        ("create table blobs (id text primary key, data blob)",),
        ("create table meta (key text primary key, value text)",),
        ("insert into meta values ('0', ?)", json.dumps(about).encode().hex()),
        *(
            ("insert into blobs values (?, ?)", sha256(blob).hexdigest(), blob)
            for blob in (root, *blobs)
        ),
    ]


def tree(row):
    return {f"m{at}": row(at, line) for at, line in enumerate(LINES)}


PAIRS = range(0, len(LINES), 2)
DEEPSEEK = {"id": "c1", "title": "Cats", "inserted_at": "x", "mapping": tree(deepseek)}
GROK = {"conversation": {"id": "c1", "title": "Cats"}, "responses": rows(grok)}
WEBUI = {"title": "Cats", "history": {"messages": tree(open_webui), "currentId": "m11"}}
STUDIO = {"chunks": [{"role": role(at, model="model"), "text": LINES[at]} for at in range(12)]}
ARCHIVE = {"id": "s_abcdefghij", "source": "chatgpt", "conversation": "c1", "title": "Cats"}
SIGNAL = (
    {"version": "1", "backupTimeMs": "1790000000000"},
    {"recipient": {"id": "2", "contact": {"aci": "bo-aci", "profileGivenName": "Bo"}}},
    {"chat": {"id": "7", "recipientId": "2"}},
)
MANIFEST = {"conversations.json": {"files": ["conversations-000.json"], "sharded": True}}

DATABASES = {
    "webui.db": [
        ("create table chat (id text, user_id text, title text, chat json)",),
        ("insert into chat values ('c1', 'u', 'Cats', ?)", json.dumps(WEBUI)),
    ],
    "logs.db": [
        (
            "create table responses (id text primary key, prompt text, system text, response text,"
            " conversation_id text, datetime_utc text)",
        ),
        *(
            (
                "insert into responses values (?, ?, null, ?, 'c1', ?)",
                *(f"r{at:02}", LINES[at], LINES[at + 1], f"2026-01-01T10:{at:02}:00"),
            )
            for at in PAIRS
        ),
    ],
    "opencode.db": [
        ("create table session (id text, title text)",),
        ("create table message (id text, session_id text, data text)",),
        ("create table part (id text, message_id text, data text)",),
        ("insert into session values ('s1', 'Cats')",),
        *(
            ("insert into message values (?, 's1', ?)", f"m{at}", json.dumps({"role": role(at)}))
            for at in range(len(LINES))
        ),
        *(
            (
                "insert into part values (?, ?, ?)",
                *(f"p{at}", f"m{at}", json.dumps({"type": "text", "text": line})),
            )
            for at, line in enumerate(LINES)
        ),
    ],
    "state.vscdb": [
        ("create table ItemTable (key text, value blob)",),
        ("create table cursorDiskKV (key text, value blob)",),
        (
            "insert into cursorDiskKV values ('composerData:c1', ?)",
            json.dumps(
                {
                    "name": "Pump",
                    "fullConversationHeadersOnly": [{"bubbleId": f"b{at}"} for at in range(12)],
                }
            ),
        ),
        *(
            (
                "insert into cursorDiskKV values (?, ?)",
                *(f"bubbleId:c1:b{at}", json.dumps({"type": 1 + at % 2, "text": line})),
            )
            for at, line in enumerate(LINES)
        ),
    ],
    "store.db": cursor_store(
        *({"role": role(at), "content": [{"type": "text", "text": LINES[at]}]} for at in range(12))
    ),
    "viber.db": [
        ("create table Events (EventID, TimeStamp, Direction, ContactID, ChatID)",),
        ("create table Messages (EventID, Type, Subject, Body)",),
        ("create table Calls (EventID, Duration)",),
        *(
            ("insert into Events values (?, ?, ?, 1, 7)", at, (AT + at) * 1000, at % 2)
            for at in range(12)
        ),
        *(
            ("insert into Messages values (?, 1, null, ?)", at, LINES[at])
            if at % 3
            else ("insert into Calls values (?, 65)", at)
            for at in range(12)
        ),
    ],
    "chat.db": [
        ("create table handle (id text)",),
        ("create table chat (guid text, chat_identifier text, display_name text)",),
        ("create table chat_message_join (chat_id integer, message_id integer)",),
        (
            "create table message (guid text, text text, handle_id integer, date integer,"
            " is_from_me integer)",
        ),
        ("insert into handle values ('+1555')",),
        ("insert into chat values ('iMessage;-;+1555', '+1555', '')",),
        *(
            ("insert into message values (?, ?, 1, ?, ?)", f"g{at}", line, 738_936_000 + at, at % 2)
            for at, line in enumerate(LINES)
        ),
        *(("insert into chat_message_join values (1, ?)", at + 1) for at in range(12)),
    ],
}
DATABASE_FORMATS = {
    "webui.db": "open_webui",
    "logs.db": "llm_logs",
    "opencode.db": "opencode",
    "state.vscdb": "cursor",
    "store.db": "cursor",
    "viber.db": "viber",
    "chat.db": "imessage",
}
TALKS = {
    "archive.jsonl": (
        "memcli",
        lines_of([{"schema": "mem.export/1", **ARCHIVE, "turns": rows(archive_turn)}]),
    ),
    "conversations.json": ("chatgpt", json.dumps([small_exports.chatgpt("Cats", *SAID)])),
    "claude.json": ("claude", json.dumps([small_exports.claude("Cats", *SAID)], indent=2)),
    "deepseek.json": ("deepseek", json.dumps([DEEPSEEK])),
    "grok.json": ("grok", json.dumps({"conversations": [GROK]})),
    "chat-1.json": ("lechat", json.dumps(rows(lechat))),
    "chat-export.json": ("open_webui", json.dumps([{"id": "c1", "title": "Cats", "chat": WEBUI}])),
    "MyActivity.json": ("gemini_takeout", json.dumps([activity(at) for at in PAIRS])),
    "Cats": ("ai_studio", json.dumps({"runSettings": {}, "chunkedPrompt": STUDIO})),
    "1.conversation.json": (
        "lm_studio",
        json.dumps({"name": "Cats", "createdAt": AT * 1000, "messages": rows(lm_studio)}),
    ),
    "opencode.json": (
        "opencode",
        json.dumps({"info": {"id": "ses_1", "title": "Cats"}, "messages": rows(opencode)}),
    ),
    "telegram.json": (
        "telegram",
        json.dumps(small_exports.telegram("Ann", *PEOPLE), ensure_ascii=False, indent=1),
    ),
    "main.jsonl": ("signal_plaintext", lines_of([*SIGNAL, *rows(signal)])),
    "claude_code.jsonl": ("claude_code", lines_of(rows(claude_code))),
    "rollout.jsonl": (
        "codex",
        lines_of([{"type": "session_meta", "payload": {"id": "s1"}}, *rows(codex)]),
    ),
    "session.json": (
        "gemini_cli",
        json.dumps({"sessionId": "s1", "projectHash": "p", "messages": rows(gemini_cli)}),
    ),
    "transcript.jsonl": ("antigravity", lines_of(rows(antigravity))),
    "pi.jsonl": ("pi", lines_of([{"type": "session", "version": 3, "id": "s1"}, *rows(pi)])),
    "export_manifest.json": (
        "export_manifests",
        json.dumps({"export_files": [], "logical_files": MANIFEST, "version": 1}),
    ),
    "longmemeval.json": ("longmemeval", json.dumps([small_exports.longmemeval(*SAID)])),
    "locomo.json": ("locomo", json.dumps(small_exports.locomo(*PEOPLE))),
    "ui_messages.json": ("cline", json.dumps(rows(cline))),
    "perplexity.json": (
        "perplexity",
        json.dumps({"metadata": {"thread_id": "t"}, "conversations": list(map(perplexity, PAIRS))}),
    ),
    "sillytavern.jsonl": ("sillytavern", lines_of(rows(sillytavern))),
    "talks.json": ("generic_json", json.dumps([small_exports.talk("Cats", *SAID)])),
    "talks.jsonl": ("generic_json", lines_of([small_exports.talk("Cats", *SAID)])),
    "aider.md": (
        "aider",
        "# aider chat started at 2026-03-10 14:23:01\n\n"
        + "".join(f"\n#### {LINES[at]}  \n\n{LINES[at + 1]}\n" for at in PAIRS),
    ),
    "WhatsApp Chat with Ann.txt": ("whatsapp", small_exports.whatsapp(*PEOPLE)),
    "talk.md": ("generic_text", small_exports.transcript(*SAID)),
}


def database_bytes(statements):
    """Return a database as bytes, in small pages so that damage does not hit emptiness."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("pragma page_size = 512")
        for statement, *values in statements:
            connection.execute(statement, values)
        connection.commit()
        return connection.serialize()


SAMPLES = [
    *(
        (known, name, content.encode())
        for name, (known, content) in [
            *TALKS.items(),
            *CHATS.items(),
            *((name, (known, export(*LINES))) for name, (known, export) in EXPORTS.items()),
        ]
    ),
    *(
        (DATABASE_FORMATS[name], name, database_bytes(statements))
        for name, statements in DATABASES.items()
    ),
]
