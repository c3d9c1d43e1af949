import io
import tomllib
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from memcli.domain import Conversation, Kind, Role
from memcli.formats import recognise_format
from memcli.formats.format import ParseOptions
from memcli.formats.messengers import whatsapp
from memcli.formats.parsing.document import Document

TABLES = tomllib.loads(
    files("memcli.formats.messengers").joinpath("whatsapp_phrases.toml").read_bytes().decode()
)


def document(lines, name):
    raw = "\n".join(lines).encode()
    return Document(name, lambda: io.BytesIO(raw))


def chats(*lines, name="WhatsApp Chat with Ann.txt", **options):
    parsed = whatsapp.FORMAT.parse(document(lines, name), ParseOptions(**options))
    return [part for part in parsed if isinstance(part, Conversation)]


def turns(*lines, **options):
    return [turn for chat in chats(*lines, **options) for turn in chat.turns]


def phrases(key):
    return [
        pytest.param(phrase.replace("{name}", "Ann"), id=f"{language}-{number}")
        for language, table in TABLES.items()
        for number, phrase in enumerate(table.get(key, ()))
    ]


@pytest.mark.parametrize("phrase", phrases("omitted"))
def test_on_iphones_files_are_left_out_in_every_language(phrase):
    [turn, named] = turns(
        f"\u200e[13.06.18, 10:00:00] Ann: \u200e{phrase}",
        f"\u200e[13.06.18, 10:00:01] Ann: Plan B.pdf • \u200e2 x \u200e{phrase}",
    )

    assert (turn.kind, turn.speaker, named.kind) == (Kind.MEDIA, "Ann", Kind.MEDIA)


@pytest.mark.parametrize("phrase", phrases("media"))
@pytest.mark.parametrize("form", ["<{}>", "< {} >", "<{}.>"])
def test_on_android_files_are_left_out_in_every_language(phrase, form):
    [turn, words] = turns(
        f"13.06.18, 10:00 - Ann: {form.format(phrase)}",
        f"13.06.18, 10:00 - Ann: she wrote {phrase} there",
    )

    assert (turn.kind, words.kind) == (Kind.MEDIA, Kind.TEXT)


@pytest.mark.parametrize("phrase", phrases("deleted"))
def test_deleted_messages_are_known_in_every_language(phrase):
    found = turns(
        f"13.06.18, 10:00 - Ann: {phrase}",
        f"[13.06.18, 10:00:00] Ann: \u200e{phrase}.",
        name="a.txt",
    )

    assert {(turn.kind, turn.speaker) for turn in found} == {(Kind.DELETED, "Ann")}


@pytest.mark.parametrize("phrase", phrases("edited"))
def test_the_remark_about_an_edit_is_removed_in_every_language(phrase):
    assert [turn.text for turn in turns(f"13.06.18, 10:00 - Ann: at eight <{phrase}>")] == [
        "at eight"
    ]


@pytest.mark.parametrize("phrase", phrases("encryption"))
def test_the_notice_about_encryption_is_nobodys_in_every_language(phrase):
    [notice, words] = turns(
        f"[13.06.18, 10:00:00] Ann: {phrase} and so on", "[13.06.18, 10:00:01] Ann: hi"
    )

    assert (notice.role, notice.kind, notice.speaker) == (Role.SYSTEM, Kind.SERVICE, None)
    assert (words.role, words.speaker) == (Role.PERSON, "Ann")


@pytest.mark.parametrize("phrase", phrases("calls"))
def test_calls_are_known_in_every_language(phrase):
    found = turns(
        f"13.06.18, 10:00 - {phrase}",
        f"\u200e[13.06.18, 10:00:00] Ann: \u200e{phrase}",
        "\u200e[13.06.18, 10:00:01] Ann: \u200eXyz, \u200e2 min",
    )

    assert {turn.kind for turn in found} == {Kind.CALL}
    assert found[-1].text == "Xyz, 2 min"


@pytest.mark.parametrize("template", phrases("file_names"))
def test_files_are_named_in_every_language(template):
    [chat] = chats("13.06.18, 10:00 - Bo: hi", name=f"down/{template}.txt")
    [copy] = chats("13.06.18, 10:00 - Bo: hi", name=f"down/{template.replace(' ', '_')} (2).txt")

    assert (chat.title, copy.title.strip("_")) == ("Ann", "Ann")


