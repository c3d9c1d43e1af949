"""Viber, Threema, Zoom and IRC."""

import sqlite3
from contextlib import closing

import pytest
from helpers.parsing import account, document, parse_all, parse_one, show_turns

from memcli.formats import load_format, recognise_format

VIBER, THREEMA = load_format("viber"), load_format("threema")
ZOOM, IRC = load_format("zoom"), load_format("irc")


def moments(known, content, name, **others):
    assert recognise_format(document(content, name, **others)) is known
    return [turn[1:] for turn in show_turns(known, content, name, **others)]


def test_vibers_table_has_no_header():
    content = (
        "16/09/2014,09:58:05,Ann,+385911111111,Hello\n"
        '16/09/2014,09:59:05,Me,+385922222222,"the gate, code\n8812"\n'
        "17/09/2014,10:00:05,Ann,+385911111111,thanks, friend\n"
    )

    assert moments(VIBER, content, "Ann.csv") == [
        ("2014-09-16T09:58:05+00:00", "Ann", "text", "Hello"),
        ("2014-09-16T09:59:05+00:00", "owner", "text", "the gate, code\n8812"),
        ("2014-09-17T10:00:05+00:00", "Ann", "text", "thanks, friend"),
    ]


def test_copied_messages_of_viber_have_dates_in_brackets():
    content = "[ 14 March 2022 10:14 ] Ann: the gate\nsecond\n[ 14 March 2022 10:15 ] Me: 8812\n"

    assert moments(VIBER, content, "copy.txt") == [
        ("2022-03-14T10:14:00+00:00", "Ann", "text", "the gate\nsecond"),
        ("2022-03-14T10:15:00+00:00", "owner", "text", "8812"),
    ]


def test_copied_messages_of_viber_have_dates_in_any_language():
    content = "[ 9 лютого 2026 р. 12:55 ] Ганна: привіт\n[ 9 лютого 2026 р. 12:56 ] Я: так\n"

    assert moments(VIBER, content, "copy.txt") == [
        ("2026-02-09T12:55:00+00:00", "Ганна", "text", "привіт"),
        ("2026-02-09T12:56:00+00:00", "owner", "text", "так"),
    ]


@pytest.mark.parametrize("has_names", [True, False])
def test_vibers_database_names_people_where_it_can(tmp_path, has_names):
    with closing(sqlite3.connect(tmp_path / "viber.db")) as database:
        database.executescript(
            "create table Events (EventID, TimeStamp, Direction, ContactID, ChatID);"
            "create table Messages (EventID, Type, Subject, Body);"
            "insert into Events values (1, 1647252840000, 0, 1, 7), (2, 1647252850000, 1, 1, 7),"
            " (3, 1647252860000, 0, 1, 7);"
            "insert into Messages values (1, 1, null, 'the gate'), (2, 1, null, '8812'),"
            " (3, 2, null, null);"
        )
        if has_names:
            database.executescript(
                "create table Contact (ContactID, Name, Number);"
                "create table ChatInfo (ChatID, Name);"
                "insert into Contact values (1, 'Ann', '+385');"
                "insert into ChatInfo values (7, 'Crew')"
            )
        database.commit()
    raw = (tmp_path / "viber.db").read_bytes()

    shown = show_turns(VIBER, raw, "viber.db")

    assert recognise_format(document(raw, "viber.db")) is VIBER
    name = "Ann" if has_names else None
    assert {turn[0] for turn in shown} == {"Crew" if has_names else "Viber 7"}
    assert [turn[1:] for turn in shown] == [
        ("2022-03-14T10:14:00+00:00", name, "text", "the gate"),
        ("2022-03-14T10:14:10+00:00", "owner", "text", "8812"),
        ("2022-03-14T10:14:20+00:00", name, "media", ""),
    ]


