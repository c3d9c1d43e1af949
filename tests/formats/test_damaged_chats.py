"""Damaged exports of account data and saved chats, of which no real ones exist: see test_damage."""

import json

import pytest
from helpers.parsing import account, document
from test_damage import check

from memcli.formats import load_format, recognise_format

LINES = [f"line {at} of {'é' * at}" for at in range(12)]
AT = 1_717_236_000


def weflow(at, line):
    head = {"localId": at, "createTime": AT + at, "type": "文本消息", "isSend": at % 2}
    return {**head, "senderUsername": "wx_a", "senderDisplayName": "Ann", "content": line}


def qq(at, line):
    sender = {"uid": "u_a", "uin": "7", "name": "Ann"}
    time = f"2024-06-01T10:{at:02}:00.000Z"
    return {"messageId": str(at), "timestamp": time, "sender": sender, "content": {"text": line}}


def chatlab(at, line):
    head = {"sender": "wx_a", "accountName": "Ann", "timestamp": AT + at}
    return {**head, "type": 0, "content": line}


def snapchat(at, line):
    head = {"From": "ann", "Media Type": "TEXT", "Created": f"2024-06-01 10:{at:02}:00 UTC"}
    return {**head, "Content": line, "IsSender": at % 2 == 0}


def tiktok(at, line):
    return {"Date": f"2024-06-01 10:{at:02}:00", "From": "ann", "Content": line}


def skype(at, line):
    time = f"2024-06-01T10:{at:02}:00Z"
    head = {"id": str(at), "displayName": "Ann", "originalarrivaltime": time, "from": "8:ann"}
    return {**head, "messagetype": "RichText", "content": line}


def hangouts(at, line):
    content = {"message_content": {"segment": [{"type": "TEXT", "text": line}]}}
    head = {"sender_id": {"gaia_id": "7"}, "timestamp": str((AT + at) * 1_000_000)}
    return {**head, "event_id": str(at), "chat_message": content}


def exporter(at, line):
    head = {"from_me": at % 2 == 0, "timestamp": AT + at, "key_id": f"k{at}"}
    return {**head, "media": False, "meta": False, "data": line, "sender": None}


def rows(row):
    return [row(at, line) for at, line in enumerate(LINES)]


def written(head, line):
    return head + "".join(line.format(at=at, text=text) for at, text in enumerate(LINES))


