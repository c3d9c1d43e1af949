"""Apple's Messages database."""

import sqlite3

import pytest

from memcli.domain import Clock, Kind, Role, Skipped
from memcli.formats import ParseOptions, recognise_format
from memcli.formats.messengers import imessage
from memcli.formats.parsing.typedstream import extract_string
from memcli.formats.sources import find_sources

OLD = """
create table handle (id text);
create table chat (guid text, chat_identifier text, display_name text);
create table chat_message_join (chat_id integer, message_id integer);
create table message (guid text, text text, handle_id integer, date integer, is_from_me integer);
insert into handle values ('+1555');
insert into chat values ('iMessage;-;+1555', '+1555', ''), ('iMessage;+;c2', 'c2', 'Club');
"""
NEW = """
alter table message add column attributedBody blob;
alter table message add column associated_message_type integer;
alter table message add column item_type integer;
alter table message add column group_title text;
alter table message add column thread_originator_guid text;
alter table message add column date_edited integer;
alter table message add column date_retracted integer;
create table attachment (transfer_name text);
create table message_attachment_join (message_id integer, attachment_id integer);
"""
AT = 738_936_000  # seconds from 2001 to 2024-06-01 12:00 UTC


def archived(text):
    raw = text.encode()
    if len(raw) < 0x80:
        length = bytes([len(raw)])
    elif len(raw) < 1 << 15:
        length = b"\x81" + len(raw).to_bytes(2, "little")
    else:
        length = b"\x82" + len(raw).to_bytes(4, "little")
    head = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00"
    head += b"\x84\x84\x08NSObject\x00\x85\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+"
    return head + length + raw + b"\x86\x84\x02iI\x01\x05\x92\x84\x84\x84\x0cNSDictionary\x00"


class Database:
    """A database with messages of one chat."""

    def __init__(self, path, *schemas):
        self.path = path
        self._db = sqlite3.connect(path)
        for schema in schemas:
            self._db.executescript(schema)

    def add(self, chat=1, **fields):
        fields = {"guid": "g1", "text": "Hi", "handle_id": 1, "date": AT, "is_from_me": 0, **fields}
        names, marks = ", ".join(fields), ", ".join("?" * len(fields))
        row = self._db.execute(
            f"insert into message ({names}) values ({marks})", tuple(fields.values())
        ).lastrowid
        self._db.execute("insert into chat_message_join values (?, ?)", (chat, row))
        return row

    def execute(self, statement):
        self._db.execute(statement)

    def attach(self, message, name):
        row = self._db.execute("insert into attachment values (?)", (name,)).lastrowid
        self._db.execute("insert into message_attachment_join values (?, ?)", (message, row))

    def read(self, **options):
        self._db.commit()
        [place] = find_sources(self.path)
        [document] = place.documents()
        assert recognise_format(document) is imessage.FORMAT
        return list(imessage._parse(document, ParseOptions(**options)))

    def turns(self, **options):
        return [turn for part in self.read(**options) for turn in part.turns]


@pytest.fixture
def old(tmp_path):
    return Database(tmp_path / "chat.db", OLD)


@pytest.fixture
def new(tmp_path):
    return Database(tmp_path / "chat.db", OLD, NEW)


def test_an_old_database_is_read_in_seconds(old):
    old.add()
    old.add(2, guid="g2", text="Yo", is_from_me=1, handle_id=0)

    direct, group = old.read()

    assert (direct.source, direct.key, direct.title) == ("imessage", "iMessage;-;+1555", "+1555")
    assert (group.title, group.endless) == ("Club", True)
    [turn], [mine] = direct.turns, group.turns
    assert (turn.key, turn.role, turn.speaker, turn.text) == ("g1", Role.PERSON, "+1555", "Hi")
    assert (turn.sent_at.isoformat(), turn.clock) == ("2024-06-01T12:00:00+00:00", Clock.EXACT)
    assert (mine.role, mine.speaker) == (Role.USER, "Me")


def test_a_new_one_is_read_in_nanoseconds_and_out_of_archives(new):
    new.add(text=None, date=AT * 10**9, attributedBody=archived("Café\ufffc 😊"))

    [turn] = new.turns()

    assert (turn.text, turn.sent_at.isoformat()) == ("Café 😊", "2024-06-01T12:00:00+00:00")


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"item_type": 2, "text": None, "group_title": "Club"}, Kind.SERVICE, "Club"),
        ({"date_retracted": AT * 10**9}, Kind.DELETED, "Hi"),
        ({"associated_message_type": 1000}, Kind.TEXT, "Hi"),
    ],
)
def test_only_speech_is_text(new, fields, kind, text):
    new.add(**fields)

    assert [(turn.kind, turn.text) for turn in new.turns()] == [(kind, text)]


def test_reactions_and_empty_messages_leave_no_trace(new):
    new.add(associated_message_type=2001, text="Liked “Hi”")
    new.add(text=None)

    assert new.read() == []


def test_what_an_app_sent_is_named_and_a_subject_kept(new):
    new.execute("alter table message add column subject text")
    new.execute("alter table message add column balloon_bundle_id text")
    app = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.messages.Polls"
    new.add(text=None, balloon_bundle_id=app)
    new.add(guid="g2", subject="Gate", text="4471")

    assert [(turn.kind, turn.text) for turn in new.turns()] == [
        (Kind.MEDIA, "[Polls]"),
        (Kind.TEXT, "Gate\n4471"),
    ]


def test_a_message_that_is_in_no_chat_is_with_its_sender(new):
    new.add()
    new.execute("delete from chat_message_join")

    [found] = new.read()

    assert (found.key, found.title, len(found.turns)) == ("+1555", "+1555", 1)


def test_files_replies_and_edits_are_kept(new):
    new.attach(new.add(text="\ufffc"), "cat.heic")
    new.add(guid="g2", thread_originator_guid="g1", date_edited=(AT + 60) * 10**9)

    picture, reply = new.turns()

    assert (picture.kind, picture.text) == (Kind.MEDIA, "cat.heic")
    assert (reply.parent, reply.edited_at.isoformat()) == ("g1", "2024-06-01T12:01:00+00:00")


def test_a_text_that_cannot_be_read_is_reported(new):
    new.add(text=None, attributedBody=b"\x04\x0bstreamtyped?")

    [skipped] = new.read()

    assert isinstance(skipped, Skipped)
    assert skipped.where == "message g1"


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0x7FFF, 0x8000, 300_000])
def test_archived_texts_of_any_length_are_read(length):
    assert extract_string(archived("x" * length)) == "x" * length


def test_damaged_archives_give_none_and_never_a_part():
    whole = archived("x" * 500)

    for cut in range(len(whole)):
        assert extract_string(whole[:cut]) in (None, "x" * 500)
