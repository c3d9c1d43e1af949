import json
from dataclasses import replace
from datetime import timedelta
from io import BytesIO, TextIOWrapper
from itertools import count, pairwise
from pathlib import Path
from zipfile import ZipFile

import pytest
from helpers.builders import BEGIN, MINUTE, said, talk
from helpers.keyword_models import WordEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcli.domain import Conversation, Doubt, Skipped
from memcli.formats import Format, ParseOptions
from memcli.ingest import import_exports as work
from memcli.ingest.import_counts import ImportCounts
from memcli.ingest.import_exports import import_exports
from memcli.store import Filters, Store, query_terms

HOUR = timedelta(hours=1)


def row(name, sender, text, parent=None, minute=0):
    return {
        "uuid": name,
        "sender": sender,
        "text": text,
        "created_at": (BEGIN + minute * MINUTE).isoformat(),
        "parent_message_uuid": parent,
    }


ASKED = row("q", "human", "Where do we fly?")
LISBON = row("a", "assistant", "To Lisbon.", "q", 1)
PORTO = row("b", "assistant", "To Porto.", "q", 2)
WHEN = row("w", "human", "When?", "a", 3)


def claude(*rows, name="Trip", key="c1", leaf=None):
    return {
        "uuid": key,
        "name": name,
        "created_at": BEGIN.isoformat(),
        "current_leaf_message_uuid": leaf or rows[-1]["uuid"],
        "chat_messages": list(rows),
    }


def export(path, *conversations):
    path.write_text(json.dumps(conversations))
    return path


def whatsapp(path, *messages):
    lines = (f"13/03/2024, 12:{at:02} - {message}\n" for at, message in enumerate(messages))
    path.write_text("".join(lines))
    return path


def pieces(*conversations):
    """A format that gives these conversations, whatever the file."""
    return Format("pieces", lambda _sample: True, lambda *_: iter(conversations))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


@pytest.fixture
def take(store, tmp_path):
    """Ingest paths, or conversations as they are."""
    sizes = count()

    def take(*given, **keywords):
        if given and isinstance(given[0], Conversation):
            keywords["forced"] = pieces(*given)
            given = (tmp_path / "any.json",)
            given[0].write_text(f"{{}}{' ' * next(sizes)}")  # another content each time
        return import_exports(given, store, WordEmbedder(), ParseOptions(), **keywords)

    return take


def everything(store):
    """Every session, earliest first."""
    overviews = reversed(list(store.sessions.summaries(Filters())))
    return [store.sessions.get(overview.id) for overview in overviews]


def found(store, *words):
    """Titles of the sessions with any of the words."""
    places = store.index.match_terms("session", words, Filters(), 10)
    return [store.sessions.by_number(place.session).title for place in places]


def near(store, text):
    [vector] = WordEmbedder().embed([text])
    return store.index.nearest_passages(vector.tobytes(), WordEmbedder(), Filters(), 4096)


def test_a_conversation_is_stored_and_can_be_found(store, take, tmp_path):
    [report] = take(export(tmp_path / "conversations.json", claude(ASKED, LISBON)))

    assert report.format == "claude"
    assert (report.conversations, report.sessions, report.turns) == (
        1,
        ImportCounts(1),
        ImportCounts(2),
    )
    assert not report.damaged
    assert found(store, "lisbon") == ["Trip"]
    assert len(near(store, "lisbon")) == 1


def test_the_second_time_everything_is_unchanged(store, take, tmp_path):
    path = export(tmp_path / "conversations.json", claude(ASKED, LISBON), claude(PORTO, key="c2"))
    take(path)
    before = everything(store)

    [report] = take(path)

    assert report.sessions == ImportCounts(unchanged=2)
    assert report.turns == ImportCounts(unchanged=3)
    assert everything(store) == before


def test_a_conversation_that_grew_keeps_its_id(store, take, tmp_path):
    take(export(tmp_path / "conversations.json", claude(ASKED, LISBON)))
    [before] = everything(store)

    [report] = take(export(tmp_path / "conversations.json", claude(ASKED, LISBON, WHEN)))

    [after] = everything(store)
    assert report.sessions == ImportCounts(changed=1)
    assert report.turns == ImportCounts(new=1, unchanged=2)
    assert after.id == before.id
    assert said(after.turns) == ["Where do we fly?", "To Lisbon.", "When?"]
    assert len(near(store, "lisbon")) == 1


def test_an_edited_turn_is_replaced_and_what_it_said_is_kept(store, take, tmp_path):
    take(export(tmp_path / "conversations.json", claude(ASKED, LISBON)))

    [report] = take(
        export(tmp_path / "conversations.json", claude(ASKED, {**LISBON, "text": "To Faro."}))
    )

    assert report.turns == ImportCounts(changed=1, unchanged=1)
    assert said(everything(store)[0].turns) == ["Where do we fly?", "To Faro."]
    assert len(store.conversations.revision_digests(1)) == 1
    assert (found(store, "lisbon"), found(store, "faro")) == ([], ["Trip"])


