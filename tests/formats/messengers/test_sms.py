"""SMS Backup & Restore."""

from io import BytesIO

import pytest

from memcli.domain import Clock, Conversation, Kind, Role
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import sms
from memcli.formats.sources import find_sources

AT = "1717236000000"
HI = f'<sms address="+1 555-1" date="{AT}" type="1" body="Hi" contact_name="Ann" />'
MMS = f"""<mms date="{AT}" msg_box="1" address="+15551~+15552" sub="null">
<parts><part ct="application/smil" text="no" /><part ct="text/plain" text="Look" />
<part ct="image/jpeg" cl="cat.jpg" data="AAAA" /></parts>
<addrs><addr address="+15552" type="137" /></addrs></mms>"""


def document(*messages, raw=None):
    text = f"<?xml version='1.0' encoding='UTF-8'?>\n<smses>{''.join(messages)}</smses>"
    return Document("sms.xml", lambda: BytesIO(raw or text.encode()))


def read(*messages, **options):
    return list(sms._parse(document(*messages), ParseOptions(**options)))


def turns(*messages, **options):
    return [turn for part in read(*messages, **options) for turn in part.turns]


def test_a_backup_is_recognised_by_its_root_and_a_message():
    assert recognise_format(document(HI)) is sms.FORMAT
    assert recognise_format(document(raw=b"<smses></smses>")) is None
    assert recognise_format(document(raw=b"<calls><sms body='Hi'/></calls>")) is None


def test_a_number_identifies_a_conversation_however_it_is_written():
    [found] = read(HI, HI.replace("+1 555-1", "+15551").replace('"1"', '"2"'), me="Bob")

    assert (found.source, found.key, found.title, found.endless) == ("sms", "+15551", "Ann", True)
    assert [(turn.role, turn.speaker) for turn in found.turns] == [
        (Role.PERSON, "Ann"),
        (Role.USER, "Bob"),
    ]
    assert (found.turns[0].sent_at.isoformat(), found.turns[0].clock) == (
        *("2024-06-01T10:00:00+00:00", Clock.EXACT),
    )


def test_a_message_with_media_has_its_text_and_its_sender():
    [found] = read(MMS)

    assert (found.key, found.title) == ("+15551~+15552", "+15551, +15552")
    assert [(turn.speaker, turn.text) for turn in found.turns] == [("+15552", "Look\n[cat.jpg]")]


def test_a_picture_alone_is_named():
    [turn] = turns(MMS.replace("text/plain", "application/smil"))

    assert (turn.kind, turn.text) == (Kind.MEDIA, "cat.jpg")


@pytest.mark.parametrize("box", ["3", "4", "5", "6"])
def test_drafts_and_failures_are_left_out(box):
    assert read(HI.replace('"1"', f'"{box}"')) == []


def test_equal_messages_are_all_kept():
    assert len({turn.key for turn in turns(HI, HI)}) == 2


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a &amp; b&#10;c", "a & b\nc"),
        ("&#55357;&#56842;", "😊"),
        ("&#128522;", "😊"),
        ("&#55357; x &#1;", "\ufffd x \ufffd"),
    ],
)
def test_broken_characters_are_repaired(written, expected):
    assert [turn.text for turn in turns(HI.replace("Hi", written))] == [expected]


def test_halves_of_characters_are_joined_wherever_blocks_end():
    body = "&#55357;&#56842;" * 40_000

    [turn] = turns(HI.replace("Hi", f"x{body}"))

    assert turn.text == "x" + "😊" * 40_000


def test_a_document_type_is_refused():
    raw = b'<?xml version="1.0"?><!DOCTYPE smses [<!ENTITY a "b">]><smses><sms body="&a;"/></smses>'

    with pytest.raises(InputError, match="document type"):
        list(sms._parse(document(raw=raw), ParseOptions()))


def test_messages_before_damage_are_kept():
    whole = b"<smses>" + HI.encode() + b"<sms "
    found = []

    with pytest.raises(InputError, match="is not XML"):
        found.extend(
            sms._parse(document(raw=whole), ParseOptions())
        )  # extend keeps what came before
    assert [len(part.turns) for part in found] == [1]


def test_the_sample_is_found_and_counted(samples):
    """INDEX.tsv takes the message with media for one of the same talk: its sender is another."""
    [path] = samples.glob("sms/*/tests/fixtures/sms_backup.xml")
    [place] = find_sources(path)
    [found] = place.documents()

    talks = [part for part in sms._parse(found, ParseOptions()) if isinstance(part, Conversation)]

    assert recognise_format(found) is sms.FORMAT
    assert [len(talk.turns) for talk in talks] == [2, 1]


def test_calls_are_notices_in_the_conversation_with_their_number():
    def call(minute, kind, seconds=0, number="+1 555-1", name="Ann"):
        date = int(AT) + minute * 60_000
        return (
            f'<call number="{number}" duration="{seconds}" date="{date}" type="{kind}"'
            f' presentation="1" contact_name="{name}" />'
        )

    calls = (
        call(1, 1, 125),
        call(2, 2, 3600),
        call(3, 3),
        call(4, 9),
        call(5, 3, number="-2", name="(Unknown)"),
    )
    text = f"<?xml version='1.0'?><calls count='5'>{''.join(calls)}</calls>"
    found = document(raw=text.encode())
    assert recognise_format(found) is sms.FORMAT

    ann, unknown = sms._parse(found, ParseOptions(me="Odile"))

    assert (ann.key, ann.title) == ("+15551", "Ann")
    assert ann.key == read(HI)[0].key
    assert [(turn.role, turn.kind, turn.speaker, turn.text) for turn in ann.turns] == [
        (Role.SYSTEM, Kind.CALL, "Ann", "incoming call, 2:05"),
        (Role.SYSTEM, Kind.CALL, "Odile", "outgoing call, 60:00"),
        (Role.SYSTEM, Kind.CALL, "Ann", "missed call"),
        (Role.SYSTEM, Kind.CALL, "Ann", "call"),
    ]
    assert (unknown.key, unknown.title) == ("unknown", "unknown number")
    assert found.counter.count_unexplained(5) == 0
