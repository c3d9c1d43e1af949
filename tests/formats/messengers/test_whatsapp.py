import io
import random
import tracemalloc
import zipfile
from collections import Counter

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Conversation, Kind, Role, Skipped
from memcli.errors import InputError
from memcli.formats.format import ParseOptions
from memcli.formats.messengers import whatsapp
from memcli.formats.parsing import text_lines
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import HEAD_BYTES, Sample

# Messages the index leaves out: "John Doe:." has a sender, but no space after the colon.
WITHOUT_SPACE = {"chat-miner": 1}


def text_rows():
    return [row for row in sample_rows("whatsapp") if ".zip" not in row["path"]]


def document(content, name="WhatsApp Chat with Ann.txt"):
    raw = content if isinstance(content, bytes) else content.encode()
    return Document(name, lambda: io.BytesIO(raw))


def is_recognised(content, name="WhatsApp Chat with Ann.txt"):
    raw = content if isinstance(content, bytes) else content.encode()
    return whatsapp.FORMAT.recognises(Sample(name, raw[:HEAD_BYTES]))


def read(content, name="WhatsApp Chat with Ann.txt", **options):
    """Return everything parsed, and the error that ended it."""
    parsed = []
    source = content if isinstance(content, Document) else document(content, name)
    try:
        for part in whatsapp.FORMAT.parse(source, ParseOptions(**options)):
            parsed.append(part)  # noqa: PERF402  # keeps what came before an error
    except InputError as error:
        return parsed, error
    return parsed, None


def turns(*lines, **options):
    parsed, error = read("\n".join(lines), **options)
    assert error is None
    return [turn for part in parsed if isinstance(part, Conversation) for turn in part.turns]


def speakers_and_texts(*lines, **options):
    return [(turn.speaker, turn.text) for turn in turns(*lines, **options)]


@pytest.mark.parametrize("row", text_rows(), ids=lambda row: row["path"])
def test_a_sample_is_found_and_counted(row):
    raw = (SHARED / "samples" / row["path"]).read_bytes()

    parsed, error = read(raw, row["path"])

    chats = [part for part in parsed if isinstance(part, Conversation)]
    people = sum(turn.role is Role.PERSON for chat in chats for turn in chat.turns)
    more = next((count for name, count in WITHOUT_SPACE.items() if name in row["path"]), 0)
    assert is_recognised(raw, row["path"])
    assert (len(chats), people - more, error) == (int(row["sessions"]), int(row["messages"]), None)


def test_nothing_else_among_the_samples_is_taken_for_whatsapp(samples):
    taken = [
        str(path.relative_to(samples))
        for path in samples.rglob("*")
        if path.is_file()
        and path.name != "INDEX.tsv"
        and "whatsapp" not in path.relative_to(samples).parts[0]
        and is_recognised(path.read_bytes()[:HEAD_BYTES], str(path.relative_to(samples)))
    ]

    assert taken == []


def test_the_sample_inside_a_zip_reads_as_the_one_beside_it(samples):
    folder = samples / "whatsapp/JBGruber__rwhatsapp/inst/extdata"
    member = Document("sample.zip/sample.txt", lambda: zipped.open("sample.txt"))

    with zipfile.ZipFile(folder / "sample.zip") as zipped:
        inside = list(whatsapp.FORMAT.parse(member, ParseOptions()))

    assert inside == read((folder / "sample.txt").read_bytes(), "sample.txt")[0]


def test_names_may_hold_colons_emoji_and_marks():
    assert speakers_and_texts(
        "13/06/18, 10:00 - Work: Dr. Who: hello",
        "13/06/18, 10:01 - 🤓: see: this",
        "13/06/18, 10:02 - Work: Dr. Who: so: what",
        "13/06/18, 10:03 - ~\u202fBo: hi",
        "13/06/18, 10:04 - \u202a+49 170 1234\u202c: hi",
        "13/06/18, 10:05 - Bo:",
    ) == [
        ("Work: Dr. Who", "hello"),
        ("🤓", "see: this"),
        ("Work: Dr. Who", "so: what"),
        ("Bo", "hi"),
        ("+49 170 1234", "hi"),
        ("Bo", ""),
    ]


