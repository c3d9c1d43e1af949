"""ChatLab's own format, as an object and as lines."""

from helpers.parsing import document, lines, show_turns

from memcli.formats import load_format, recognise_format

CHATLAB = load_format("chatlab")
HEADER = {
    "chatlab": {"version": "0.0.1", "generator": "x"},
    "meta": {"name": "家人群", "platform": "wechat", "type": "group", "ownerId": "wx_me"},
}
MESSAGES = [
    {"sender": "wx_me", "accountName": "小美", "timestamp": 1761219840, "type": 0, "content": "门"},
    {"sender": "wx_a", "accountName": "阿豪", "groupNickname": "豪", "timestamp": 1761219841}
    | {"type": 1, "content": "a.jpg"},
    {
        "sender": "system",
        "accountName": "系统",
        "timestamp": 1761219842,
        "type": 80,
        "content": "加入",
    },
    {"sender": "wx_a", "accountName": "阿豪", "timestamp": 1761219843, "type": 99, "content": "新"},
]
TURNS = [
    ("家人群", "2025-10-23T11:44:00+00:00", "owner", "text", "门"),
    ("家人群", "2025-10-23T11:44:01+00:00", "豪", "media", "a.jpg"),
    ("家人群", "2025-10-23T11:44:02+00:00", None, "service", "加入"),
    ("家人群", "2025-10-23T11:44:03+00:00", "阿豪", "text", "新"),
]


def test_an_object_and_lines_give_the_same():
    whole = {**HEADER, "members": [{"platformId": "wx_a"}], "messages": MESSAGES}
    rows = [{"_type": "header", **HEADER}, {"_type": "member", "platformId": "wx_a"}]
    by_line = lines(*rows, *({"_type": "message", **each} for each in MESSAGES))

    for content in (whole, by_line):
        assert recognise_format(document(content)) is CHATLAB
        assert show_turns(CHATLAB, content) == TURNS


def test_other_lines_with_types_are_not_taken():
    other = lines({"_type": "message", "role": "user"}, {"_type": "header", "x": 1})

    assert recognise_format(document(other)) is not CHATLAB
