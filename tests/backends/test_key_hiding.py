"""A server that echoes the key: no text of it shows the key or a telling part of it."""

import base64
import json
from urllib.parse import quote

import pytest

from memcli.backends.server.key_hiding import make_body_hider, make_key_hider

KEY = "sk-7Qm2/xY+9vLr4TzPw8Kd3NbA"
ECHOES = [
    KEY,
    f"Bearer {KEY}",
    KEY.upper(),
    quote(KEY, safe=""),
    quote(KEY, safe="").lower(),
    json.dumps({"key": KEY}),
    KEY.encode().hex(),
    base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    base64.urlsafe_b64encode(f"a:{KEY}".encode()).decode(),
    KEY[:-2],  # cut off by the server, or by us
    KEY[2:],
    KEY[8:18],
]


@pytest.mark.parametrize("echo", ECHOES)
def test_no_telling_part_of_a_key_is_shown(echo):
    shown = make_key_hider(KEY)(f"the server says: {echo} is wrong")

    assert shown.startswith("the server says: ")
    assert shown.endswith(" is wrong")
    rest = shown.removeprefix("the server says: ").removesuffix(" is wrong")
    assert "[key]" in rest
    assert len(rest.replace("[key]", "")) <= 14  # "Bearer ", and the ends of base 64


def test_a_reply_is_read_without_the_key():
    body = json.dumps({"text": f"your key is {KEY}"}).encode()

    assert json.loads(make_body_hider(KEY)(body)) == {"text": "your key is [key]"}


def test_without_a_key_nothing_is_hidden():
    assert make_key_hider(None)("anything") == "anything"
    assert make_body_hider(None)(b"anything") == b"anything"
