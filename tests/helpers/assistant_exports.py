"""Small exports of assistants and coding agents: what a person said and what came back, in turn."""

import json
from itertools import pairwise

STARTED = 1_780_000_000_000  # milliseconds: 28 May 2026


def stamp(at):
    """Return the time of a message as ISO 8601, a minute after the one before it."""
    return f"2026-05-28T10:{at:02}:00.000Z"


def lines_of(rows):
    """Return JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def llama_message(at, text, parent, **more):
    """Return a message of llama.cpp's web page; even ones are the person's."""
    role = "assistant" if at % 2 else "user"
    return {
        "id": f"m{at}",
        "convId": "c1",
        "type": "text",
        "role": role,
        "content": text,
        "timestamp": STARTED + 60_000 * at,
        "parent": parent,
        "children": [],
        **more,
    }


def llama_cpp(*texts):
    """Return a conversation of llama.cpp's web page."""
    root = llama_message(0, "", None, id="root", type="root", role="system")
    messages = [
        llama_message(at, text, f"m{at - 1}" if at else "root") for at, text in enumerate(texts)
    ]
    conv = {"id": "c1", "name": "Hulls", "currNode": messages[-1]["id"], "lastModified": STARTED}
    return {"conv": conv, "messages": [root, *messages]}


def llama_lines(*texts):
    """Return the same conversation as JSON lines."""
    export = llama_cpp(*texts)
    head = {"type": "session", "harness": "llama.app", **export["conv"]}
    return lines_of([head, *({"type": "message", "message": one} for one in export["messages"])])


def librechat_message(at, text, parent, **more):
    """Return a message of LibreChat; even ones are the person's."""
    return {
        "messageId": f"m{at}",
        "parentMessageId": parent,
        "sender": "GPT" if at % 2 else "User",
        "text": text,
        "isCreatedByUser": at % 2 == 0,
        "createdAt": stamp(at),
        **more,
    }


def librechat(*texts, recursive=False):
    """Return LibreChat's export of a conversation."""
    head = {"conversationId": "l1", "title": "Hulls", "recursive": recursive}
    root = "00000000-0000-0000-0000-000000000000"
    messages = [
        librechat_message(at, text, f"m{at - 1}" if at else root) for at, text in enumerate(texts)
    ]
    if recursive:
        for outer, inner in pairwise(messages):
            outer["children"] = [inner]
        messages = messages[:1]
    return {**head, "messages": messages}


def cai_turn(at, *versions, kept=-1):
    """Return a turn of Character.AI with its versions; even ones are the person's."""
    candidates = [
        {"candidate_id": f"t{at}.{number}", "create_time": stamp(at), "raw_content": text}
        for number, text in enumerate(versions)
    ]
    return {
        "turn_key": {"chat_id": "k1", "turn_id": f"t{at}"},
        "create_time": stamp(at),
        "author": {"author_id": str(at % 2), "name": "Sailor" if at % 2 else "Odile"}
        | ({} if at % 2 else {"is_human": True}),
        "candidates": candidates,
        "primary_candidate_id": candidates[kept]["candidate_id"],
    }


def character_ai(*texts):
    """Return a chat with a character, the newest turn first."""
    turns = [cai_turn(at, text) for at, text in enumerate(texts)]
    return {"chats": [{"chat_id": "k1", "turns": turns[::-1]}]}


def poe_markdown(*texts):
    """Return the Markdown that bots of Poe write."""
    names = ("User", "Claude-Sonnet-5")
    return "\n\n---\n\n".join(f"{names[at % 2]}:\n\n{text}" for at, text in enumerate(texts))


def x_grok(*texts):
    """Return a chat with Grok in an archive of X, the newest item first."""
    items = [
        {
            "grokChatItem": {
                "accountId": "1",
                "chatId": "g1",
                "createdAt": stamp(at),
                "sender": {"name": "Agent" if at % 2 else "User"},
                "message": text,
            }
        }
        for at, text in enumerate(texts)
    ]
    return f"window.YTD.grok_chat_item.part0 = {json.dumps(items[::-1], indent=2)}"


