"""WeChat's chats as WeFlow and MemoTrace save them."""

import pytest
from helpers.parsing import account, document, show_turns

from memcli.formats import load_format, recognise_format

WECHAT = load_format("wechat")
AT = 1_761_219_840  # 2025-10-23 11:44 in UTC


def row(at, type_name, content, sent=0, sender="wx_a", name="阿豪"):
    head = {"localId": at, "createTime": AT + at, "type": type_name, "content": content}
    return {**head, "isSend": sent, "senderUsername": sender, "senderDisplayName": name}


def test_weflow_tells_words_files_calls_and_notices_apart():
    rows = [
        row(1, "系统消息", "小美加入了群聊", None, "9@chatroom", "家人群"),
        row(2, "图片消息", "[图片]"),
        row(3, "引用消息", "好的\n[引用 小美: 周五?]", 1, "wx_me", "小美"),
        row(4, "文件消息", "[文件] 地图.pdf"),
        row(5, "位置消息", "[位置] 码头"),
        row(6, "语音通话", "通话时长 01:20"),
        row(7, "文本消息", ""),
    ]
    content = {"weflow": {}, "session": {"wxid": "9@chatroom", "nickname": "家人群"}}

    content["messages"] = rows
    shown = show_turns(WECHAT, content)

    assert [turn[2:] for turn in shown] == [
        (None, "service", "小美加入了群聊"),
        ("阿豪", "media", ""),
        ("owner", "text", "好的\n[引用 小美: 周五?]"),
        ("阿豪", "media", "[文件] 地图.pdf"),
        ("阿豪", "text", "[位置] 码头"),
        ("阿豪", "call", "通话时长 01:20"),
    ]
    assert account(WECHAT, content) == {"turns": 6, "empty": 1}
    assert shown[0][:2] == ("家人群", "2025-10-23T11:44:01+00:00")


def test_the_session_may_stand_behind_the_messages():
    content = {
        "weflow": {},
        "messages": [row(1, "文本消息", "门")],
        "session": {"nickname": "阿豪"},
    }

    assert [turn[0] for turn in show_turns(WECHAT, content)] == ["阿豪"]


def test_memotrace_writes_a_table_per_chat():
    content = (
        "\ufeff消息ID,类型,发送人,时间,内容,备注,昵称,更多信息\n"
        "1,文本,小红,2024-02-01 10:00:00,在吗,小红,小红,x\n"
        '2,文本,我,2024-02-01 10:01:00,"在, 码头\n四号",我,我,x\n'
        "3,图片,小红,2024-02-01 10:02:00,,小红,小红,\n"
    )

    assert show_turns(WECHAT, content, "小红(wxid_red)/小红.csv") == [
        ("小红", "2024-02-01T10:00:00+00:00", "小红", "text", "在吗"),
        ("小红", "2024-02-01T10:01:00+00:00", "owner", "text", "在, 码头\n四号"),
        ("小红", "2024-02-01T10:02:00+00:00", "小红", "media", ""),
    ]


def test_memotrace_writes_a_text_per_chat():
    content = (
        "2024-02-01 10:00:00 小红\n在吗\n2024-02-02 不行\n\n"
        "2024-02-01 10:01:00 你\n在, 码头\n\n"
        "2024-02-01 10:02:00 小红\n[图片]\n\n"
    )

    assert recognise_format(document(content, "小红.txt")) is WECHAT
    assert [turn[2:] for turn in show_turns(WECHAT, content, "小红.txt")] == [
        ("小红", "text", "在吗\n2024-02-02 不行"),
        ("owner", "text", "在, 码头"),
        ("小红", "media", ""),
    ]


def test_memotrace_writes_a_page_with_a_script():
    def entry(type_number, text, sent=0, name="小红"):
        return (
            f"{{ type:{type_number}, text: '{text}',is_send:{sent},avatar_path:'./a.png',"
            f"timestamp:{AT},is_chatroom:0,displayname:'{name}'}},"
        )

    content = (
        "<!DOCTYPE html><html><head><title>x</title></head><body><script>const chatMessages = ["
        + entry(0, "2024-02-01 10:00:00", name="")
        + entry(1, "门&#39;口<br>8812")
        + entry(1, "it\\'s ok", sent=1, name="小美")
        + entry(3, "./image/a.jpg")
        + "];</script></body></html>"
    )

    assert recognise_format(document(content, "小红.html")) is WECHAT
    assert [turn[2:] for turn in show_turns(WECHAT, content, "小红.html")] == [
        (None, "service", "2024-02-01 10:00:00"),
        ("小红", "text", "门'口\n8812"),
        ("owner", "text", "it's ok"),
        ("小红", "media", "a.jpg"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "2024-02-01 10:00:00 INFO started\n2024-02-01 10:00:01 INFO ended\n",
        "2024-02-01 10:00:00 my diary\n\ntoday was fine\n",
        "A log\n\n2024-02-01 10:00:00 entry\ntext\n",
        "2024-02-01 10:00:00 start of\na trace\n2024-02-01 10:00:01 end of\nthe trace\n",
    ],
)
def test_logs_are_not_taken_for_a_chat(content):
    assert recognise_format(document(content, "x.txt")) is not WECHAT


def test_memotrace_writes_one_table_of_all_chats():
    xml = '"<?xml version=""1.0""?><msg><appmsg><title>潮汐表</title></appmsg></msg>"'
    content = (
        "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,"
        "Remark,NickName,Sender\n"
        f"1,3,1,0,1,{AT},,门口,2025-10-23 19:44:00,阿豪,Hao,wx_a\n"
        f"2,4,49,5,0,{AT + 1},,{xml},2025-10-23 19:44:01,,Zed,wx_z\n"
        f"3,4,10000,0,0,{AT + 2},,拍了拍你,2025-10-23 19:44:02,,Zed,wx_z\n"
        f"4,4,3,0,0,{AT + 3},,,2025-10-23 19:44:03,,Zed,wx_z\n"
    )

    assert [(turn[0], *turn[2:]) for turn in show_turns(WECHAT, content, "messages.csv")] == [
        ("阿豪", "owner", "text", "门口"),
        ("Zed", "Zed", "text", "潮汐表"),
        ("Zed", None, "service", "拍了拍你"),
        ("Zed", "Zed", "media", ""),
    ]
