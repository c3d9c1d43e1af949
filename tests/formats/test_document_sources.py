import os
import threading
import zipfile
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from memcli.errors import InputError
from memcli.formats import FORMATS, FORMATS_WITH_PIECES, load_format, zips
from memcli.formats.sources import find_sources


def documents(path):
    return [document for place in find_sources(path) for document in place.documents()]


def content(document):
    with document.open() as stream:
        return stream.read()


def contents(path):
    """Return the contents of the files at a path, by name within it."""
    return {each.name.removeprefix(f"{path}/"): content(each) for each in documents(path)}


def make_zip(path, members, method=ZIP_DEFLATED):
    with ZipFile(path, "w", method) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return path


def test_a_file_is_one_document_that_can_be_opened_twice(tmp_path):
    path = tmp_path / "chat.txt"
    path.write_bytes(b"Hi")

    [document] = documents(path)

    assert document.name == str(path)
    assert (content(document), content(document)) == (b"Hi", b"Hi")


def test_an_empty_file_is_a_document(tmp_path):
    (tmp_path / "empty").touch()

    assert contents(tmp_path) == {"empty": b""}


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    for name in ("b.txt", "a/z.txt", "a.txt", "c/d/e.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)

    assert list(contents(tmp_path)) == ["a/z.txt", "a.txt", "b.txt", "c/d/e.txt"]


def test_noise_is_passed_over(tmp_path):
    for name in (".DS_Store", "._chat.txt", "Thumbs.db", "chat.txt"):
        (tmp_path / name).touch()
    make_zip(tmp_path / "x.zip", {"__MACOSX/._a.txt": b"", "a/.DS_Store": b"", "a.txt": b"Hi"})

    assert set(contents(tmp_path)) == {"chat.txt", "x.zip/a.txt"}


def test_the_members_of_a_zip_are_read_where_they_are(tmp_path):
    path = make_zip(tmp_path / "export.zip", {"b.json": b"B", "a/c.json": b"C", "d/": b""})

    assert contents(path) == {"a/c.json": b"C", "b.json": b"B"}
    assert list(tmp_path.iterdir()) == [path]


def test_members_can_be_read_side_by_side_and_again(tmp_path):
    path = make_zip(tmp_path / "export.zip", {"a": b"A" * 100_000, "b": b"B" * 100_000})
    first, second = documents(path)

    with first.open() as one, second.open() as other:
        pairs = [(one.read(10), other.read(10)) for _ in range(3)]

    assert pairs == [(b"A" * 10, b"B" * 10)] * 3
    assert len(content(first)) == 100_000


def test_the_names_in_a_zip_lead_nowhere(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    path = make_zip(folder / "x.zip", {"../../up.txt": b"up", "/etc/passwd": b"mine"})

    assert set(contents(path).values()) == {b"up", b"mine"}
    assert [each.name for each in tmp_path.rglob("*")] == ["in", "x.zip"]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = make_zip(tmp_path / "bomb.zip", {"bomb.json": b"0" * 20_000_000})

    [document] = documents(path)

    with pytest.raises(InputError, match="unpacks to 20,000,000 bytes"):
        document.open()


def test_a_small_member_may_be_as_dense_as_it_likes(tmp_path):
    path = make_zip(tmp_path / "small.zip", {"a.json": b"0" * 1_000_000})

    assert len(contents(path)["a.json"]) == 1_000_000


def test_members_that_share_their_bytes_are_a_bomb_together(tmp_path):
    names = [f"{number:03}.json" for number in range(200)]
    path = make_zip(tmp_path / "x.zip", dict.fromkeys(names, b"0" * 1000000))
    whole = path.read_bytes()
    directory = whole.index(b"PK\x01\x02")
    with ZipFile(path) as archive:
        offset = archive.infolist()[1].header_offset
    path.write_bytes(whole[:offset] + whole[directory:-22] + _end_of_zip(whole[-22:], offset))
    assert path.stat().st_size < 20_000

    with pytest.raises(InputError, match=r"x\.zip unpacks to 200,000,000 bytes"):
        documents(path)


def _end_of_zip(end, directory):
    """Return the last record of a zip with a wrong position of its directory."""
    return end[:16] + directory.to_bytes(4, "little") + end[20:]


def test_a_member_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "LARGEST_MEMBER", 10)
    [document] = documents(make_zip(tmp_path / "x.zip", {"a": b"01234567890"}))

    with pytest.raises(InputError, match="too much for a chat"):
        document.open()


def test_a_truncated_zip_is_an_error(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a.json": os.urandom(5_000)})
    path.write_bytes(path.read_bytes()[:3_000])

    with pytest.raises(InputError, match="damaged zip"):
        list(documents(path))


def test_what_is_damaged_in_a_folder_does_not_hide_the_rest(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "b.txt").write_bytes(b"Hi")

    broken, sound = find_sources(tmp_path)

    with pytest.raises(InputError, match="damaged zip"):
        list(broken.documents())
    assert [content(each) for each in sound.documents()] == [b"Hi"]


def test_a_damaged_member_is_an_error_and_the_others_are_read(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": b"A" * 90, "b": b"B" * 90}, zipfile.ZIP_STORED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"A" * 90, b"A" * 89 + b"X", 1))

    first, second = documents(path)

    with pytest.raises(InputError, match="is damaged: Bad CRC"):
        content(first)
    assert content(second) == b"B" * 90


def test_an_encrypted_member_is_an_error_with_a_way_out(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a": b"secret"}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    [document] = documents(path)

    with pytest.raises(InputError, match="is encrypted") as caught:
        content(document)
    assert caught.value.hint == "unzip it first"


def test_a_member_packed_in_a_rare_way_is_an_error(tmp_path):
    [document] = documents(make_zip(tmp_path / "x.zip", {"a": b"Hi"}, ZIP_LZMA))

    with pytest.raises(InputError, match="is packed in an unknown way"):
        document.open()


def test_a_zip_damaged_anywhere_is_read_or_is_an_error(tmp_path):
    path = make_zip(tmp_path / "x.zip", {"a.json": b'{"a": 1}' * 9, "b.json": b"Hi"})
    sound = path.read_bytes()

    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        try:
            opened = list(documents(path))
        except InputError:
            continue
        for document in opened:
            try:
                content(document)
            except InputError as error:
                assert str(path) in str(error)  # noqa: PT017  # most positions are harmless


def test_nothing_at_a_path_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no file or folder at"):
        list(documents(tmp_path / "missing"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Hi")
    path.chmod(0)

    with pytest.raises(InputError, match=r"cannot read .*: Permission denied"):
        list(documents(path))


def test_a_pipe_is_read_once_and_can_be_opened_twice(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread = threading.Thread(target=pipe.write_bytes, args=(b"Hi",))
    thread.start()

    [document] = documents(pipe)
    thread.join()

    assert document.name == str(pipe)
    assert (content(document), content(document)) == (b"Hi", b"Hi")


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "chat.txt").write_bytes(b"Hi")

    assert contents(tmp_path) == {"chat.txt": b"Hi"}


def test_a_link_that_leads_nowhere_is_passed_over(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "missing")

    assert contents(tmp_path) == {}


def test_all_formats_with_small_files_beside_a_main_file_are_listed():
    assert tuple(name for name in FORMATS if load_format(name).pieces) == FORMATS_WITH_PIECES