def test_of_a_regenerated_answer_both_are_kept_and_the_chosen_one_is_found(store, take, tmp_path):
    take(export(tmp_path / "conversations.json", claude(ASKED, LISBON)))

    take(export(tmp_path / "conversations.json", claude(ASKED, LISBON, PORTO)))

    [session] = everything(store)
    assert [(turn.text, turn.active) for turn in session.turns[1:]] == [
        ("To Lisbon.", False),
        ("To Porto.", True),
    ]
    assert (found(store, "lisbon"), found(store, "porto")) == ([], ["Trip"])


def test_an_older_export_does_not_bring_back_the_answer_that_was_made_again(store, take, tmp_path):
    old = export(tmp_path / "old.json", claude(ASKED, LISBON))
    take(export(tmp_path / "new.json", claude(ASKED, LISBON, PORTO)))
    before = everything(store)

    take(old)

    assert everything(store) == before


def test_one_broken_conversation_does_not_stop_the_others(store, take, tmp_path):
    path = tmp_path / "conversations.json"
    sound, other = json.dumps(claude(ASKED)), json.dumps(claude(LISBON, name="Food", key="c2"))
    path.write_text(f'[{sound}, {{"uuid": 1 2}}, {other}]')

    [report] = take(path)

    assert report.sessions == ImportCounts(new=2, skipped=1)
    assert report.damaged
    assert [one.where for one in report.warnings] == ["conversation 2"]


def test_of_a_truncated_export_what_came_before_is_kept(store, take, tmp_path):
    path = export(tmp_path / "conversations.json", claude(ASKED), claude(LISBON, key="c2"))
    path.write_bytes(path.read_bytes()[:-40])

    [report] = take(path)

    assert report.sessions == ImportCounts(new=1, skipped=1)
    assert "ends in the middle" in report.warnings[0].why
    assert len(everything(store)) == 1


def test_lone_surrogates_and_nulls_become_text_that_can_be_stored(store, take, tmp_path):
    path = tmp_path / "conversations.json"
    text = json.dumps([claude({**ASKED, "text": "TEXT"}, name="NAME")])
    path.write_text(text.replace("TEXT", r"a\ud800b\u0000c\ud83d\ude00").replace("NAME", r"\udfff"))

    take(path)

    [session] = everything(store)
    assert said(session.turns) == ["a\ufffdbc😀"]
    assert session.title == "\ufffd"


def test_what_cannot_be_read_is_reported_and_the_rest_is_read(store, take, tmp_path):
    sound = export(tmp_path / "conversations.json", claude(ASKED))

    reports = take(tmp_path / "nothing-here", sound)

    assert [(report.format, report.damaged) for report in reports] == [
        (None, True),
        ("claude", False),
    ]
    assert f"no file or folder at {tmp_path}/nothing-here" in reports[0].warnings[0].why


def test_a_damaged_zip_does_not_hide_the_other_files_of_its_folder(store, take, tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    export(folder / "b.json", claude(ASKED))

    reports = take(folder)

    assert [(report.format, report.damaged) for report in reports] == [
        (None, True),
        ("claude", False),
    ]


def test_where_nothing_is_recognised_that_is_said(store, take, tmp_path):
    path = tmp_path / "shopping.txt"
    path.write_text("milk\nbread\n")

    [report] = take(path)

    assert report.damaged
    assert report.warnings == (Skipped(str(path), f"no chat export was recognised in {path}"),)
    assert everything(store) == []


def test_files_beside_an_export_are_passed_over_and_named(store, take, tmp_path):
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps([claude(ASKED)]))
        archive.writestr("user.json", '{"email": "ann@example.org"}')
        archive.writestr("picture.png", b"\x89PNG")

    [report] = take(tmp_path / "export.zip")

    assert (report.path, report.damaged) == (f"{tmp_path}/export.zip/conversations.json", False)
    assert report.warnings == (
        Doubt(f"{tmp_path}/export.zip", "not recognised as chat exports: picture.png, user.json"),
    )


def test_what_was_committed_before_an_interrupt_stays_and_the_rest_follows(
    store, take, tmp_path, monkeypatch
):
    monkeypatch.setattr(work, "BATCH_TURNS", 2)
    path = export(
        tmp_path / "conversations.json",
        *(claude(ASKED, LISBON, name=f"Trip {number}", key=f"c{number}") for number in range(3)),
    )

    told = []  # each batch when it is embedded, and when it is stored

    def interrupt(*done):
        told.append(done)
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(path, progress=interrupt)
    kept = {session.title for session in everything(store)}
    [report] = take(path)

    assert kept == {"Trip 0", "Trip 1"}
    assert report.sessions == ImportCounts(new=1, unchanged=2)
    assert len(near(store, "lisbon")) == 3