def test_whatsapp_s_own_lines_are_service_turns():
    lines = [
        "13/06/18, 10:00 - Messages and calls are end-to-end encrypted. Tap to learn more.",
        '13/06/18, 10:00 - Ann created group "Trip: Lisbon"',
        "13/06/18, 10:01 - Ann changed this group: description",
        "13/06/18, 10:02 - Missed voice call",
        "13/06/18, 10:03 - Ann: Bob left",
    ]

    found = turns(*lines)

    assert [(turn.role, turn.kind, turn.speaker) for turn in found] == [
        *[(Role.SYSTEM, Kind.SERVICE, None)] * 3,
        (Role.SYSTEM, Kind.CALL, None),
        (Role.PERSON, Kind.TEXT, "Ann"),
    ]
    assert found[2].text == "Ann changed this group: description"


def test_on_iphones_a_mark_tells_whatsapp_s_own_lines():
    found = turns(
        "[13/06/18, 10:00:00] Trip: \u200eMessages and calls are end-to-end encrypted.",
        "[13/06/18, 10:00:01] \u200eYou added Bob: a friend",
        "\u200e[13/06/18, 10:00:02] Ann: \u200eimage omitted",
        "[13/06/18, 10:00:03] Ann: \u200eMissed voice call, \u200eTap to call back",
    )

    assert [(turn.speaker, turn.kind) for turn in found] == [
        (None, Kind.SERVICE),
        (None, Kind.SERVICE),
        ("Ann", Kind.MEDIA),
        ("Ann", Kind.CALL),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<Media omitted>", Kind.MEDIA),
        ("<Multimedia omitido>", Kind.MEDIA),
        ("<Medien ausgeschlossen>", Kind.MEDIA),
        ("<Médias omis>", Kind.MEDIA),
        ("<省略多媒体文件>", Kind.MEDIA),
        ("\u200eGIF omitted", Kind.MEDIA),
        ("\u200e<attached: 00000042-PHOTO-2018-06-13-21-25-15.jpg>", Kind.MEDIA),
        ("IMG-20210428-WA0001.jpg (file attached)", Kind.MEDIA),
        ("\u200eIMG-20210428-WA0001.jpg (Datei angehängt)", Kind.MEDIA),
        ("2015-08-04-PHOTO-00004762.jpg <\u200eattached>", Kind.MEDIA),
        ("IMG-20210428-WA0001.jpg (file attached)\nThe lake", Kind.TEXT),
        ("look <Media omitted>", Kind.TEXT),
        ("image omitted, she said", Kind.TEXT),
        ("This message was deleted", Kind.DELETED),
        ("You deleted this message.", Kind.DELETED),
        ("Diese Nachricht wurde gelöscht.", Kind.DELETED),
        ("Se eliminó este mensaje.", Kind.DELETED),
        ("此消息已删除", Kind.DELETED),
    ],
)
def test_media_and_deleted_messages_are_not_words(text, kind):
    [turn] = turns(f"[13/06/18, 10:00:00] Ann: {text}")

    assert turn.kind is kind


def test_the_remark_that_a_message_was_edited_is_not_part_of_it():
    assert speakers_and_texts(
        "13/06/18, 10:00 - Ann: at eight <This message was edited>",
        "13/06/18, 10:01 - Ann: a <b> tag",
    ) == [("Ann", "at eight"), ("Ann", "a <b> tag")]


def test_lines_without_a_header_go_on_and_blank_lines_stay_inside():
    assert speakers_and_texts(
        "13/06/18, 10:00 - Ann: one", "", "two", "", "13/06/18, 10:01 - Bob: three", ""
    ) == [
        ("Ann", "one\n\ntwo"),
        ("Bob", "three"),
    ]


