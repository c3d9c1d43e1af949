"""What is forgotten leaves no byte behind and does not come back."""

import apsw
import numpy as np
import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.keyword_models import WordEmbedder
from helpers.stored_texts import packed

from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportCounts, ImportTally
from memcli.store import Filters, Store
from memcli.store.index.quantization import quantize_vectors

SECRET = talk("Diagnosis", "me: The xylophone result is bad.", "ai: I am sorry.")
LONG_SECRET = talk("Results", *(f"me: The {word} xylophone result is bad." for word in "abcdefgh"))
OTHER = talk("Lisbon", "me: We fly in May.")
APART = 4 * 24 * 60 * MINUTE  # messages of a chat this far apart are in sessions of their own
CHAT = talk("Ann", "Ann: the quixotic plan", "Ann: goodbye", step=APART, endless=True)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as opened:
        take(opened, SECRET, OTHER, CHAT)
        yield opened


def take(store, *conversations):
    tally = ImportTally()
    ConversationImporter(store, WordEmbedder()).import_batch(conversations, tally)
    return tally.session_counts(0)


def titles(store):
    return sorted(one.title for one in store.sessions.summaries(Filters()))


def id_of(store, title):
    return next(one.id for one in store.sessions.summaries(Filters()) if one.title == title)


def words(path):
    """Every term of the full text."""
    database = apsw.Connection(str(path))
    for table in ("session_words", "passage_words", "turn_words"):
        database.execute(f"create virtual table temp.v using fts5vocab('main', '{table}', 'row')")
        yield from (term for (term,) in database.execute("select term from temp.v"))
        database.execute("drop table temp.v")
    database.close()


def test_no_byte_of_a_forgotten_session_is_left(store, tmp_path):
    said = "user: The xylophone result is bad.\nassistant: I am sorry."
    [vector] = quantize_vectors(WordEmbedder().embed([said]))
    bits = np.packbits(np.frombuffer(vector, np.int8) > 0, bitorder="little").tobytes()
    files = [tmp_path / name for name in ("mem.db", "mem.db-wal")]
    assert any(b"xylophone" in file.read_bytes() for file in files)
    for trace in (vector, bits):
        assert any(trace in file.read_bytes() for file in files)

    assert store.deletion.forget([id_of(store, "Diagnosis")])

    assert titles(store) == ["Ann", "Ann", "Lisbon"]
    for file in files:
        assert b"xylophone" not in file.read_bytes()
        assert b"Diagnosis" not in file.read_bytes()
        assert vector not in file.read_bytes()
        assert bits not in file.read_bytes()
    assert not {"xylophon", "diagnosi"} & set(words(tmp_path / "mem.db"))
    assert {"lisbon", "goodby"} < set(words(tmp_path / "mem.db"))


def test_no_byte_of_the_compressed_texts_of_a_forgotten_session_is_left(store, tmp_path):
    take(store, LONG_SECRET)
    value = packed(store, id_of(store, "Results"))
    assert b"xylophone result" not in value[40:]  # it is compressed
    pieces = [value[at : at + 12] for at in range(0, len(value), 12)]
    files = [tmp_path / name for name in ("mem.db", "mem.db-wal")]
    assert any(value in file.read_bytes() for file in files)

    assert store.deletion.forget([id_of(store, "Results")])

    raw = b"".join(file.read_bytes() for file in files)
    assert [piece for piece in pieces[:-1] if piece in raw] == []
    assert store.health.check_checksums() == store.health.check_file() == []


def test_a_forgotten_conversation_does_not_come_back_not_even_when_it_grew(store):
    store.deletion.forget([id_of(store, "Diagnosis")])

    assert take(store, SECRET) == ImportCounts()
    grown = talk("Diagnosis", "me: The xylophone result is bad.", "ai: I am sorry.", "me: Thanks")
    assert take(store, grown) == ImportCounts()
    assert titles(store) == ["Ann", "Ann", "Lisbon"]


def test_of_an_endless_chat_only_the_forgotten_stretch_stays_away(store):
    earliest = min(store.sessions.summaries(Filters()), key=lambda one: (one.title, one.started_at))
    assert earliest.title == "Ann"
    store.deletion.forget([earliest.id])

    later = talk("Ann", *(f"Ann: {n}" for n in "abc"), step=APART, endless=True)
    take(store, CHAT, later)

    chats = [one for one in store.sessions.summaries(Filters()) if one.title == "Ann"]
    turns = [turn.text for one in chats for turn in store.sessions.get(one.id).turns]
    assert sorted(turns) == ["b", "c"]
    assert all(one.started_at > BEGIN for one in chats)


def test_what_models_said_and_files_gave_is_forgotten_as_well(store, tmp_path):
    store.cache.put({"key": {"thought": "the xylophone result"}})

    store.deletion.forget([id_of(store, "Diagnosis")])

    assert store.cache.get("key") is None
    assert b"xylophone" not in (tmp_path / "mem.db").read_bytes()


def test_while_another_process_reads_the_last_bytes_wait(store, tmp_path):
    reader = apsw.Connection(str(tmp_path / "mem.db"))
    reading = reader.execute("select * from turns")
    next(reading)

    assert not store.deletion.forget([id_of(store, "Diagnosis")])

    reading.close()
    reader.close()
    assert titles(store) == ["Ann", "Ann", "Lisbon"]
