"""Small exports of chats among people: twelve messages in every file."""

import json

LINES = [f"line {at} of {'é' * at}" for at in range(12)]
AT = 1_717_236_000  # seconds: 1 June 2024


def rows(row):
    return [row(at, line) for at, line in enumerate(LINES)]


def written(head, line, end=""):
    return head + "".join(line.format(at=at, text=text) for at, text in enumerate(LINES)) + end


def slack(at, line):
    return {"type": "message", "user": "U1", "ts": f"{AT + at}.000100", "text": line}


def facebook(at, line):
    return {"sender_name": "Ann", "timestamp_ms": (AT + at) * 1000, "content": line}


def discord(at, line):
    time = f"2024-06-01T12:{at:02}:00+00:00"
    return {"id": str(at), "timestamp": time, "content": line, "author": {"id": "1", "name": "A"}}


def google(at, line):
    time = f"Friday, May 29, 2026 at 3:{at:02}:29 AM UTC"
    creator = {"name": "Ann", "email": "ann@example.org"}
    return {"message_id": f"g/{at}/{at}", "created_date": time, "creator": creator, "text": line}


def matrix(at, line):
    content = {"msgtype": "m.text", "body": line}
    head = {"type": "m.room.message", "sender": "@ann:x", "event_id": f"${at}"}
    return {**head, "origin_server_ts": (AT + at) * 1000, "content": content}


def twitter(at, line):
    fields = {"id": str(at), "text": line, "senderId": "1", "createdAt": "2024-06-01T10:00:00Z"}
    return {
        "dmConversation": {"conversationId": f"1-{at}", "messages": [{"messageCreate": fields}]}
    }


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


SKYPE = {"id": "8:ann", "displayName": "Ann", "MessageList": rows(skype)}
HANGOUT = {"conversation": {"conversation": {}}, "events": rows(hangouts)}

