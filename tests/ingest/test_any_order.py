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
from helpers.builders import BEGIN, MINUTE
from helpers.keyword_models import WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from memcli.formats import ParseOptions
from memcli.ingest.import_exports import import_exports
from memcli.store import Filters, Store
from memcli.store.tables.packed_texts import unpack_texts

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
FEW = settings(max_examples=8)
RANDOM = st.randoms(use_true_random=True)  # a seed: an export has more choices than may be drawn
TURNS = """
    select source, conversations.key, endless, as_of, public, title, started_at, ended_at,
        sessions.utc_offset, participants, position, turns.key, parent, role, speaker,
        text_of(packed, position), sent_at, turns.utc_offset, clock, kind, active,
        edited_at, missing, included
    from turns join sessions on sessions.id = session_id join texts using (session_id)
        join conversations on conversations.id = sessions.conversation_id
    order by source, conversations.key, public, position
"""
PASSAGES = """
    select public, first, last, start, stop from passages join sessions on sessions.id = session_id
    order by public, first, start
"""


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
    return import_exports([folder / file for file in run], store, WordEmbedder(), ParseOptions())


def dump(path):
    database = sqlite3.connect(path)
    database.create_function("text_of", 2, lambda packed, at: unpack_texts(packed)[at - 1])
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
            if number > 1 and random.random() < 0.1:
                answered = random.randint(max(number - 60, 1), number - 1)
                rows[-1][-1]["reply_to_message_id"] = answered
            if random.random() < 0.1:
                edited = int((moment + DAY).timestamp())
                rows[-1][-1]["edited_unixtime"] = str(edited)
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
@given(random=RANDOM)
def test_the_order_of_keys_and_rows_means_nothing(kind, random):
    make, write = KINDS[kind]
    parts = make(random)
    [(file, content)] = write(parts).items()
    mixed = reordered(json.loads(content), random, {"messages", "chat_messages", "children"})
    if isinstance(mixed, list):
        random.shuffle(mixed)

    assert imported({file: json.dumps(mixed)}) == imported({file: content})


@FEW
@given(random=RANDOM)
def test_chatgpt_without_its_children_is_the_same(random):
    parts = chatgpt(random)
    whole = imported(in_a_list(parts))
    for part in parts:
        for node in part["mapping"].values():
            del node["children"]

    assert imported(in_a_list(parts)) == whole


@every_kind
@FEW
@given(random=RANDOM)
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


def zipped(files):
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return packed.getvalue()


def wrapped(files, how):
    """The same files in another wrapping."""
    if how == "folder":
        return {f"export/2024/{file}": content for file, content in files.items()}
    if how == "zip":
        return {"export.zip": zipped(files)}
    if how == "zip in a zip":
        return {"all.zip": zipped({"export.zip": zipped(files), "readme.txt": "Hello"})}
    return files


@pytest.mark.parametrize("how", ["folder", "zip", "zip in a zip"])
@settings(max_examples=3)
@given(random=RANDOM)
def test_the_wrapping_of_an_export_means_nothing(how, random):
    files = {}
    for make, write in KINDS.values():
        parts = make(random)
        files |= {f"{make.__name__}/{file}": content for file, content in write(parts).items()}
    mixed = dict(random.sample(sorted(files.items()), len(files)))

    plain = imported(files)

    assert imported(wrapped(mixed, how)) == plain
    assert imported(files, wrapped(mixed, how)) == plain


@every_kind
@settings(max_examples=3)
@given(random=RANDOM)
def test_a_second_import_changes_nothing_not_even_a_row(make, write, random):
    files = write(make(random))
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "mem.db") as store:
            first = take(store, folder, files)
        before = everything_but_files(folder / "mem.db")
        with Store(folder / "mem.db") as store:
            second = take(store, folder / "again", files)

        assert everything_but_files(folder / "mem.db") == before
    assert all(report.idle or report.warnings for report in second)
    assert [one.turns.new + one.turns.changed for one in second] == [0] * len(second)
    assert [one.turns.unchanged for one in second] == [one.turns.new for one in first]


def everything_but_files(path):
    """Every row of every table, but for what is known of files and their places."""
    database = sqlite3.connect(path)
    try:
        names = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        plain = [name for (name,) in names if "_" not in name and name not in ("files", "sources")]
        return {name: database.execute(f"select * from {name}").fetchall() for name in plain}
    finally:
        database.close()


@pytest.mark.parametrize("kind", ["chatgpt", "claude"])
@FEW
@given(random=RANDOM)
def test_exports_of_a_growing_account_end_the_same_in_any_order(kind, random):
    make, write = KINDS[kind]
    exports = grown(kind, make(random), random)
    in_order = imported(*map(write, exports))

    random.shuffle(exports)

    assert imported(*map(write, exports)) == in_order


def grown(kind, parts, random):
    """An account as it was exported now and then, the last time whole.

    Every message has a time of its own: of two copies that end at one time none is the newer.
    """
    parts = [one_by_one(kind, part) for part in parts]
    exports = [parts]
    for _ in range(2):
        parts = [part for part in parts if random.random() < 0.8 or len(parts) == 1]
        parts = [shorter(kind, part, random) for part in parts]
        exports.insert(0, parts)
    return exports


def one_by_one(kind, part):
    if kind == "claude":
        rows = [
            {**row, "created_at": (BEGIN + at * MINUTE).isoformat()}
            for at, row in enumerate(part["chat_messages"])
        ]
        return {**part, "chat_messages": rows}
    for at, node in enumerate(part["mapping"].values()):
        if node["message"]:
            node["message"]["create_time"] = (BEGIN + at * MINUTE).timestamp()
    return part


def shorter(kind, part, random):
    """A conversation as it was before its last messages."""
    if kind == "claude":
        rows = part["chat_messages"]
        return {**part, "chat_messages": rows[: random.randint(1, len(rows))]}
    names = [name for name in part["mapping"] if name != "root"]
    kept = ["root", *names[: random.randint(1, len(names))]]
    if len(kept) == len(part["mapping"]):
        return part
    nodes = {name: {**part["mapping"][name]} for name in kept}
    for node in nodes.values():
        node["children"] = [child for child in node["children"] if child in nodes]
    return {**part, "mapping": nodes, "current_node": kept[-1]}


@every_kind
@FEW
@given(random=RANDOM)
def test_a_part_of_a_later_export_deletes_nothing(make, write, random):
    parts = make(random)
    some = [part for part in parts if random.random() < 0.5]

    turns, _ = imported(write(parts), *([write(some)] if any(some) else []))

    assert said(turns) == said(imported(write(parts))[0])


def said(turns):
    return [(row[1], *row[10:20]) for row in turns]


@every_kind
@settings(max_examples=3)
@given(random=RANDOM)
def test_what_was_forgotten_does_not_come_back_with_its_file(make, write, random):
    files = write(make(random))
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "mem.db") as store:
            take(store, folder, files)
            [first, *_] = [one.id for one in store.sessions.summaries(Filters())] or [None]
            if first:
                store.deletion.forget([first])
        kept = dump(folder / "mem.db")
        with Store(folder / "mem.db") as store:
            take(store, folder, files)
            take(store, folder / "again", wrapped(files, "zip"))

        assert first is None or first not in {row[4] for row in kept[0]}
        assert dump(folder / "mem.db") == kept