def test_a_message_that_came_late_stays_where_it_was_written():
    found = turns("14/06/18, 10:00 - Ann: 1", "13/06/18, 10:00 - Ann: 2", "15/06/18, 9:00 - Ann: 3")

    assert [turn.text for turn in found] == ["1", "2", "3"]


def test_the_owner_is_found_by_name():
    lines = ["13/06/18, 10:00 - Ann: hi", "13/06/18, 10:00 - Zoë: hello"]

    assert [turn.role for turn in turns(*lines, me="zoe\u0308")] == [Role.PERSON, Role.USER]


def test_equal_messages_have_keys_of_their_own_that_never_change():
    lines = ["13/06/18, 10:00 - Ann: hi", "13/06/18, 10:00 - Ann: hi", "13/06/18, 10:01 - Bob: oh"]

    keys = [turn.key for turn in turns(*lines)]

    assert len(set(keys)) == 3
    assert [turn.key for turn in turns(*lines, "", "14/06/18, 9:00 - Ann: more")][:3] == keys


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("WhatsApp Chat with Ann.txt", "Ann"),
        ("a/b/WhatsApp Chat with Ann Lee (1).txt", "Ann Lee"),
        ("Chat de WhatsApp con Ann.txt", "Ann"),
        ("WhatsApp-Chat mit Ann.txt", "Ann"),
        ("与Ann的 WhatsApp 聊天.txt", "Ann"),
        ("與Ann的WhatsApp對話.txt", "Ann"),
        ("down/WhatsApp Chat - Ann.zip/_chat.txt", "Ann"),
        ("WhatsApp Chat - Ann/_chat.txt", "Ann"),
        ("holiday.txt", "holiday"),
        ("_chat.txt", "Lisbon"),
    ],
)
def test_the_chat_is_named_after_its_file(name, title):
    text = '13/06/18, 10:00 - Ann created group "Lisbon"\n13/06/18, 10:00 - Ann: hi'

    [chat], _ = read(text, name)

    assert (chat.source, chat.key, chat.title) == ("whatsapp", title.casefold(), title)
    assert chat.endless


def test_chats_without_a_name_are_distinguished_by_their_first_lines():
    [one], _ = read("13/06/18, 10:00 - Ann: hi\n13/06/18, 10:01 - Bob: oh", "_chat.txt")
    [same], _ = read("13/06/18, 10:00 - Ann: hi\n", "_chat.txt")
    [other], _ = read("13/06/18, 10:00 - Cem: hi\n", "_chat.txt")

    assert one.key == same.key != other.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Ann: hello\nBob: hello",
        "I was born on 13/06/18, 10:00 - Ann: hi",
        "notes\n13/06/18, 10:00 - Ann: hi",
        "[2019-05-29, 15:04] Me: text\n[2019-05-29, 15:05] Ann: text",  # Signal
        "2024.01.02 Tuesday\n03:04\tAlice\thi\n03:05\tBob\tho",  # LINE
        '{"a": "\n13/06/18, 10:00 - Ann: hi\n13/06/18, 10:01 - Ann: hi"}',
        "<html>\n13/06/18, 10:00 - Ann: hi\n13/06/18, 10:01 - Ann: hi",
        "2024-01-02 03:04:05 - root: started\n2024-01-02 03:04:06 - root: ended",  # a log
        "[2024/01/02 03:04:05] INFO: started\n[2024/01/02 03:04:06] ERROR: ended",
    ],
)
def test_other_texts_are_not_taken_for_a_chat(text):
    assert not is_recognised(text, "notes.txt")