@pytest.mark.parametrize(
    "attached",
    [
        "<attached: 00000012-PHOTO-2026-01-02.jpg>",
        "<jokin sana: 00000012-PHOTO-2026-01-02.jpg>",
        "< attached: 00000012-PHOTO-2026-01-02.jpg >",
        "Plan.pdf • \u200e3 sivua \u200e<jokin: 00000012-Plan.pdf>",
        "2015-08-04-PHOTO-1.jpg <\u200ejokin>",
        "IMG-20210428-WA0001.jpg (jotain muuta)",
        "\u200ePlan for May.pdf (jotain muuta)",
        "Plan for May.pdf (archivo adjunto)",
    ],
)
def test_the_form_of_a_file_needs_no_language(attached):
    [turn] = turns(f"13.06.18, 10:00 - Ann: {attached}")

    assert turn.kind is Kind.MEDIA
    assert "\u200e" not in turn.text


def test_what_has_the_mark_of_an_iphone_is_nobodys_words_in_any_language():
    found = turns(
        "[13.06.18, 10:00:00] Boat club: \u200eXyzzy plugh.",
        "[13.06.18, 10:00:01] Ann: \u200eAnn frobnicated “Boat: club”",
        "[13.06.18, 10:00:02] Ann: who is in?",
        "\u200e[13.06.18, 10:00:03] Ann: \u200exyzzy foo",
        "\u200e[13.06.18, 10:00:04] Ann: \u200ePlace: https://maps.google.com/?q=1,2",
        "\u200e[13.06.18, 10:00:05] Ann: \u200eXYZZY:\nTea?\n\u200eA: yes (2)\n\u200eB: no (0)",
        "[13.06.18, 10:00:06] Ann: at nine \u200e<Xyzzy plugh>",
        "[13.06.18, 10:00:07] Ann: \u200e+49 170 1234",
    )

    assert [(turn.speaker, turn.kind) for turn in found] == [
        (None, Kind.SERVICE),
        (None, Kind.SERVICE),
        ("Ann", Kind.TEXT),
        ("Ann", Kind.MEDIA),
        *[("Ann", Kind.TEXT)] * 4,
    ]
    assert found[5].text == "XYZZY:\nTea?\nA: yes (2)\nB: no (0)"
    assert found[6].text == "at nine"


def test_a_remark_in_brackets_that_comes_again_and_again_is_whatsapps_own():
    lines = [f"13.06.18, 10:0{at} - Ann: <Xyz ploff>" for at in range(3)]
    lines += [f"13.06.18, 10:1{at} - Bo: no {at} <Qux zap gab>" for at in range(3)]

    found = turns(*lines, "13.06.18, 10:20 - Bo: a <b>", "13.06.18, 10:20 - Bo: <hm ja>")

    assert [turn.kind for turn in found] == [*[Kind.MEDIA] * 3, *[Kind.TEXT] * 5]
    assert [turn.text for turn in found[3:]] == ["no 0", "no 1", "no 2", "a <b>", "<hm ja>"]


@pytest.mark.parametrize(
    ("line", "speaker", "text"),
    [
        ("Bo: location: https://maps.google.com/?q=1,2", "Bo", "location: https://maps"),
        ("Bo: Standort: https://maps.google.com/?q=1,2", "Bo", "Standort: https://maps"),
        ("Bo: ubicación: foo bar", "Bo", "ubicación: foo"),
        ("Bo: todo: buy oars", "Bo", "todo: buy"),
        ("Bo: Link: https://example.org", "Bo", "Link: https"),
        ("Dr. Bo: home: buy oars now", "Dr. Bo", "home: buy"),
        ("Bo: Boat Club: oars", "Bo: Boat Club", "oars"),
    ],
)
def test_a_label_is_not_part_of_the_name(line, speaker, text):
    found = turns(f"13.06.18, 10:00 - {line}", f"14.06.18, 10:00 - {line}", name="x.txt")

    assert {turn.speaker for turn in found} == {speaker}
    assert found[0].text.startswith(text)


def test_the_person_after_whom_the_chat_is_named_has_no_longer_name():
    found = turns("13.06.18, 10:00 - Ann: Note: oars", "13.06.18, 10:00 - Ann: Note: lamps")

    assert {turn.speaker for turn in found} == {"Ann"}


