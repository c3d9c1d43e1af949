"""However an export is written, wrapped, split and repeated: the same sessions, turns and ids."""

import json
import sqlite3
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest
from builders import BEGIN, MINUTE
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.backends.fake import WordEmbedder
from memcli.formats import Reading
from memcli.pipeline.ingest import ingest
from memcli.store import Filters, Store

DAY = timedelta(days=1)
FEW = settings(max_examples=15)
TURNS = """
    select source, conversations.key, endless, as_of, public, title, started_at, ended_at,
        sessions.utc_offset, participants, position, turns.key, parent, role, speaker, text,
        sent_at, turns.utc_offset, clock, kind, active, edited_at, missing, included
    from turns join sessions on sessions.id = session_id
        join conversations on conversations.id = sessions.conversation_id
    order by source, conversations.key, public, position
"""
PASSAGES = """
    select public, first, last, start, stop from passages join sessions on sessions.id = session_id
    order by public, first, start
"""
MARKS = slice(20, 23)  # active, edited_at, missing: what a newer copy may change
TEXT = 15


def imported(*runs):
    """Everything that matters in a new database after running `mem ingest` on these files.

    A run is the files of an export, by name; each run has a folder of its own.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "mem.db") as store:
            for number, run in enumerate(runs):
                take(store, folder / str(number), run)
        return dump(folder / "mem.db")


def take(store, folder, run):
    """Write an export into a folder and ingest it file by file, in the order given."""
    for file, content in run.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ingest([folder / file for file in run], store, WordEmbedder(), Reading())


def dump(path):
    database = sqlite3.connect(path)
    try:
        return database.execute(TURNS).fetchall(), database.execute(PASSAGES).fetchall()
    finally:
        database.close()


# Exports, each a list of parts that can be written apart: conversations, or the days of a chat.


def chatgpt(random):
    return [chatgpt_conversation(random, number) for number in range(random.randint(1, 4))]


def chatgpt_conversation(random, number):
    names = [f"n{number}-{at}" for at in range(random.randint(2, 8))]
    nodes = {"root": {"id": "root", "message": None, "parent": None, "children": [names[0]]}}
    parents = ["root"]
    for at, name in enumerate(names):
        moment = BEGIN + number * DAY + random.randint(0, 20) * MINUTE
        parent = random.choice(parents[-3:])
        message = {
            "id": name,
            "author": {"role": "assistant" if at % 2 else "user"},
            "create_time": random.choice((moment.timestamp(), moment.timestamp(), None)),
            "content": {"content_type": "text", "parts": [f"text {random.randint(0, 3)}"]},
        }
        nodes[name] = {"id": name, "message": message, "parent": parent, "children": []}
        nodes[parent]["children"].append(name)
        parents.append(name)
    return {
        "conversation_id": f"c{number}",
        "title": f"Talk {number}",
        "create_time": BEGIN.timestamp(),
        "mapping": nodes,
        "current_node": random.choice(names),
    }


def claude(random):
    return [claude_conversation(random, number) for number in range(random.randint(1, 4))]


def claude_conversation(random, number):
    linked = random.random() < 0.5  # newer exports name parents
    rows = []
    for at in range(random.randint(2, 8)):
        minute = at if not linked else random.randint(0, 5)
        row = {
            "uuid": f"r{number}-{at}",
            "sender": "assistant" if at % 2 else "human",
            "text": f"text {random.randint(0, 3)}",
            "created_at": (BEGIN + number * DAY + minute * MINUTE).isoformat(),
        }
        if linked and rows:
            row["parent_message_uuid"] = random.choice(rows[-3:])["uuid"]
        rows.append(row)
    return {"uuid": f"c{number}", "name": f"Talk {number}", "chat_messages": rows}


def days(random):
    """Minutes at which something is said, by day: some days hold long talks, some nothing."""
    spans = [range(random.choice((0, 1, 3, 40, 250))) for _ in range(random.randint(2, 6))]
    return [
        [day * 1440 + start + at // 2 for at in span]
        for day, span in enumerate(spans)
        for start in (random.randint(0, 1300),)
    ]


def telegram(random):
    rows, number = [], 0
    for minutes in days(random):
        rows.append([])
        for minute in minutes:
            number += 1
            moment = BEGIN + minute * MINUTE
            rows[-1].append(
                {
                    "id": number,
                    "type": "message",
                    "date": f"{moment:%Y-%m-%dT%H:%M:%S}",
                    "date_unixtime": str(int(moment.timestamp())),
                    "from": random.choice(("Ann", "Bob")),
                    "from_id": "user7",
                    "text": f"text {random.randint(0, 3)}",
                }
            )
    return rows


def whatsapp(random):
    at = BEGIN.replace(day=20, hour=0)  # no month: the order of day and month is plain
    return [
        [
            f"[{at + minute * MINUTE:%d.%m.%Y, %H:%M:%S}] {random.choice(('Ann', 'Bob'))}:"
            f" text {random.randint(0, 3)}\n"
            for minute in minutes
        ]
        for minutes in days(random)
    ]


def in_a_list(parts):
    return {"conversations.json": json.dumps(parts)}


def in_a_chat(parts):
    messages = [message for part in parts for message in part]
    chat = {"name": "Ann", "type": "private_group", "id": 1, "messages": messages}
    return {"result.json": json.dumps(chat)}


def in_a_text(parts):
    return {"WhatsApp Chat with Ann.txt": "".join(line for part in parts for line in part)}


KINDS = {
    "chatgpt": (chatgpt, in_a_list),
    "claude": (claude, in_a_list),
    "telegram": (telegram, in_a_chat),
    "whatsapp": (whatsapp, in_a_text),
}
every_kind = pytest.mark.parametrize(("make", "write"), KINDS.values(), ids=KINDS)


def reordered(value, random, lists):
    """The same value with the keys of all objects, and the rows of these lists, in any order."""
    if isinstance(value, dict):
        inner = {
            key: random.sample(one, len(one)) if key in lists and isinstance(one, list) else one
            for key, one in value.items()
        }
        keys = random.sample(sorted(inner), len(inner))
        return {key: reordered(inner[key], random, lists) for key in keys}
    if isinstance(value, list):
        return [reordered(one, random, lists) for one in value]
    return value


@pytest.mark.parametrize("kind", ["chatgpt", "claude", "telegram"])
@FEW
@given(random=st.randoms())
def test_the_order_of_keys_and_rows_means_nothing(kind, random):
    make, write = KINDS[kind]
    parts = make(random)
    [(file, content)] = write(parts).items()
    mixed = reordered(json.loads(content), random, {"messages", "chat_messages", "children"})
    if isinstance(mixed, list):
        random.shuffle(mixed)

    assert imported({file: json.dumps(mixed)}) == imported({file: content})


@FEW
@given(random=st.randoms())
def test_chatgpt_without_its_children_is_the_same(random):
    parts = chatgpt(random)
    whole = imported(in_a_list(parts))
    for part in parts:
        for node in part["mapping"].values():
            del node["children"]

    assert imported(in_a_list(parts)) == whole


@every_kind
@FEW
@given(random=st.randoms())
def test_the_parts_of_an_export_make_the_whole_in_any_order_and_overlapping(make, write, random):
    parts = make(random)
    cuts = [0, *sorted(random.sample(range(len(parts) + 1), min(2, len(parts)))), len(parts)]
    overlap = random.choice((0, 1))
    pieces = [parts[max(first - overlap, 0) : last] for first, last in pairwise(cuts)]
    pieces = [piece for piece in pieces if any(piece)]
    random.shuffle(pieces)

    whole = imported(write(parts))

    assert imported(*map(write, pieces)) == whole
    assert imported(*map(write, pieces), write(parts)) == whole
    assert imported(write(parts), *map(write, pieces)) == whole