@pytest.mark.parametrize("has_length", [True, False])
def test_vibers_calls_are_notices_in_their_chat(tmp_path, has_length):
    with closing(sqlite3.connect(tmp_path / "viber.db")) as database:
        database.executescript(
            "create table Events (EventID, TimeStamp, Direction, ContactID, ChatID);"
            "create table Messages (EventID, Type, Subject, Body);"
            "create table ChatInfo (ChatID, Name);"
            "insert into Events values (1, 1647252840000, 0, 1, 7), (2, 1647252850000, 1, 1, 7),"
            " (3, 1647252830000, 0, 1, 7), (4, 1647252870000, 0, 1, 7);"
            "insert into Messages values (1, 1, null, 'the gate'), (4, 1, null, 'late');"
            "insert into ChatInfo values (7, 'Crew');"
            + (
                "create table Calls (EventID, Duration); insert into Calls values (2, 65), (3, 0)"
                if has_length
                else "create table Calls (EventID); insert into Calls values (2), (3)"
            )
        )
        database.commit()
    raw = (tmp_path / "viber.db").read_bytes()

    [chat] = parse_all(VIBER, raw, "viber.db")

    assert [(turn.role.value, turn.kind.value, turn.text) for turn in chat.turns] == [
        ("system", "call", "incoming call"),
        ("person", "text", "the gate"),
        ("system", "call", "outgoing call, 1:05" if has_length else "outgoing call"),
        ("person", "text", "late"),
    ]
    assert account(VIBER, raw, "viber.db") == {"turns": 4}


def test_threemas_text_is_known_by_its_name():
    content = (
        "[20.04.2019, 10:24] Ann: the gate\nsecond\n"
        "[20.04.2019, 10:25] Ich: <0a1b2c-3d.jpg>\n"
        "[21.04.2019, 10:26] Ann: thanks: ok\n"
    )

    assert moments(THREEMA, content, "messages-Ann.txt") == [
        ("2019-04-20T10:24:00+00:00", "Ann", "text", "the gate\nsecond"),
        ("2019-04-20T10:25:00+00:00", "owner", "media", "0a1b2c-3d.jpg"),
        ("2019-04-21T10:26:00+00:00", "Ann", "text", "thanks: ok"),
    ]
    assert recognise_format(document(content, "chat.txt")) is not THREEMA


def test_threemas_backup_has_a_table_per_contact_and_per_group():
    head = "apiid,uid,isoutbox,posted_at,created_at,type,body,isstatusmessage,caption"
    rows = (
        '"a1","u1","0","1647252840000","","TEXT","the gate\n8812","0",""\n'
        '"a2","u2","1","1647252850000","","FILE","[""x"",""image/jpeg"",1,""IMG_1.jpg""]","0","look"\n'
        '"a3","u3","0","1647252860000","","GROUP_STATUS","joined","1",""\n'
        '"a4","u4","0","1647252870000","","VOIP_STATUS","[1]","0",""\n'
        '"a5","u5","0","1647252880000","","BALLOT","[1]","0",""\n'
    )
    names = '"identity","firstname","lastname","nick_name","identity_id"\n'
    contacts = names + '"ABCDEFGH","Ann","Lee","","1"\n'
    group = (
        f"identity,{head}\n" + '"ABCDEFGH","a1","u1","0","1647252840000","","TEXT","hi","0",""\n'
    )
    beside = {"contacts.csv": contacts}

    assert [
        turn[1:] for turn in moments(THREEMA, f"{head}\n{rows}", "message_1.csv", **beside)
    ] == [
        ("Ann Lee", "text", "the gate\n8812"),
        ("owner", "media", "look\n[IMG_1.jpg]"),
        (None, "service", "joined"),
        ("Ann Lee", "call", ""),
        ("Ann Lee", "text", "[ballot]"),
    ]
    assert [turn[1:] for turn in moments(THREEMA, group, "group_message_x-1.csv", **beside)] == [
        ("Ann Lee", "text", "hi")
    ]


FOLDER = "Zoom/2021-03-04 10.00.12 Crew meeting 85123456789"


def test_zooms_clock_belongs_to_the_day_of_the_folder():
    content = (
        "10:15:22\t From  Ann : the gate\n"
        "10:15:30\t From  Me  to  Everyone : 8812\n\tsecond\n"
        "10:16:00 From Bo to Ann(Direct Message) : hi\n"
    )

    assert moments(ZOOM, content, f"{FOLDER}/meeting_saved_chat.txt") == [
        ("2021-03-04T10:15:22+00:00", "Ann", "text", "the gate"),
        ("2021-03-04T10:15:30+00:00", "owner", "text", "8812\nsecond"),
        ("2021-03-04T10:16:00+00:00", "Bo", "text", "hi"),
    ]


