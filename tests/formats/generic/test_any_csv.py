"""Any table with columns for the speaker, the text and the time."""

import pytest
from helpers.parsing import account, document, parse_all, show_turns

from memcli.domain import Doubt, Role, Skipped
from memcli.formats import ParseOptions, load_format, recognise_format

TABLE = load_format("generic_csv")


def shown(content, **options):
    return show_turns(TABLE, content, "crew.csv", ParseOptions(**options))


@pytest.mark.parametrize(
    "content",
    [
        "timestamp,sender,message\n2021-04-03T10:15:00Z,Ann,the gate\n",
        "Message;Author;Sent At\nthe gate;Ann;2021-04-03 10:15\n",
        "sep=;\ndate;time;from;message\n13/04/2021;10:15;Ann;the gate\n",
        "name\ttext\tcreated_at\nAnn\tthe gate\t1617444900\n",
        '\ufeff"User","Body","Date"\n"Ann","the gate","Apr 3, 2021 10:15 AM"\n',
        "Datum;Uhrzeit;Absender;Nachricht\n13.04.2021;10:15;Ann;the gate\n",
        "Data,Ora,Mittente,Messaggio\n13/04/2021,10:15,Ann,the gate\n",
        "时间,发送人,内容\n2021-04-03 10:15:00,Ann,the gate\n",
        "Time,SenderName,Sender,TalkerName,Talker,Content\n"
        "2021-04-03 10:15:00,Ann,a,Crew,1,the gate\n",
    ],
)
def test_columns_are_known_by_their_names(content):
    assert recognise_format(document(content, "crew.csv")) is TABLE
    assert [turn[2:] for turn in shown(content)] == [("Ann", "text", "the gate")]


@pytest.mark.parametrize(
    "content",
    [
        "date,description,amount\n2021-01-01,Coffee,3.5\n",
        "timestamp,level,message\n2021-01-01 10:00:00,INFO,started\n",
        "id,username,created_at\n1,ann,2021-01-01\n",
        "sender,message\nAnn,hi\nBo,ho\n",
        "sender,message,date\n,,\n,,\n",
        "sender,message,date\nAnn,hi,soon\nBo,ho,later\n",
        "Dear diary, from today on, I write a message, every day\n",
    ],
)
def test_other_tables_are_not_taken(content):
    assert recognise_format(document(content, "crew.csv")) is None


def test_roles_make_whole_conversations():
    content = (
        "role,content,timestamp,conversation_id,conversation_title\n"
        'user,"Which knot,\nplease?",1761219840,c1,Knots\n'
        "assistant,A bowline.,1761219850,c1,Knots\n"
        "user,Thanks,1761400000,c1,Knots\n"
        "user,Which hull?,1761219845,c2,\n"
        "assistant,,1761219846,c2,\n"
    )

    knots, hulls = parse_all(TABLE, content, "x.csv")

    assert account(TABLE, content, "x.csv") == {"turns": 4, "empty": 1}
    assert (knots.key, knots.title, knots.endless) == ("c1", "Knots", False)
    assert [turn.text for turn in knots.turns] == ["Which knot,\nplease?", "A bowline.", "Thanks"]
    assert [turn.role for turn in knots.turns] == [Role.USER, Role.ASSISTANT, Role.USER]
    assert (hulls.key, hulls.title) == ("c2", "c2")


def test_without_a_conversation_column_all_rows_are_one():
    content = "role,content,time\nuser,Which knot?,2025-10-23 11:44\nbot,Bowline,2025-10-23 11:45\n"

    [found] = parse_all(TABLE, content, "x.csv")
    [longer] = parse_all(TABLE, content + "user,Thanks,2025-10-24 11:45\n", "y.csv")

    assert found.title == "Which knot?"
    assert found.key == longer.key


def test_people_make_chats_of_which_the_person_is_one():
    content = "chat,from,text,date\nCrew,Ann,hi,2021-04-03 10:15\nCrew,Odile,ho,2021-04-03 10:16\n"

    assert [turn[:1] + turn[2:] for turn in shown(content, me="odile")] == [
        ("Crew", "Ann", "text", "hi"),
        ("Crew", "owner", "text", "ho"),
    ]


def test_a_general_file_name_stands_for_its_folder():
    content = "from,text,date\nAnn,hi,2021-04-03 10:15\n"

    found = [parse_all(TABLE, content, name)[0] for name in ("a/Crew/messages.csv", "Crew.csv")]

    assert [(each.key, each.title) for each in found] == [("crew", "Crew")] * 2


def test_a_doubt_about_day_and_month_is_reported():
    content = "from,text,date\nAnn,hi,3/4/2021 10:15\nBo,ho,4/4/2021 10:16\n"

    assert shown(content)[0] == Doubt(
        "dates", "day and month cannot be told apart, read as day/month"
    )
    assert not any(isinstance(each, Doubt) for each in shown(content + "Bo,ho,4/14/2021 10:16\n"))


def test_a_quote_without_an_end_costs_one_row():
    content = (
        "from,text,date\n"
        "Ann,one,2021-04-03 10:15\n"
        'Bo,"two,2021-04-03 10:16\n'
        "Ann,three,2021-04-03 10:17\n"
        "Bo,four,2021-04-03 10:18\n"
    )

    found = shown(content)

    assert found[0] == Skipped("line 3", "has a quoted field without an end")
    assert [turn[4] for turn in found[1:]] == ["one", "three", "four"]
