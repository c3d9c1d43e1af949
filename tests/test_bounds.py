"""Hostile headers, mails and TOML end in a clear error at once, and take little memory."""

import json
import struct
from resource import RUSAGE_SELF, getrusage
from time import process_time

import pytest
from helpers.parsing import document

from memcli.backends.gguf_check import check_gguf
from memcli.backends.safetensors_header import read_safetensors_header
from memcli.catalog.manifest_parser import parse_manifest
from memcli.domain import Conversation
from memcli.errors import BackendError, InputError
from memcli.formats import ParseOptions, load_format
from memcli.settings import load_settings, read_toml
from memcli.weights.convert import decoder_tokenizer
from memcli.weights.convert.json_file import JsonFile

MOST_SECONDS, MOST_MEGABYTES = 5, 500
STRING, ARRAY, U8, U32 = 8, 9, 0, 4


@pytest.fixture(autouse=True)
def bounded():
    began, before = process_time(), getrusage(RUSAGE_SELF).ru_maxrss
    yield
    assert process_time() - began < MOST_SECONDS
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < MOST_MEGABYTES << 10


def text(name):
    return struct.pack("<Q", len(name)) + name


def pair(name, kind, value):
    return text(name) + struct.pack("<I", kind) + value


def array(kind, count):
    return struct.pack("<IQ", kind, count)


def gguf(pairs=(), tensors=(), *, pair_count=None, tensor_count=None):
    counts = (
        len(tensors) if tensor_count is None else tensor_count,
        len(pairs) if pair_count is None else pair_count,
    )
    return b"GGUF" + struct.pack("<IQQ", 3, *counts) + b"".join((*pairs, *tensors))


def tensor(*sides, kind=0, offset=0, dimensions=None):
    count = len(sides) if dimensions is None else dimensions
    row = struct.pack(f"<{len(sides)}Q", *sides)
    return text(b"t") + struct.pack("<I", count) + row + struct.pack("<IQ", kind, offset)


FILLING = bytes(16 << 20)
HEADERS = {
    "tensors": (gguf(tensor_count=1 << 40) + FILLING, "1,099,511,627,776 tensors"),
    "keys": (gguf(pair_count=1 << 20) + FILLING, "1,048,576 keys"),
    "a long key": (gguf([struct.pack("<Q", 9 << 20)]) + FILLING, "a name of 9,437,184 bytes"),
    "texts": (
        gguf([pair(b"k", ARRAY, array(STRING, 1 << 40))]) + FILLING,
        "an array of 1,099,511,627,776 values",
    ),
    "numbers": (
        gguf([pair(b"k", ARRAY, array(U8, 15 << 20))]) + FILLING,
        "an array of 15,728,640 values",
    ),
    "arrays of arrays": (
        gguf([pair(b"k", ARRAY, array(ARRAY, 1 << 20) + array(ARRAY, 1 << 21))]) + FILLING,
        "an array of 2,097,152 values",
    ),
    "alignment": (
        gguf([pair(b"general.alignment", U32, struct.pack("<I", 1 << 31))]) + FILLING,
        "its alignment of 2,147,483,648 bytes",
    ),
    "an odd alignment": (
        gguf([pair(b"general.alignment", U32, struct.pack("<I", 33))]) + FILLING,
        "its alignment of 33 bytes",
    ),
    "dimensions": (gguf(tensors=[tensor(2, dimensions=1 << 20)]) + FILLING, "1,048,576 dimensions"),
    "a side": (gguf(tensors=[tensor(1 << 60)]), "1,152,921,504,606,846,976 rows"),
    "a size": (gguf(tensors=[tensor(1 << 30, 1 << 30)]) + bytes(64), "bytes are missing"),
    "an offset": (gguf(tensors=[tensor(4, offset=1 << 63)]) + bytes(64), "bytes are missing"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_gguf_header_that_promises_too_much_is_refused(tmp_path, name):
    content, problem = HEADERS[name]
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)

    with pytest.raises(BackendError, match=rf"odd\.gguf cannot be used: .*{problem}"):
        check_gguf(path)


SHAPES = {
    "a long shape": [1] * 100_000,
    "a huge side": [int("9" * 4000)],
    "many huge sides": [int("9" * 4000)] * 1500,
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_safetensors_header_with_an_absurd_shape_is_refused(tmp_path, name):
    header = {"t": {"dtype": "F32", "shape": SHAPES[name], "data_offsets": [0, 4]}}
    content = json.dumps(header).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(struct.pack("<Q", len(content)) + content + bytes(4))

    with pytest.raises(BackendError, match="describes t in a way that makes no sense"):
        read_safetensors_header(path)


def test_a_safetensors_header_of_many_megabytes_is_refused(tmp_path):
    path = tmp_path / "odd.safetensors"
    content = b'{"a":[' + b"{}," * (10 << 20) + b"{}]}"
    path.write_bytes(struct.pack("<Q", len(content)) + content)

    with pytest.raises(BackendError, match="is not a safetensors file, or is cut short"):
        read_safetensors_header(path)


@pytest.mark.parametrize("count", [-1, 1 << 40, int("9" * 4000)])
def test_absurd_counts_in_a_config_of_a_model_are_refused(tmp_path, count):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"vocab_size": count, "rope": {"theta": 10**400}}))
    config = JsonFile.read(path)

    for place, kind in (("vocab_size", int), ("rope.theta", float)):
        with pytest.raises(BackendError, match=rf"negative or absurd as {place}"):
            config.require(place, kind)