def test_zooms_newer_files_have_the_day_and_reactions():
    content = (
        "2022-03-04 10:15:22 From Ann Lee to Everyone:\n\tthe gate\n\tsecond\n"
        '2022-03-04 10:15:30 From Bo to Everyone:\n\tReacted to "the gate" with 👍\n'
    )

    assert moments(ZOOM, content, "meeting_saved_chat.txt") == [
        ("2022-03-04T10:15:22+00:00", "Ann Lee", "text", "the gate\nsecond"),
        ("2022-03-04T10:15:30+00:00", "Bo", "service", 'Reacted to "the gate" with 👍'),
    ]


def test_two_meetings_in_one_folder_are_two_chats():
    head = "{} 10:15:22 From Ann to Everyone:\n\thi\n"

    keys = [
        parse_one(ZOOM, head.format(day), "Downloads/meeting_saved_chat.txt").key
        for day in ("2022-03-04", "2022-03-05")
    ]

    assert keys == ["downloads 2022-03-04", "downloads 2022-03-05"]


def test_zooms_recordings_have_no_time_of_day():
    content = "00:58:04\tAlex:\tDepends\n00:58:20\tBo:\tIt does\nmore\n"

    assert moments(ZOOM, content, "GMT20230304-101500_Recording.txt") == [
        (None, "Alex", "text", "Depends"),
        (None, "Bo", "text", "It does\nmore"),
    ]


WEECHAT = (
    '2021-03-04 10:15:00\t--\tTopic for #sail is "boats"\n'
    "2021-03-04 10:15:20\t-->\tann (~a@host) has joined #sail\n"
    "2021-03-04 10:15:22\t@ann\tthe gate\n"
    "2021-03-04 10:15:25\t *\tbo waves\n"
    "2021-03-04 10:15:26\tbo\t8812\twith tab\n"
)
IRSSI = (
    "--- Log opened Thu Mar 04 10:14:00 2021\n"
    "10:15 -!- ann [~a@host] has joined #sail\n"
    "10:15 <@ann> the gate\n"
    "10:16  * bo waves\n"
    "--- Day changed Fri Mar 05 2021\n"
    "00:01 < bo> 8812\n"
)
ZNC = (
    "[10:15:00] *** Joins: ann (~a@host)\n"
    "[10:15:22] <ann> the gate\n"
    "[10:15:23] * bo waves\n"
    "[10:15:24] <bo> 8812 <b>x</b>\n"
)
HEXCHAT = (
    "**** BEGIN LOGGING AT Thu Mar  4 10:15:00 2021\n\n"
    "Mar 04 10:15:00 *\tNow talking on #sail\n"
    "Mar 04 10:15:22 <ann>\tthe gate\n"
    "Mar 04 10:15:23 *\tbo waves\n"
    "Mar 04 10:15:24 <bo>\t8812\n"
)


@pytest.mark.parametrize(
    ("content", "name", "times", "texts"),
    [
        (WEECHAT, "irc.libera.#sail.weechatlog", ["04T10:15:22", "04T10:15:26"], "8812\twith tab"),
        (IRSSI, "libera/#sail.log", ["04T10:15:00", "05T00:01:00"], "8812"),
        (ZNC, "libera/#sail/2021-03-04.log", ["04T10:15:22", "04T10:15:24"], "8812 <b>x</b>"),
        (HEXCHAT, "libera/#sail.log", ["04T10:15:22", "04T10:15:24"], "8812"),
    ],
)
def test_irc_logs_of_each_client(content, name, times, texts):
    found = moments(IRC, content, name)

    spoken = [turn for turn in found if turn[2] == "text"]
    assert [turn[1:] for turn in spoken] == [
        ("ann", "text", "the gate"),
        ("bo", "text", "* waves"),
        ("bo", "text", texts),
    ]
    assert [spoken[0][0][8:19], spoken[2][0][8:19]] == times
    assert {turn[1] for turn in found if turn[2] == "service"} == {None}


@pytest.mark.parametrize(
    "content",
    [
        "[10:15:22] INFO started\n[10:15:23] WARN <stdin> is closed\n",
        "<ann> hi\n<bo> ho\n",
        "10:15 <b>bold</b> notes about the day\nand more of them\nwithout any speakers\n",
    ],
)
def test_other_logs_are_not_taken_for_irc(content):
    assert recognise_format(document(content, "x.log")) is not IRC
