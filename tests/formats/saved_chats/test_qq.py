"""QQ's text and QQChatExporter's JSON."""

from helpers.parsing import account, document, lines, parse_all, parse_one, show_turns

from memcli.formats import load_format, recognise_format

QQ = load_format("qq")
RULE = "=" * 64
TEXT = f"""消息记录（此消息记录为文本格式，不支持重新导入）

{RULE}
消息分组:我的好友
{RULE}
消息对象:阿豪
{RULE}

2025-10-23 19:44:00 小美
门口密码 8812
第二行

{RULE}
消息分组:我的群聊
{RULE}
消息对象:帆船俱乐部
{RULE}

2025-10-23 8:43:38 PM 【管理员】骰娘(87200175)
周五开船

2025-10-23 20:45:00 系统消息(10000)
老王加入本群。

2025-10-23 20:46:00 Bob<bob@example.org>
[图片]
"""


def message(number, text, sender=("u_a", "10002", "阿豪"), **others):
    uid, uin, name = sender
    head = {"messageId": str(number), "timestamp": f"2025-10-23T11:{number:02}:00.000Z"}
    content = {"text": text, "resources": others.pop("resources", [])}
    return {**head, "sender": {"uid": uid, "uin": uin, "name": name}, "content": content, **others}


def export(*messages):
    info = {"name": "阿豪", "selfUid": "u_me", "selfUin": "10001"}
    return {"metadata": {"name": "QQChatExporter V5"}, "chatInfo": info, "messages": list(messages)}


def test_one_text_holds_several_chats():
    assert show_turns(QQ, TEXT.replace("\n", "\r\n"), "全部消息记录.txt") == [
        ("阿豪", "2025-10-23T19:44:00+00:00", "小美", "text", "门口密码 8812\n第二行"),
        ("帆船俱乐部", "2025-10-23T20:43:38+00:00", "骰娘", "text", "周五开船"),
        ("帆船俱乐部", "2025-10-23T20:45:00+00:00", None, "service", "老王加入本群。"),
        ("帆船俱乐部", "2025-10-23T20:46:00+00:00", "Bob", "media", ""),
    ]


def test_equal_messages_of_two_chats_have_the_keys_they_have_alone():
    head, body = "消息对象:{}\n\n", "2025-10-23 19:44:00 Ann\nyes\n\n"
    both = head.format("A") + body + head.format("B") + body

    keys = [each.turns[0].key for each in parse_all(QQ, both, "all.txt")]

    assert keys == [parse_one(QQ, head.format(name) + body, "x.txt").turns[0].key for name in "AB"]


def test_the_exporter_names_the_owner_files_and_notices():
    me, nobody = ("u_me", "10001", "小美"), ("0", "0", "系统")
    picture = [{"type": "image", "filename": "a.jpg"}]
    content = export(
        message(1, "门口密码 8812", me),
        message(2, "[图片: a.jpg]", resources=picture),
        message(3, "看 [图片: a.jpg]", resources=picture),
        message(4, "说错了", isRecalled=True),
        message(5, "老王加入了群聊", nobody, system=True),
        message(6, ""),
    )

    shown = show_turns(QQ, content)

    assert [turn[2:] for turn in shown] == [
        ("owner", "text", "门口密码 8812"),
        ("阿豪", "media", "a.jpg"),
        ("阿豪", "text", "看 [图片: a.jpg]"),
        ("阿豪", "deleted", "说错了"),
        (None, "service", "老王加入了群聊"),
    ]
    assert account(QQ, content) == {"turns": 5, "empty": 1}


def test_chunks_take_the_chat_from_the_manifest_beside_them():
    content = lines(message(1, "门"), message(2, "好"))
    chunks = [{"relativePath": "chunks/chunk_0001.jsonl"}]
    manifest = {"metadata": {}, "chatInfo": export()["chatInfo"], "chunked": {"chunks": chunks}}

    shown = show_turns(QQ, content, "chunk_0001.jsonl", **{"../manifest.json": manifest})

    assert [(turn[0], turn[4]) for turn in shown] == [("阿豪", "门"), ("阿豪", "好")]
    known = recognise_format(document(manifest, "manifest.json"))
    assert known.name == "export_manifests"
    assert [item.where for item in parse_all(known, manifest)] == ["chunks/chunk_0001.jsonl"]
