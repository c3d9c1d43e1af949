"""Direct messages in an archive of X."""

import json
from io import BytesIO

import pytest

from memcli.domain import Kind, Role
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import twitter_dm
from memcli.formats.sources import find_sources

HEAD = "window.YTD.direct_messages.part0 = "


def created(text="Hi", **more):
    fields = {"id": "9", "text": text, "senderId": "1", "createdAt": "2024-06-01T10:00:00.000Z"}
    return {"messageCreate": {**fields, **more}}


def document(*events, head=HEAD, account=None):
    talk = {"dmConversation": {"conversationId": "1-2", "messages": list(events)}}
    raw = (head + json.dumps([talk])).encode()
    side = Document("account.js", lambda: BytesIO((account or "").encode()))
    return Document(
        "data/direct-messages.js", lambda: BytesIO(raw), file_finder={"account.js": side}.get
    )


def turns(*events, **options):
    parsed = twitter_dm._parse(document(*events), ParseOptions(**options))
    return [turn for part in parsed for turn in part.turns]


def test_messages_are_recognised_by_the_variable_they_are_set_to():
    assert recognise_format(document(created())) is twitter_dm.FORMAT
    assert (
        recognise_format(document(created(), head=HEAD.replace("s.", "s_group.")))
        is twitter_dm.FORMAT
    )
    assert recognise_format(document(created(), head="window.YTD.tweets.part0 = ")) is None


def test_the_account_beside_them_names_the_owner():
    account = 'window.YTD.account.part0 = [{"account": {"accountId": "1"}}]'

    [found] = twitter_dm._parse(document(created(), account=account), ParseOptions())

    assert (found.source, found.key, found.title) == ("twitter_dm", "1-2", "Direct message with 2")
    [turn] = found.turns
    assert (turn.key, turn.role, turn.text, turn.speaker) == ("9", Role.USER, "Hi", "1")
    assert turn.sent_at.isoformat() == "2024-06-01T10:00:00+00:00"


def test_links_are_as_they_were_before_they_were_shortened():
    link = {"url": "https://t.co/x", "expanded": "https://example.org"}

    assert turns(created("see https://t.co/x", urls=[link]))[0].text == "see https://example.org"


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (created("", mediaUrls=["https://x/a.jpg"]), Kind.MEDIA, "a.jpg"),
        ({"joinConversation": {"initiatingUserId": "1"}}, Kind.SERVICE, "joined"),
    ],
)
def test_only_speech_is_text(event, kind, text):
    assert [(turn.kind, turn.text) for turn in turns(event)] == [(kind, text)]


def test_empty_messages_and_reactions_leave_no_trace():
    assert turns(created(""), {"reactionCreate": {"senderId": "1"}}) == []


def test_the_sample_is_found_and_counted(samples):
    [path] = samples.glob("twitter_dm/*/data/direct-messages.js")
    [place] = find_sources(path)
    [found] = place.documents()
    [conversation] = twitter_dm._parse(found, ParseOptions())

    assert recognise_format(found) is twitter_dm.FORMAT
    assert len(conversation.turns) == 1