# A file of each format, by its name.
CHATS = {
    "slack.json": ("slack", json.dumps(rows(slack))),
    "message_1.json": ("messenger", json.dumps({"messages": rows(facebook), "title": "Ann"})),
    "discord.json": ("discord", json.dumps({"channel": {"id": "7"}, "messages": rows(discord)})),
    "google.json": ("google_chat", json.dumps({"messages": rows(google)})),
    "export.json": ("matrix", json.dumps({"room_name": "Club", "messages": rows(matrix)})),
    "direct-messages.js": (
        "twitter_dm",
        "window.YTD.direct_messages.part0 = " + json.dumps(rows(twitter)),
    ),
    "messages.csv": (
        "discord_package",
        written("ID,Timestamp,Contents,Attachments\n", "{at},2024-06-01 10:{at:02}:00,{text},\n"),
    ),
    "[LINE] Ann.txt": (
        "line",
        written(
            "[LINE] Chat history with Ann\n\n2024.06.01 Saturday\n", "10:{at:02}\tAnn\t{text}\n"
        ),
    ),
    "spaces.txt": (
        "line",
        written("[LINE] Chat history with Ann\n\n2024.06.01 Saturday\n", "10:{at:02} Ann {text}\n"),
    ),
    "chat.md": ("signal", written("", "[2024-06-01, 10:{at:02}] Ann: {text}\n")),
    "Ann.txt": ("imessage_text", written("", "Jun 01, 2024 10:{at:02}:00 PM\nAnn\n{text}\n\n")),
    "calls.xml": (
        "sms",
        written(
            "<calls>",
            '<call number="+1" duration="7{at:02}" date="17172360{at:02}000" type="1" />\n',
            "</calls>",
        ),
    ),
    "sms.xml": (
        "sms",
        written(
            "<smses>",
            '<sms address="+1" date="17172360{at:02}000" type="1" body="{text}" />\n',
            "</smses>",
        ),
    ),
    "messages.html": (
        "telegram_html",
        written(
            '<div class="page_wrap">',
            '<div class="message default" id="message{at}"><div class="text">{text}</div></div>\n',
        ),
    ),
    "message_1.html": (
        "messenger",
        written(
            "<html><body><div>Participants: Ann and Bob</div>",
            "<div>Ann</div><div>{text}</div><div>Jun 1, 2024, 10:{at:02} PM</div>\n",
        ),
    ),
    "all.mbox": (
        "email",
        written(
            "",
            "From a@x Sat Jun  1 12:00:00 2024\nFrom: a@x\nTo: b@x\nMessage-ID: <{at}@x>\n"
            "Date: Sat, 1 Jun 2024 12:{at:02}:00 +0200\n\n{text}\n\n",
        ),
    ),
    "wechat.json": (
        "wechat",
        json.dumps(
            {"weflow": {}, "session": {"wxid": "wx_a"}, "messages": rows(weflow)},
            ensure_ascii=False,
        ),
    ),
    "Ann.csv": (
        "wechat",
        written(
            "消息ID,类型,发送人,时间,内容,备注\n",
            '{at},文本,Ann,2024-06-01 10:{at:02}:00,"{text}",\n',
        ),
    ),
    "MemoTrace.csv": (
        "wechat",
        written(
            "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime\n",
            "{at},3,1,0,1,17172360{at:02},,{text},2024-06-01 10:{at:02}:00\n",
        ),
    ),
    "chatlab.json": (
        "chatlab",
        json.dumps({"chatlab": {}, "meta": {"name": "A"}, "messages": rows(chatlab)}),
    ),
    "chatlab.jsonl": (
        "chatlab",
        '{"_type":"header","chatlab":{},"meta":{"name":"A"}}\n'
        + "".join(json.dumps({"_type": "message", **each}) + "\n" for each in rows(chatlab)),
    ),
    "小红.html": (
        "wechat",
        written(
            "<html><body><script>const chatMessages = [",
            "{{ type:1, text: '{text}',is_send:0,avatar_path:'a',timestamp:17172360{at:02},"
            "is_chatroom:0,displayname:'Ann'}},",
        ),
    ),
    "小红.txt": ("wechat", written("", "2024-06-01 10:{at:02}:00 小红\n{text}\n\n")),
    "qq.json": (
        "qq",
        json.dumps({"metadata": {}, "chatInfo": {"name": "A"}, "messages": rows(qq)}),
    ),
    "chunk_0001.jsonl": ("qq", "".join(json.dumps(each) + "\n" for each in rows(qq))),
    "qq.txt": (
        "qq",
        written("消息对象:Ann\n\n", "2024-06-01 10:{at:02}:00 Ann(10001)\n{text}\n\n"),
    ),
    "kakao_android.txt": (
        "kakaotalk",
        written(
            "Ann 님과 카카오톡 대화\n저장한 날짜 : 2024년 6월 2일 오전 9:00\n\n",
            "2024년 6월 1일 오전 10:{at:02}, Ann : {text}\n",
        ),
    ),
    "kakao_windows.txt": (
        "kakaotalk",
        written(
            "Ann 님과 카카오톡 대화\n\n--------------- 2024년 6월 1일 토요일 ---------------\n",
            "[Ann] [오전 10:{at:02}] {text}\n",
        ),
    ),
    "KakaoTalk_Chat_Ann.csv": (
        "kakaotalk",
        written("Date,User,Message\n", '2024-06-01 10:{at:02}:00,"Ann","{text}"\n'),
    ),
    "chat_history.json": ("snapchat", json.dumps({"ann": rows(snapchat)})),
    "subpage_ann.html": (
        "snapchat",
        written(
            '<html><body><div class="rightpanel"><h1>Ann</h1>',
            '<div style="background: #f2f2f2;"><span><div><h4>ann</h4></div><span>TEXT</span>'
            "<p>{text}</p><h6>2024-06-01 10:{at:02}:00 UTC</h6></span></div>\n",
        ),
    ),
    "chat_history.html": (
        "snapchat",
        written(
            "<html><body><table><tr><th>From</th><th>Media Type</th><th>Created</th></tr>",
            "<tr><td>ann</td><td>TEXT</td><td>2020-06-01 10:{at:02}:00 UTC</td></tr>"
            '<tr><td colspan="3">{text}</td></tr>\n',
        ),
    ),
    "user_data_tiktok.json": (
        "tiktok",
        json.dumps({"Direct Message": {"Direct Messages": {"ChatHistory": {"ann": rows(tiktok)}}}}),
    ),
    "Direct Messages.txt": (
        "tiktok",
        written(">>> Chat History with ann::\n\n", "2024-06-01 10:{at:02}:00 UTC ann: {text}\n"),
    ),
    "messages.json": ("skype", json.dumps({"userId": "8:me", "conversations": [SKYPE]})),
    "linkedin.csv": (
        "linkedin",
        written(
            "CONVERSATION ID,FROM,TO,DATE,SUBJECT,CONTENT,FOLDER\n",
            '2-a,Ann,Bob,2024-06-01 10:{at:02}:00 UTC,,"{text}",INBOX\n',
        ),
    ),
    "Hangouts.json": ("hangouts", json.dumps({"conversations": [HANGOUT]})),
    "voice.html": (
        "google_voice",
        written(
            '<html><title>Ann</title><body><div class="hChatLog hfeed">',
            '<div class="message"><abbr class="dt" title="2024-06-01T10:{at:02}:00.000-05:00">x'
            '</abbr>:<cite class="sender vcard"><a class="tel" href="tel:+1"><span class="fn">Ann'
            "</span></a></cite>: <q>{text}</q></div>\n",
        ),
    ),
    "copilot.csv": (
        "copilot",
        written(
            "Conversation,Time,Author,Message\n", 'Talk,2024-06-01T10:{at:02}:00,Human,"{text}"\n'
        ),
    ),
    "reddit.csv": (
        "reddit",
        written(
            "id,permalink,thread_id,date,ip,from,to,subject,body\n",
            'm{at},,t1,2024-06-01 10:{at:02}:00 UTC,,ann,bob,,"{text}"\n',
        ),
    ),
    "chat_history.csv": (
        "reddit",
        written(
            "message_id,created_at,updated_at,username,message,channel_url\n",
            '{at},2024-06-01 10:{at:02}:00 UTC,,ann,"{text}",c1\n',
        ),
    ),
    "discord.html": (
        "discord_html",
        written(
            '<div class="chatlog">',
            '<div class=chatlog__message-container data-message-id="{at}">'
            '<div class=chatlog__message><span class=chatlog__author title="ann">Ann</span> '
            "<span class=chatlog__timestamp>01-Jun-24 10:{at:02} AM</span>"
            '<div class="chatlog__content">{text}</div></div></div>\n',
        ),
    ),
    "discord.csv": (
        "discord_csv",
        written(
            "AuthorID,Author,Date,Content,Attachments,Reactions\n",
            '"1","ann","2024-06-01T10:{at:02}:00+00:00","{text}","",""\n',
        ),
    ),
    "discord.txt": (
        "discord_text",
        written(
            f"{'=' * 62}\nGuild: Club\nChannel: general\n{'=' * 62}\n\n",
            "[01-Jun-24 10:{at:02} AM] ann\n{text}\n\n",
        ),
    ),
    "imessage.html": (
        "imessage_html",
        written(
            "<html><body>",
            '<div class="message"><div class="received"><p><span class="timestamp">'
            'Jun 01, 2024 10:{at:02}:00 AM</span> <span class="sender">Ann</span></p><hr>'
            '<div class="message_part"><span class="bubble">{text}</span></div></div></div>\n',
        ),
    ),
    "imazing.csv": (
        "imazing",
        written(
            "Chat Session,Message Date,Service,Type,Sender ID,Sender Name,Status,Text\n",
            'Ann,2024-06-01 10:{at:02}:00,SMS,Incoming,+1,Ann,Read,"{text}"\n',
        ),
    ),
    "result.json": (
        "whatsapp_exporter",
        json.dumps(
            {"1@s.whatsapp.net": {"name": "Ann", "messages": dict(enumerate(rows(exporter)))}}
        ),
    ),
    "viber.csv": ("viber", written("", '01/06/2024,10:{at:02}:00,Ann,+385911111111,"{text}"\n')),
    "viber.txt": ("viber", written("", "[ 1 June 2024 10:{at:02} ] Ann: {text}\n")),
    "messages-Ann.txt": ("threema", written("", "[01.06.2024, 10:{at:02}] Ann: {text}\n")),
    "message_7.csv": (
        "threema",
        written(
            "apiid,uid,isoutbox,posted_at,type,body\n",
            'a,u{at},0,17172360{at:02}000,TEXT,"{text}"\n',
        ),
    ),
    "meeting_saved_chat.txt": (
        "zoom",
        written("", "2024-06-01 10:{at:02}:00 From Ann to Everyone:\n\t{text}\n"),
    ),
    "zoom.txt": ("zoom", written("", "00:{at:02}:00\tAnn:\t{text}\n")),
    "irc.weechatlog": ("irc", written("", "2024-06-01 10:{at:02}:00\t@ann\t{text}\n")),
    "irssi.log": (
        "irc",
        written("--- Log opened Sat Jun 01 10:00:00 2024\n", "10:{at:02} <@ann> {text}\n"),
    ),
    "table.csv": (
        "generic_csv",
        written("timestamp,sender,message\n", '2024-06-01T10:{at:02}:00Z,Ann,"{text}"\n'),
    ),
    "roles.csv": (
        "generic_csv",
        written("role;content;time\n", "user;{text};2024-06-01 10:{at:02}\n"),
    ),
}