@pytest.mark.parametrize(
    "line",
    [
        "Ann vaihtoi nimen “Boat: 2025” nimeksi “Boat: 2026”",
        "Ann hat den Namen von „Boat: 2025“ zu „Boat: 2026“ geändert.",
        "Ann将群组名称从“Boat: 1”改为“Boat: 2”",
        'Ann mudou o nome de "Boat: 1" para "Boat: 2"',
        "Ann a renommé « Boat : 1 » en « Boat: 2 »",
    ],
)
def test_a_colon_in_the_quoted_name_of_a_group_ends_no_name(line):
    [turn, words] = turns(f"13.06.18, 10:00 - {line}", "13.06.18, 10:01 - Ann: so “x: y”", name="x")

    assert (turn.speaker, turn.kind) == (None, Kind.SERVICE)
    assert (words.speaker, words.text) == ("Ann", "so “x: y”")


@pytest.mark.parametrize(
    ("clock", "hour"),
    [
        ("9:05 in the morning", 9),
        ("1:05 in the afternoon", 13),
        ("7:05 in the evening", 19),
        ("10:05 at night", 22),
        ("1:05 at night", 1),
        ("12:05 at night", 0),
        ("9:05 de la mañana", 9),
        ("9:05 de la noche", 21),
        ("1:05 da tarde", 13),
        ("9:05 вечера", 21),
        ("3:05 ночи", 3),
        ("凌晨3:05", 3),
        ("中午12:05", 12),
        ("晚上9:05", 21),
        ("9:05 रात", 21),
        ("7:05 malam", 19),
        ("9:05 fm", 9),
        ("9:05 em", 21),
        ("kl. 21:05", 21),
        ("ob 21:05", 21),
    ],
)
def test_periods_of_the_day_are_read_in_every_language(clock, hour):
    lines = f"13/06/18, {clock} - Ann: hi", f"[13/06/18 {clock}] Ann: hi"

    for line in lines:
        [turn] = turns(line)
        assert turn.sent_at == datetime(2018, 6, 13, hour, 5, tzinfo=UTC)
        assert turn.speaker == "Ann"


def test_loose_chats_of_one_folder_are_apart_and_named_after_their_people():
    [ann] = chats(
        "[13/06/18, 10:00:00] Ann: hi", "[13/06/18, 10:00:01] Me: oh", name="Downloads/_chat.txt"
    )
    [grown] = chats(
        *["[13/06/18, 10:00:00] Ann: hi", "[13/06/18, 10:00:01] Me: oh"],
        "[13/06/18, 10:00:02] Ann: ok",
        name="Desktop/_chat (1).txt",
        me="me",
    )
    [zed] = chats("[13/06/18, 10:00:00] Zed: hi", name="Downloads/_chat 2.txt")

    assert ann.key == grown.key != zed.key
    assert (ann.title, grown.title, zed.title) == ("Ann, Me", "Ann", "Zed")


def test_a_loose_chat_is_named_after_the_one_whom_its_first_notice_is_about():
    [chat] = chats(
        "[13/06/18, 10:00:00] Boat club: \u200eMessages and calls are end-to-end encrypted.",
        "[13/06/18, 10:00:01] Ann: hi",
        name="_chat.txt",
    )

    assert chat.title == "Boat club"


@pytest.mark.parametrize(
    "log",
    [
        "[2026-03-12 14:05:33] staging.WARNING: slow query\n[2026-03-12 14:05:34] staging.INFO: ok",
        "[2026-03-12 14:05:33] sshd[77]: accepted\n[2026-03-12 14:05:34] cron[8]: started",
        "[2026-03-12 14:05:33] app.worker: begun\n[2026-03-12 14:05:34] app.worker: ended",
        "[12/03/2026 14:05:33] [error] 12#0: broken\n[12/03/2026 14:05:34] [notice] 12#0: ended",
        "[12/03/2026, 14:05:33] ERROR in app: broken\n[12/03/2026, 14:05:34] INFO in app: fine",
    ],
)
def test_the_log_of_a_program_is_no_chat(log):
    known = recognise_format(document([log], "server.log"))

    assert known is None or known.name != "whatsapp"
