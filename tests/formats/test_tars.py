"""Tars without compression, as Skype writes them."""

import json
import tarfile
from io import BytesIO
from random import Random

import pytest

from memcli.errors import InputError
from memcli.formats import ParseOptions, recognise_format
from memcli.formats.sources import find_sources

MESSAGE = {"id": "1", "from": "8:bo", "messagetype": "Text", "content": "gate 4471"}
EXPORT = {"userId": "8:me", "conversations": [{"id": "8:bo", "MessageList": [MESSAGE]}]}


@pytest.fixture
def tar(tmp_path):
    path = tmp_path / "8_live_ann_export.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in {
            "messages.json": json.dumps(EXPORT),
            "media/a.txt": "x" * 100_000,
            "../outside.json": "[]",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content.encode()))
        link = tarfile.TarInfo("link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def documents(path):
    [place] = find_sources(path)
    return list(place.documents())


def test_the_files_of_a_tar_are_documents_and_links_are_not(tar):
    found = documents(tar)

    assert [each.name.removeprefix(f"{tar}/") for each in found] == [
        "../outside.json",
        "media/a.txt",
        "messages.json",
    ]
    [chat] = recognise_format(found[2]).parse(found[2], ParseOptions())
    assert [turn.text for turn in chat.turns] == ["gate 4471"]
    assert found[1].find_file("../messages.json").name == found[2].name
    assert found[1].find_file("../../../etc/passwd") is None


def test_a_member_is_read_like_a_file(tar):
    [_, text, _] = documents(tar)

    with text.open() as stream:
        assert stream.seek(99_990) == 99_990
        assert stream.read() == b"x" * 10
        assert stream.read() == b""


def test_a_damaged_tar_is_read_or_is_an_error(tar):
    raw, random = tar.read_bytes(), Random(1)
    for _ in range(50):
        at = random.randrange(len(raw))
        for content in (raw[:at], raw[:at] + bytes([raw[at] ^ 255]) + raw[at + 1 :]):
            tar.write_bytes(content)
            try:
                for found in documents(tar):
                    with found.open() as stream:
                        assert len(stream.read()) <= len(content)
            except InputError:
                continue