def test_an_absurd_vocabulary_is_refused(tmp_path):
    file = JsonFile(tmp_path / "tokenizer.json", {})
    words = {"words": {}, "added": [], "merges": [], "pre_tokenizer": "qwen2"}

    with pytest.raises(BackendError, match="a vocabulary of 1,073,741,824 tokens"):
        decoder_tokenizer._build_vocabulary(file, size=1 << 30, **words)


def mail(body=b"hi", *, kind=b"text/plain", sender=b"ann@home.example", number=1):
    return (
        b"From: %b\r\nTo: bob@home.example\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n"
        b"Message-ID: <%d@home.example>\r\nContent-Type: %b\r\n\r\n%b"
    ) % (sender, number, kind, body)


def nested(depth, body=b""):
    parts = [
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (at, at + 1)
        for at in range(depth)
    ]
    return mail(b"".join(parts) + body, kind=b"multipart/mixed; boundary=b0")


MAILS = {
    "many parts": (
        mail(b"--b\r\n\r\nx\r\n" * 100_000, kind=b"multipart/mixed; boundary=b"),
        "it has more than 1,000 parts",
    ),
    "deep parts": (nested(500, b"x\r\n" * 100_000), "its parts lie more than 12 deep"),
    "mails in mails": (
        mail(b"Content-Type: message/rfc822\r\n\r\n" * 5000, kind=b"message/rfc822"),
        "maximum recursion depth",
    ),
}


@pytest.mark.parametrize("name", MAILS)
def test_a_hostile_mail_is_named_and_the_others_are_read(name):
    hostile, problem = MAILS[name]
    box = b"From MAILER Mon Jan  1 10:00:00 2024\r\n%b\r\n\r\n" * 2 % (hostile, mail(number=2))

    found = list(load_format("email").parse(document(box, "box.mbox"), ParseOptions()))

    [good] = [one for one in found if isinstance(one, Conversation)]
    [bad] = [one for one in found if not isinstance(one, Conversation)]
    assert [turn.text for turn in good.turns] == ["hi"]
    assert bad.where == "mail 1"
    assert problem in bad.why


@pytest.mark.parametrize(
    "hostile",
    [
        mail(sender=b'"' * 200_000),
        mail(sender=b"(" * 200_000),
        mail(sender=b"a@b.c," * 50_000),
        mail(kind=b"text/plain" + b"; a=b" * 50_000),
        mail(kind=b"text/plain" + b"".join(b"; a*%d=b" % at for at in range(20_000))),
        mail(b"x\r\n" * 1_000_000),
        nested(10, b"x\r\n" * 1_000_000),
    ],
    ids=["quotes", "brackets", "addresses", "parameters", "pieces", "lines", "nested lines"],
)
def test_long_headers_and_texts_of_mails_take_little_time(hostile):
    assert len(list(load_format("email").parse(document(hostile, "a.eml"), ParseOptions()))) == 1


SIZE = 1 << 20
TOML = {
    "a key of parts": "a" + ".a" * (SIZE // 3) + " = 1",
    "a key of quoted parts": "a" + ' . "a"' * (SIZE // 9) + " = 1",
    "a table of parts": "[" + "a." * (SIZE // 3) + "a]",
    "lists in lists": "x = " + "[" * (SIZE - 10),
    "tables in tables": "x = " + "{a = " * (SIZE // 6),
    "a number of digits": "x = " + "9" * (SIZE - 10),
    "many tables": "[[a.b.c.d]]\n" * (SIZE // 13),
    "too long": "# " + "x" * (SIZE + 1),
}


@pytest.mark.parametrize("name", TOML)
def test_hostile_settings_are_refused(tmp_path, monkeypatch, name):
    path = tmp_path / "config.toml"
    path.write_text(TOML[name])
    monkeypatch.setenv("MEM_CONFIG", str(path))

    with pytest.raises(InputError, match=r"config\.toml"):
        load_settings()


@pytest.mark.parametrize("name", ["deep", "wide"])
def test_a_manifest_is_refused_as_settings_are(tmp_path, name):
    path = tmp_path / "model.toml"
    path.write_text({"deep": "x = " + "[" * 100_000, "wide": "# " + "x" * (2 << 20)}[name])

    with pytest.raises(InputError, match=r"model\.toml"):
        read_toml(path)


MANIFEST = {"name": "m", "role": "chat", "context": 4096}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"context": int("f" * 5000, 16)}, "`context` is a number with more than 64 bits"),
        ({"context": -1}, "`context` is -1, not a number of tokens"),
        ({"context": 1 << 40}, "`context` is 1,099,511,627,776, not a number of tokens"),
        ({"generation": {"thought_tokens": 1 << 40}}, "not a number of tokens"),
        ({"quantizations": {"Q8_0": 10**400}}, "more than 64 bits"),
        ({"sampling": {"temperature": float("nan")}}, "is nan, not a finite number"),
        ({"name": int("f" * 5000, 16)}, "more than 64 bits"),
        ({"unknown": int("f" * 5000, 16)}, "unknown key `unknown`"),
        ({"files": [int("f" * 5000, 16)]}, "more than 64 bits"),
    ],
)
def test_absurd_numbers_in_a_manifest_are_named(changed, problem):
    with pytest.raises(InputError, match=problem):
        parse_manifest({**MANIFEST, **changed}, "m.toml")
