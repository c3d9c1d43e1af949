"""Addresses, keys, and notes that are passed on only once."""

import os
import sys
from pathlib import Path

import pytest

from memcli.backends.server import Endpoint, note_once, parse_endpoint, read_key
from memcli.errors import InputError, UsageError

KEY = "sk-4f7a-secret"


@pytest.mark.parametrize(
    ("named", "url", "model"),
    [
        ("http://127.0.0.1:8080/v1#m", "http://127.0.0.1:8080/v1", "m"),
        ("https://api.example.com/v1/#org/Model-4B", "https://api.example.com/v1", "org/Model-4B"),
        ("http://[::1]:8000/v1#m:4b", "http://[::1]:8000/v1", "m:4b"),
        ("http://localhost#m", "http://localhost", "m"),
        (
            "https://memos.example.cn/api/openmem/v1#r",
            "https://memos.example.cn/api/openmem/v1",
            "r",
        ),
    ],
)
def test_an_address_is_the_api_and_the_model(named, url, model):
    assert parse_endpoint(named) == Endpoint(url, model)


@pytest.mark.parametrize(
    "named",
    [
        "",
        "m",
        "127.0.0.1:8080/v1#m",
        "ftp://127.0.0.1/v1#m",
        "file:///etc/passwd#m",
        "http://#m",
        "http:///v1#m",
        "http://host:port/v1#m",
        "http://host:99999/v1#m",
        "http://[::1/v1#m",
        "http://ho st/v1#m",
        "http://host\\@evil/v1#m",
        "http://host/v1#m\r\nX-Other: 1",
        "http://host/v1\x1b[2J#m",
    ],
)
def test_what_is_no_address_is_an_error_with_an_example(named):
    with pytest.raises(UsageError, match="is not the address of a server") as raised:
        parse_endpoint(named)

    assert raised.value.hint == "it looks like `http://127.0.0.1:8080/v1#model`"


def test_an_address_without_a_model_says_where_it_goes():
    with pytest.raises(UsageError, match="names no model"):
        parse_endpoint("http://127.0.0.1:8080/v1")


@pytest.mark.parametrize(
    "named",
    [f"https://me:{KEY}@host/v1#m", f"https://{KEY}@host/v1#m", f"https://host/v1?key={KEY}#m"],
)
def test_a_key_in_an_address_is_refused_and_not_repeated(named):
    with pytest.raises(UsageError, match="the address of host has a password or a query") as raised:
        parse_endpoint(named)

    assert KEY not in str(raised.value) + str(raised.value.hint)


@pytest.mark.parametrize("key", ["a\nb", "schlüssel", "a\r\nX-Other: 1", "\0"])
def test_a_key_that_fits_no_header_is_refused_and_not_repeated(key):
    with pytest.raises(InputError) as raised:
        parse_endpoint("https://host/v1#m", key=key)

    assert key not in str(raised.value)


def test_an_endpoint_does_not_show_its_key():
    found = parse_endpoint("https://host/v1#m", key=KEY)

    assert found.key == KEY
    assert KEY not in f"{found} {found!r} {[found]}"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("[::1]", True),
        ("[::ffff:127.0.0.1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("llama.localhost", True),
        ("192.168.0.5", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("0x7f.1", False),
        ("notlocalhost", False),
    ],
)
def test_local_is_what_stays_on_this_machine(host, local):
    assert parse_endpoint(f"http://{host}:8080/v1#m").is_local is local


def test_a_key_comes_from_the_environment_or_a_file(monkeypatch, tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{KEY}\nsecond line")
    file.chmod(0o600)
    monkeypatch.setenv("SOME_KEY", " from-the-environment\n")
    said = []

    assert read_key(note=said.append) is None
    assert read_key(file=file, note=said.append) == KEY
    assert read_key(variable="SOME_KEY", file=file, note=said.append) == "from-the-environment"
    monkeypatch.setenv("SOME_KEY", "")
    assert read_key(variable="SOME_KEY", file=file, note=said.append) == KEY
    assert not said


def test_a_key_that_is_not_where_it_was_said_to_be_is_an_error(monkeypatch, tmp_path):
    monkeypatch.delenv("SOME_KEY", raising=False)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(InputError, match="SOME_KEY is not set"):
        read_key(variable="SOME_KEY")
    for name, reason in [
        ("gone", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
        ("empty", "begins with an empty line"),
        ("binary", "cannot be read: it is not UTF-8"),
    ]:
        with pytest.raises(InputError, match=reason):
            read_key(file=tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_can_read_is_said(tmp_path, mode):
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(mode)
    said = []

    assert read_key(file=file, note=said.append) == KEY

    assert said == [f"others can read the key in {file}: `chmod 600 {file}`"]


def test_a_key_file_may_be_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(tmp_path))
    (tmp_path / ".key").write_text(KEY)

    assert read_key(file=Path("~/.key")) == KEY


def test_what_was_said_once_is_not_said_again(tmp_path):
    said = []

    for _ in range(2):  # two runs
        note = note_once(said.append, tmp_path / "state")
        note("text goes to a")
        note("text goes to b")
        note("text goes to a")

    assert said == ["text goes to a", "text goes to b"]


def test_where_nothing_can_be_kept_it_is_said_again(tmp_path):
    (tmp_path / "state").write_text("no folder")
    said = []

    note_once(said.append, tmp_path / "state")("text goes to a")
    note_once(said.append, tmp_path / "state")("text goes to a")

    assert said == ["text goes to a"] * 2