SKYPE = {"id": "8:ann", "displayName": "Ann", "MessageList": rows(skype)}
HANGOUT = {"conversation": {"conversation": {}}, "events": rows(hangouts)}
OWN = {
    "wechat.json": json.dumps(
        {"weflow": {}, "session": {"wxid": "wx_a"}, "messages": rows(weflow)}, ensure_ascii=False
    ),
    "Ann.csv": written(
        "消息ID,类型,发送人,时间,内容,备注\n", '{at},文本,Ann,2024-06-01 10:{at:02}:00,"{text}",\n'
    ),
    "messages.csv": written(
        "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime\n",
        "{at},3,1,0,1,17172360{at:02},,{text},2024-06-01 10:{at:02}:00\n",
    ),
    "chatlab.json": json.dumps({"chatlab": {}, "meta": {"name": "A"}, "messages": rows(chatlab)}),
    "chatlab.jsonl": '{"_type":"header","chatlab":{},"meta":{"name":"A"}}\n'
    + "".join(json.dumps({"_type": "message", **each}) + "\n" for each in rows(chatlab)),
    "小红.html": written(
        "<html><body><script>const chatMessages = [",
        "{{ type:1, text: '{text}',is_send:0,avatar_path:'a',timestamp:17172360{at:02},"
        "is_chatroom:0,displayname:'Ann'}},",
    ),
    "小红.txt": written("", "2024-06-01 10:{at:02}:00 小红\n{text}\n\n"),
    "qq.json": json.dumps({"metadata": {}, "chatInfo": {"name": "A"}, "messages": rows(qq)}),
    "chunk_0001.jsonl": "".join(json.dumps(each) + "\n" for each in rows(qq)),
    "qq.txt": written("消息对象:Ann\n\n", "2024-06-01 10:{at:02}:00 Ann(10001)\n{text}\n\n"),
    "kakao_android.txt": written(
        "Ann 님과 카카오톡 대화\n저장한 날짜 : 2024년 6월 2일 오전 9:00\n\n",
        "2024년 6월 1일 오전 10:{at:02}, Ann : {text}\n",
    ),
    "kakao_windows.txt": written(
        "Ann 님과 카카오톡 대화\n\n--------------- 2024년 6월 1일 토요일 ---------------\n",
        "[Ann] [오전 10:{at:02}] {text}\n",
    ),
    "KakaoTalk_Chat_Ann.csv": written(
        "Date,User,Message\n", '2024-06-01 10:{at:02}:00,"Ann","{text}"\n'
    ),
    "chat_history.json": json.dumps({"ann": rows(snapchat)}),
    "user_data_tiktok.json": json.dumps(
        {"Direct Message": {"Direct Messages": {"ChatHistory": {"ann": rows(tiktok)}}}}
    ),
    "Direct Messages.txt": written(
        ">>> Chat History with ann::\n\n", "2024-06-01 10:{at:02}:00 UTC ann: {text}\n"
    ),
    "messages.json": json.dumps({"userId": "8:me", "conversations": [SKYPE]}),
    "linkedin.csv": written(
        "CONVERSATION ID,FROM,TO,DATE,SUBJECT,CONTENT,FOLDER\n",
        '2-a,Ann,Bob,2024-06-01 10:{at:02}:00 UTC,,"{text}",INBOX\n',
    ),
    "Hangouts.json": json.dumps({"conversations": [HANGOUT]}),
    "voice.html": written(
        '<html><title>Ann</title><body><div class="hChatLog hfeed">',
        '<div class="message"><abbr class="dt" title="2024-06-01T10:{at:02}:00.000-05:00">x</abbr>:'
        '<cite class="sender vcard"><a class="tel" href="tel:+1"><span class="fn">Ann</span></a>'
        "</cite>: <q>{text}</q></div>\n",
    ),
    "copilot.csv": written(
        "Conversation,Time,Author,Message\n", 'Talk,2024-06-01T10:{at:02}:00,Human,"{text}"\n'
    ),
    "reddit.csv": written(
        "id,permalink,thread_id,date,ip,from,to,subject,body\n",
        'm{at},,t1,2024-06-01 10:{at:02}:00 UTC,,ann,bob,,"{text}"\n',
    ),
    "chat_history.csv": written(
        "message_id,created_at,updated_at,username,message,channel_url\n",
        '{at},2024-06-01 10:{at:02}:00 UTC,,ann,"{text}",c1\n',
    ),
    "discord.html": written(
        '<div class="chatlog">',
        '<div class=chatlog__message-container data-message-id="{at}"><div class=chatlog__message>'
        '<span class=chatlog__author title="ann">Ann</span> <span class=chatlog__timestamp>'
        '01-Jun-24 10:{at:02} AM</span><div class="chatlog__content">{text}</div></div></div>\n',
    ),
    "discord.csv": written(
        "AuthorID,Author,Date,Content,Attachments,Reactions\n",
        '"1","ann","2024-06-01T10:{at:02}:00+00:00","{text}","",""\n',
    ),
    "discord.txt": written(
        f"{'=' * 62}\nGuild: Club\nChannel: general\n{'=' * 62}\n\n",
        "[01-Jun-24 10:{at:02} AM] ann\n{text}\n\n",
    ),
    "imessage.html": written(
        "<html><body>",
        '<div class="message"><div class="received"><p><span class="timestamp">'
        'Jun 01, 2024 10:{at:02}:00 AM</span> <span class="sender">Ann</span></p><hr>'
        '<div class="message_part"><span class="bubble">{text}</span></div></div></div>\n',
    ),
    "imazing.csv": written(
        "Chat Session,Message Date,Service,Type,Sender ID,Sender Name,Status,Text\n",
        'Ann,2024-06-01 10:{at:02}:00,SMS,Incoming,+1,Ann,Read,"{text}"\n',
    ),
    "result.json": json.dumps(
        {"1@s.whatsapp.net": {"name": "Ann", "messages": dict(enumerate(rows(exporter)))}}
    ),
    "viber.csv": written("", '01/06/2024,10:{at:02}:00,Ann,+385911111111,"{text}"\n'),
    "viber.txt": written("", "[ 1 June 2024 10:{at:02} ] Ann: {text}\n"),
    "messages-Ann.txt": written("", "[01.06.2024, 10:{at:02}] Ann: {text}\n"),
    "message_7.csv": written(
        "apiid,uid,isoutbox,posted_at,type,body\n", 'a,u{at},0,17172360{at:02}000,TEXT,"{text}"\n'
    ),
    "meeting_saved_chat.txt": written(
        "", "2024-06-01 10:{at:02}:00 From Ann to Everyone:\n\t{text}\n"
    ),
    "zoom.txt": written("", "00:{at:02}:00\tAnn:\t{text}\n"),
    "irc.weechatlog": written("", "2024-06-01 10:{at:02}:00\t@ann\t{text}\n"),
    "irssi.log": written("--- Log opened Sat Jun 01 10:00:00 2024\n", "10:{at:02} <@ann> {text}\n"),
    "table.csv": written("timestamp,sender,message\n", '2024-06-01T10:{at:02}:00Z,Ann,"{text}"\n'),
    "roles.csv": written("role;content;time\n", "user;{text};2024-06-01 10:{at:02}\n"),
}
FORMATS = {
    "wechat.json": "wechat",
    "Ann.csv": "wechat",
    "messages.csv": "wechat",
    "chatlab.json": "chatlab",
    "chatlab.jsonl": "chatlab",
    "小红.html": "wechat",
    "小红.txt": "wechat",
    "qq.json": "qq",
    "chunk_0001.jsonl": "qq",
    "qq.txt": "qq",
    "kakao_android.txt": "kakaotalk",
    "kakao_windows.txt": "kakaotalk",
    "KakaoTalk_Chat_Ann.csv": "kakaotalk",
    "chat_history.json": "snapchat",
    "user_data_tiktok.json": "tiktok",
    "Direct Messages.txt": "tiktok",
    "messages.json": "skype",
    "linkedin.csv": "linkedin",
    "Hangouts.json": "hangouts",
    "voice.html": "google_voice",
    "copilot.csv": "copilot",
    "reddit.csv": "reddit",
    "chat_history.csv": "reddit",
    "discord.html": "discord_html",
    "discord.csv": "discord_csv",
    "discord.txt": "discord_text",
    "imessage.html": "imessage_html",
    "imazing.csv": "imazing",
    "result.json": "whatsapp_exporter",
    "viber.csv": "viber",
    "viber.txt": "viber",
    "messages-Ann.txt": "threema",
    "message_7.csv": "threema",
    "meeting_saved_chat.txt": "zoom",
    "zoom.txt": "zoom",
    "irc.weechatlog": "irc",
    "irssi.log": "irc",
    "table.csv": "generic_csv",
    "roles.csv": "generic_csv",
}


@pytest.mark.parametrize("name", OWN)
def test_a_format_recognises_its_own_sample(name):
    found = recognise_format(document(OWN[name].encode(), name))

    assert found is not None
    assert found.name == FORMATS[name]


@pytest.mark.parametrize("name", OWN)
def test_every_message_is_accounted_for(name):
    assert account(load_format(FORMATS[name]), OWN[name].encode(), name) == {"turns": len(LINES)}


@pytest.mark.parametrize("name", OWN)
def test_what_lay_before_the_damage_is_read(name):
    raw = OWN[name].encode()

    assert len(check(document(raw, name), raw)) == len(LINES)