def test_utf_16_and_windows_line_ends_are_read():
    text = "13/06/18, 10:00 - Zoë: hi\r\nthere\r\n13/06/18, 10:01 - Ann: oh\r\n"

    for raw in (text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        assert is_recognised(raw)
        [chat], _ = read(raw)
        assert [(turn.speaker, turn.text) for turn in chat.turns] == [
            ("Zoë", "hi\nthere"),
            ("Ann", "oh"),
        ]


def test_a_chat_cut_anywhere_keeps_every_whole_message():
    lines = [f"13/06/18, 10:{minute} - Zoë: message {minute} 👌🏻" for minute in range(10, 20)]
    raw = "\n".join(lines).encode()
    whole = turns(*lines)

    for cut in range(len(lines[0].encode()), len(raw)):
        parsed, error = read(raw[:cut])
        found = [turn for part in parsed if isinstance(part, Conversation) for turn in part.turns]
        sound = raw[:cut].count(b"\n") - 1  # the one after it may end in half a header
        assert error is None
        assert found[: max(sound, 0)] == whole[: max(sound, 0)]
        assert sound < 0 or found[sound].text.startswith(whole[sound].text)


def test_flipped_bytes_never_break_the_reading():
    chance = random.Random(1)
    lines = [f"[13/06/18, 10:{minute}:00] Zoë: m {minute}" for minute in range(10, 30)]
    for _ in range(300):
        raw = bytearray("\n".join(lines).encode())
        for _ in range(8):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        is_recognised(bytes(raw))
        parsed, error = read(bytes(raw))
        texts = "\n".join(
            f"{turn.speaker}: {turn.text}"
            for part in parsed
            if isinstance(part, Conversation)
            for turn in part.turns
        )
        assert error is None
        assert sum(f"m {minute}" in texts for minute in range(10, 30)) >= 8


class Breaking(io.BytesIO):
    """A stream that breaks off, as a damaged zip does."""

    def read1(self, size=-1):
        if block := super().read1(min(size, 1000)):
            return block
        raise InputError("chat.zip is damaged")


def test_messages_before_the_damage_are_kept():
    text = "".join(f"13/06/18, 10:00 - Ann: {n}\n" for n in range(100)).encode()

    [chat], error = read(Document("_chat.txt", lambda: Breaking(text)))

    assert str(error) == "chat.zip is damaged"
    assert len(chat.turns) >= 99


def test_a_line_without_end_is_left_out(monkeypatch):
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 1000)
    endless = "x" * 5000

    parsed, _ = read(f"13/06/18, 10:00 - Ann: hi\n{endless}\n13/06/18, 10:01 - Ann: oh")

    assert [part.lost for part in parsed if isinstance(part, Skipped)] == [True]
    assert [turn.text for turn in parsed[-1].turns] == ["hi", "oh"]


@pytest.mark.parametrize(
    "filler", [" ", "\u200e", "<", "13/06/18, ", 'created group "', ": ", "\0"]
)
def test_hostile_lines_take_no_time(filler):
    line = "13/06/18, 10:00 - Ann: " + filler * (100_000 // len(filler))

    assert len(turns("13/06/18, 10:00 - Ann: hi", line, filler * 50_000 + ">")) == 2


def test_a_file_without_a_message_is_an_input_error():
    assert str(read("nothing here", "notes.txt")[1]) == "notes.txt holds no WhatsApp messages"


class Lines(io.RawIOBase):
    """Many messages that were never all in memory."""

    def __init__(self, count):
        self._lines = (
            b"%02d/06/18, 10:%02d - Ann: message %d %s\n" % (1 + n // 1500, n % 60, n, b"x" * 300)
            for n in range(count)
        )
        self._rest = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while len(self._rest) < len(buffer) and (line := next(self._lines, None)):
            self._rest += line
        block, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


def test_a_long_chat_comes_in_pieces_and_takes_little_memory():
    count = 5_000
    long = Document("Ann.txt", lambda: io.BufferedReader(Lines(count)))
    sizes = Counter()

    tracemalloc.start()
    for part in whatsapp.FORMAT.parse(long, ParseOptions()):
        sizes[len(part.turns)] += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert sizes == {1000: count // 1000}
    assert peak < 3_000_000