def test_an_interrupt_in_the_middle_of_a_batch_leaves_nothing_of_it(store, tmp_path):
    class Interrupted(WordEmbedder):
        def embed(self, texts):
            raise KeyboardInterrupt

    path = export(tmp_path / "conversations.json", claude(ASKED))

    with pytest.raises(KeyboardInterrupt):
        import_exports([path], store, Interrupted(), ParseOptions())

    assert everything(store) == []
    assert found(store, "fly") == []


def test_a_long_chat_comes_in_pieces_and_is_stored_once(store, take):
    whole = talk("Ann", *(f"Ann: message {n}" for n in range(150)), endless=True)
    parts = [replace(whole, turns=whole.turns[at : at + 50]) for at in range(0, 150, 50)]

    [report] = take(*parts)

    [session] = everything(store)
    assert session.turns == whole.turns
    assert report.sessions == ImportCounts(new=1)
    assert report.turns == ImportCounts(new=150)
    passages = {found.passage for found in near(store, "message")}
    assert len(passages) == len(near(store, "message"))


@given(
    st.lists(st.sampled_from((1, 100, 400)), min_size=2, max_size=40),
    st.sets(st.integers(1, 39)),
    st.randoms(),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_chat_in_pieces_becomes_the_same_sessions_as_in_one(
    tmp_path_factory, monkeypatch, pauses, edges, random
):
    monkeypatch.setattr("memcli.ingest.cutting.LONGEST", 7)
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO()))
    times = [BEGIN + sum(pauses[:at]) * MINUTE for at in range(len(pauses))]
    whole = talk("Ann", *(f"Ann: {at}" for at in range(len(times))), endless=True)
    spaced = tuple(replace(t, sent_at=at) for t, at in zip(whole.turns, times, strict=True))
    whole = replace(whole, turns=spaced)
    cuts = [0, *sorted(edge for edge in edges if edge < len(spaced)), len(spaced)]
    parts = [replace(whole, turns=spaced[first:last]) for first, last in pairwise(cuts)]
    shuffled = random.sample(parts, len(parts))

    def ingested(*conversations):
        path = tmp_path_factory.mktemp("pieces") / "mem.db"
        with Store(path) as store:
            for each in conversations:
                import_exports(
                    [Path("-")], store, WordEmbedder(), ParseOptions(), forced=pieces(each)
                )
            again = import_exports(
                [Path("-")], store, WordEmbedder(), ParseOptions(), forced=pieces(whole)
            )
            assert again[0].sessions.new == again[0].sessions.changed == 0
            return everything(store)

    at_once = ingested(whole)
    assert ingested(*parts) == at_once
    assert ingested(*shuffled) == at_once


def test_a_conversation_with_the_same_turn_twice_is_stored_with_one(store, take):
    whole = talk("Trip", "me: Hi", "ai: Hello")

    take(replace(whole, turns=(*whole.turns, *whole.turns)))

    assert everything(store)[0].turns == whole.turns


def test_turns_can_move_from_one_session_of_a_chat_to_another(store, take):
    chat = talk("Ann", "Ann: a", "Bob: b", "Ann: c", step=100 * HOUR, endless=True)
    take(chat)
    first, second, third = chat.turns

    take(
        replace(
            chat,
            turns=(
                first,
                replace(third, sent_at=BEGIN + MINUTE),
                replace(second, sent_at=BEGIN + 200 * HOUR),
            ),
        )
    )

    assert [said(one.turns) for one in everything(store)] == [["a", "c"], ["b"]]


def test_whatsapp_chats_that_overlap_are_one(store, take, tmp_path):
    chat = "WhatsApp Chat with Ann.txt"
    (tmp_path / "new").mkdir()
    take(whatsapp(tmp_path / chat, "Ann: one", "Bob: two"))

    take(whatsapp(tmp_path / "new" / chat, "Ann: one", "Bob: two", "Ann: three"))

    assert [said(one.turns) for one in everything(store)] == [["one", "two", "three"]]


def test_words_of_an_endless_chat_can_be_asked_for(store, take, tmp_path):
    take(whatsapp(tmp_path / "WhatsApp Chat with Ann.txt", "Ann: I bought hazelnuts", "Bob: ok"))

    assert found(store, *query_terms("Who buys hazelnuts?")) == ["Ann"]


def test_an_empty_conversation_leaves_no_trace(store, take):
    [report] = take(Conversation("notes", "k", "Empty", ()))

    assert (report.conversations, report.sessions) == (0, ImportCounts())
    assert everything(store) == []
