"""Mail: single messages and mailboxes."""

from io import BytesIO

import pytest

from memcli.domain import Conversation, Kind, Role
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import email
from memcli.formats.sources import find_sources


def mail(text="Hi", number=1, *, head="", subject="Lunch", sender="Ann <ann@example.org>"):
    return (
        f"From: {sender}\nTo: Bob <bob@example.org>\nSubject: {subject}\n"
        f"Date: Sat, 1 Jun 2024 12:0{number}:00 +0200\nMessage-ID: <{number}@x>\n{head}\n{text}\n"
    )


def mailbox(*mails):
    return "".join(f"From ann@example.org Sat Jun  1 12:00:00 2024\n{one}\n" for one in mails)


def document(text, name="x.eml"):
    return Document(name, lambda: BytesIO(text if isinstance(text, bytes) else text.encode()))


def read(text, **options):
    return list(email._parse(document(text), ParseOptions(**options)))


def test_mail_is_recognised_by_its_head():
    assert recognise_format(document(mail())) is email.FORMAT
    assert recognise_format(document(mailbox(mail()))) is email.FORMAT
    assert recognise_format(document("From: Ann\n\nHi")) is not email.FORMAT
    assert recognise_format(document("From here on\nit goes on\n")) is not email.FORMAT


def test_a_mail_becomes_a_turn_of_its_thread():
    [found] = read(mail(), me="ann@example.org")

    assert (found.source, found.key, found.title) == ("email", "<1@x>", "Lunch")
    [turn] = found.turns
    assert (turn.key, turn.role, turn.speaker, turn.text) == ("<1@x>", Role.USER, "Ann", "Hi")
    assert turn.sent_at.isoformat() == "2024-06-01T12:01:00+02:00"


def test_replies_are_of_the_thread_they_refer_to():
    head = "In-Reply-To: <2@x>\nReferences: <1@x>\n <2@x>\n"

    [found] = read(mailbox(mail(), mail("Yes", 3, head=head, subject="Re: AW: Lunch")))

    assert (found.key, found.endless) == ("<1@x>", True)
    assert [(turn.text, turn.parent) for turn in found.turns] == [("Hi", None), ("Yes", "<2@x>")]


def test_gmail_numbers_its_threads_itself():
    [found] = read(mail(head="X-GM-THRID: 17\n"))

    assert found.key == "17"


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes\n\nOn Sat, 1 Jun 2024, Bob wrote:\n> Lunch?\n>> Hm\n", "Yes"),
        ("Ja\n\nAm 01.06.2024 um 12:00 schrieb Bob\n<bob@x>:\n> Lunch?", "Ja"),
        ("> Lunch?\nYes\n> When?\nAt one", "> Lunch?\nYes\n> When?\nAt one"),
        ("Yes\n\n-----Original Message-----\nFrom: Bob\n\nLunch?", "Yes"),
        ("> only\n> a quote", "> only\n> a quote"),
        ("On it.\nBob wrote: nothing", "On it.\nBob wrote: nothing"),
        ("Oui\n\nEm sáb., 1 de jun. de 2024 às 12:00, Bob <bob@x.y>\nescreveu:\n> Lunch?", "Oui"),
        ("好\n\n在 2024年6月1日 12:00，Bob写道：\n> Lunch?", "好"),
        ("The train at 12:30:\n> Which?", "The train at 12:30:"),
    ],
)
def test_quotes_at_the_end_are_left_out(text, own):
    assert email.strip_quotes(text) == own


def test_of_several_forms_the_plain_one_is_read_and_attachments_are_named():
    head = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n'
    text = (
        "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        "Q2Fmw6k=\n--b\nContent-Type: application/pdf\n"
        'Content-Disposition: attachment; filename="a.pdf"\n\nx\n--b--\n'
    )

    [found] = read(mail(text, head=head))

    assert [(turn.kind, turn.text) for turn in found.turns] == [(Kind.TEXT, "Café\n[a.pdf]")]


def test_a_page_is_read_as_text():
    [found] = read(mail("<p>Hi <b>Bob</b></p><style>x</style>", head="Content-Type: text/html\n"))

    assert [turn.text for turn in found.turns] == ["Hi Bob"]


def test_lines_that_look_like_the_beginning_of_a_mail_belong_to_the_one_they_are_in():
    [found] = read(mailbox(mail("x\nFrom here\n\n>From there")))

    assert [turn.text for turn in found.turns] == ["x\nFrom here\n\nFrom there"]


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain; charset=nonsense\n",
        "Content-Type: ;;;\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Type: multipart/mixed\n",
        "Reply-To: <<<>>>,,@\n",
        "References: <>\n",
    ],
)
def test_a_mail_that_breaks_the_rules_costs_at_most_itself(head):
    parsed = read(mailbox(mail(head=head), mail("Yo", 2)))

    found = [part for part in parsed if isinstance(part, Conversation)]
    assert "Yo" in [turn.text for part in found for turn in part.turns]


def test_the_sample_is_found_and_counted(samples):
    [path] = samples.glob("email/*/tests/fixtures/test_email.eml")
    [place] = find_sources(path)
    [found] = place.documents()
    [conversation] = email._parse(found, ParseOptions())

    assert recognise_format(found) is email.FORMAT
    assert len(conversation.turns) == 1
    assert "sparse attention" in conversation.turns[0].text
