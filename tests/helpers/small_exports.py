"""The smallest exports of every format, made of lines such as "me: Hello" and "ai: Hello"."""

from datetime import UTC, datetime, timedelta

BEGIN = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
THE_20TH = BEGIN.replace(day=20)


def talk(title, *lines, at=BEGIN, key=None):
    """A conversation in plain JSON, a message a minute; without a time where `at` is None."""
    messages = []
    for number, (speaker, text) in enumerate(_said(lines)):
        role = {"me": "user", "ai": "assistant"}.get(speaker, speaker)
        message = {"role": role, "content": text}
        if at:
            message["timestamp"] = (at + timedelta(minutes=number)).isoformat()
        messages.append(message)
    return {"id": key or title, "title": title, "messages": messages}


def chatgpt(title, *lines, at=BEGIN, kept=None):
    """A conversation of ChatGPT: every line answers the one before it.

    With `kept`, the lines after the first all answer the first, and that one of them was kept.
    """
    nodes, last = {}, None
    for number, (speaker, text) in enumerate(_said(lines), start=1):
        message = {
            "id": f"m{number}",
            "author": {"role": {"me": "user", "ai": "assistant"}[speaker]},
            "create_time": (at + timedelta(minutes=number - 1)).timestamp(),
            "content": {"content_type": "text", "parts": [text]},
        }
        parent = "m1" if kept and number > 1 else last
        nodes[f"m{number}"] = {"id": f"m{number}", "parent": parent, "message": message}
        last = f"m{number}"
    current = f"m{kept}" if kept else last
    return {"id": title, "title": title, "mapping": nodes, "current_node": current}


def claude(title, *lines, at=BEGIN):
    """A conversation of Claude."""
    rows = [
        {
            "uuid": f"{title}-{number}",
            "sender": {"me": "human", "ai": "assistant"}[speaker],
            "text": text,
            "created_at": (at + timedelta(minutes=number)).isoformat(),
        }
        for number, (speaker, text) in enumerate(_said(lines))
    ]
    return {"uuid": title, "name": title, "chat_messages": rows}


def telegram(title, *lines, at=BEGIN):
    """A chat of Telegram; `at` is a wall clock where it has no zone."""
    messages = []
    for number, (speaker, text) in enumerate(_said(lines), start=1):
        moment = at + timedelta(minutes=number - 1)
        message = {
            "id": number,
            "type": "message",
            "date": f"{moment:%Y-%m-%dT%H:%M:%S}",
            "from": speaker,
            "from_id": f"user{speaker}",
            "text": text,
        }
        if moment.tzinfo:
            message["date_unixtime"] = str(int(moment.timestamp()))
        messages.append(message)
    return {"name": title, "type": "personal_chat", "id": 1, "messages": messages}


def whatsapp(*lines, at=THE_20TH):
    """A chat of WhatsApp, whose clock names no zone, on a day that is no month."""
    return "".join(
        f"[{at + timedelta(minutes=number):%d.%m.%Y, %H:%M:%S}] {line}\n"
        for number, line in enumerate(lines)
    )


def longmemeval(*lines):
    """A question with one session."""
    roles = {"me": "user", "ai": "assistant"}
    session = [{"role": roles[speaker], "content": text} for speaker, text in _said(lines)]
    return {
        "question_id": "q1",
        "question": "?",
        "haystack_dates": ["2024/03/01 (Fri) 12:00"],
        "haystack_session_ids": ["s1"],
        "haystack_sessions": [session],
    }


def locomo(*lines):
    """A talk of one session."""
    rows = [
        {"speaker": speaker, "dia_id": f"D1:{number}", "text": text}
        for number, (speaker, text) in enumerate(_said(lines), start=1)
    ]
    return {"session_1_date_time": "12:00 pm on 1 March, 2024", "session_1": rows}


def transcript(*lines):
    """A transcript in plain text."""
    roles = {"me": "User", "ai": "Assistant"}
    return "\n\n".join(f"{roles[speaker]}: {text}" for speaker, text in _said(lines))


def _said(lines):
    return [tuple(line.split(": ", 1)) for line in lines]