def vscode_requests(*texts):
    """Return requests of VS Code, each with a prompt and its response."""
    return [
        {
            "requestId": f"r{at}",
            "message": {"text": texts[at], "parts": []},
            "variableData": {"variables": []},
            "response": [{"value": texts[at + 1]}],
            "timestamp": STARTED + 60_000 * at,
        }
        for at in range(0, len(texts) - 1, 2)
    ]


def vscode_copilot(*texts):
    """Return a chat session of VS Code."""
    requests = vscode_requests(*texts)
    return {"version": 3, "sessionId": "v1", "customTitle": "Hulls", "requests": requests}


def vscode_log(*texts):
    """Return the same session as a log of changes."""
    first, *others = vscode_requests(*texts)
    session = {"version": 3, "sessionId": "v1", "requests": [first]}
    title = {"kind": 1, "k": ["customTitle"], "v": "Hulls"}
    changes = [{"kind": 2, "k": ["requests"], "v": [request]} for request in others]
    return lines_of([{"kind": 0, "v": session}, title, *changes])


def copilot_cli(*texts):
    """Return the log of a session of GitHub Copilot CLI."""
    kinds = ("user.message", "assistant.message")
    head = {"type": "session.start", "data": {"sessionId": "s1"}, "id": "e", "timestamp": stamp(0)}
    return lines_of(
        [
            head,
            *(
                {
                    "type": kinds[at % 2],
                    "data": {"content": text},
                    "id": f"e{at}",
                    "timestamp": stamp(at),
                }
                for at, text in enumerate(texts)
            ),
        ]
    )


def cursor_lines(*texts):
    """Return a transcript of a Cursor agent as JSON lines."""
    return lines_of(
        {
            "role": "assistant" if at % 2 else "user",
            "message": {"content": [{"type": "text", "text": _asked(text, at)}]},
        }
        for at, text in enumerate(texts)
    )


def cursor_text(*texts):
    """Return a transcript of a Cursor agent as text."""
    labels = ("user:", "assistant:")
    return "\n\n".join(f"{labels[at % 2]}\n{_asked(text, at)}" for at, text in enumerate(texts))


def _asked(text, at):
    return text if at % 2 else f"<user_query>\n{text}\n</user_query>"


def windsurf(*texts):
    """Return a transcript of Windsurf."""
    return lines_of(
        {"type": "planner_response", "status": "done", "planner_response": {"response": text}}
        if at % 2
        else {"type": "user_input", "status": "done", "user_input": {"user_response": text}}
        for at, text in enumerate(texts)
    )


def qwen_code(*texts):
    """Return the log of a session of Qwen Code."""
    return lines_of(
        {
            "uuid": f"u{at}",
            "parentUuid": f"u{at - 1}" if at else None,
            "sessionId": "q1",
            "timestamp": stamp(at),
            "type": "assistant" if at % 2 else "user",
            "message": {"role": "model" if at % 2 else "user", "parts": [{"text": text}]},
        }
        for at, text in enumerate(texts)
    )


# A file of each new format, by its name.
EXPORTS = {
    "llama.json": ("llama_cpp", lambda *texts: json.dumps([llama_cpp(*texts)])),
    "llama.jsonl": ("llama_cpp", llama_lines),
    "librechat.json": ("librechat", lambda *texts: json.dumps(librechat(*texts), indent=1)),
    "librechat-tree.json": (
        "librechat",
        lambda *texts: json.dumps(librechat(*texts, recursive=True)),
    ),
    "character.json": ("character_ai", lambda *texts: json.dumps(character_ai(*texts))),
    "poe.md": ("poe", poe_markdown),
    "grok-chat-item.js": ("x_grok", x_grok),
    "vscode.json": ("vscode_copilot", lambda *texts: json.dumps(vscode_copilot(*texts))),
    "vscode.jsonl": ("vscode_copilot", vscode_log),
    "events.jsonl": ("copilot_cli", copilot_cli),
    "cursor.jsonl": ("cursor", cursor_lines),
    "cursor.txt": ("cursor", cursor_text),
    "windsurf.jsonl": ("windsurf", windsurf),
    "qwen.jsonl": ("qwen_code", qwen_code),
}
