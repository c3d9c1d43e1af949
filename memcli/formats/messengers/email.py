"""Mail: one message (`.eml`), or a mailbox of them (`mbox`, as Gmail's Takeout has it).

The first message that a thread refers to identifies it. A turn has the text that its sender wrote,
without the text of others repeated below it, and the names of the attachments.

Source: RFC 4155 and 5322; `X-GM-THRID` as Gmail writes it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from io import BytesIO
from typing import Any

from memcli.domain import Clock, Kind, Omission, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import part_label
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_text import html_to_text
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.values import MessageKeys, is_plausible_time

LARGEST_MAIL = 32 << 20  # bytes; texts come first, and attachments follow
_MOST_LINES = 1 << 19  # of a mail: 32 MB of an attachment have fewer
_MOST_PARTS = 1000
_DEEPEST = 12  # multiparts in one another; the parser compares every line with all of them
_LONGEST_HEADER = 4096  # characters; the library's parser takes quadratic time
_LONGEST_LINE = 1 << 20  # bytes

# The errors that the standard library raises for mail that breaks its rules.
_MAIL_ERRORS = (
    MessageError,
    ArithmeticError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
_BOUNDARY = re.compile(rb"""boundary[*\d]*=\s*["']?([^"';\s]{1,100})""", re.IGNORECASE)
_POSTMARK = re.compile(r"From \S+ .*\d{4}\s*")
_HEADER = re.compile(r"[!-9;-~]{1,76}:(?: |\t|$).*")
_ID = re.compile(r"<[^<>\s]+>")
_REPLY = re.compile(
    r"\s*(?:(?:re|aw|sv|antw|fwd?|wg|tr|rif|odp)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)
_ORIGINAL = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*(?:Original Message|Ursprüngliche Nachricht|Message d'origine"
    r"|Mensaje original)[ \t]*-{2,}|_{20,}\s*\n(?:From|Von|De): ).*",
    re.MULTILINE | re.DOTALL,
)
_ATTRIBUTION = re.compile(
    r"[ \t]*(?:On|Am|Le|El|Il|Op|Den|W dniu)\b.{5,300}?"
    r"(?:wrote|schrieb|écrit|escribió|scritto|schreef|skrev|napisał).{0,100}:?\s*"
)
# In any language: an address, or a year and a time, and a colon at the end.
_ANY_ATTRIBUTION = re.compile(
    r"(?=.*(?:<?[^<>\s]+@[^<>\s]+>?|(?:19|20)\d\d.*\b\d{1,2}[:.]\d\d\b)).{5,400}[:：]\s*"
)
_ATTRIBUTION_LINES = 3


def _recognises(sample: Sample) -> bool:
    lines = sample_lines(sample, 100)
    if _POSTMARK.fullmatch(lines[0]):
        lines = lines[1:]
    head = lines[: lines.index("")] if "" in lines else lines
    names = {line.partition(":")[0].casefold() for line in head if line[:1] not in (" ", "\t")}
    is_header = all(line[:1] in (" ", "\t") or _HEADER.fullmatch(line) for line in head)
    return (
        is_header
        and "from" in names
        and "date" in names
        and bool(names & {"message-id", "received", "mime-version", "to"})
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("email", _messages(document, options))


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    keys = MessageKeys()
    for number, raw in enumerate(_mails(document), start=1):
        document.counter.see()
        try:
            _check_nesting(raw)
            bounded: Any = _BoundedPolicy(message_factory=_PartFactory())  # which types the mail
            mail: EmailMessage = message_from_bytes(raw, policy=bounded)
            turn = _turn(mail, keys, options)
            if turn:
                chat, title = _thread(mail, turn.key)
                yield ChatTurn(chat, title, turn)
            else:
                document.counter.omit(Omission.EMPTY)
        except (*_MAIL_ERRORS, InputError) as error:
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"mail {number}", f"cannot be read: {error}")


def _mails(document: Document) -> Iterator[bytes]:
    """Yield each message of a mailbox, or the only one; of each at most LARGEST_MAIL bytes."""
    mail = bytearray()
    is_blank, is_mailbox = True, False  # of the line before, and of the file
    count = 0  # lines of the mail
    with document.open() as stream:
        while line := stream.readline(_LONGEST_LINE):
            if is_blank and line.startswith(b"From ") and (is_mailbox or not mail):
                if mail:
                    yield bytes(mail)
                mail, is_mailbox, count = bytearray(), True, 0
            elif len(mail) < LARGEST_MAIL and count < _MOST_LINES:
                count += 1
                is_escaped = is_mailbox and re.match(rb">+From ", line)
                mail += line[1:] if is_escaped else line
            is_blank = line in (b"\n", b"\r\n")
    if mail:
        yield bytes(mail)


class _BoundedPolicy(policy.EmailPolicy):
    """The usual policy, for headers up to a length: the rest of a longer one is not parsed."""

    def header_fetch_parse(self, name: str, value: str) -> Any:  # Any: as the library has it
        """Return the value of a header when it is asked for."""
        return super().header_fetch_parse(name, value[:_LONGEST_HEADER])


class _PartFactory:
    """Makes the parts of one mail, and refuses to make too many."""

    def __init__(self) -> None:
        self._parts = 0

    def __call__(self, policy: Any = None) -> EmailMessage:  # Any: the library's policies
        """Return an empty part."""
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise InputError(f"it has more than {_MOST_PARTS:,} parts")
        return EmailMessage(policy)


def _check_nesting(raw: bytes) -> None:
    """Check how deep the multiparts of a mail lie in one another.

    Raises:
        InputError: they lie too deep.
    """
    open_boundaries: list[bytes] = []
    for line in BytesIO(raw) if raw.count(b"--") > _DEEPEST else ():
        if line.startswith(b"--"):
            for depth, boundary in enumerate(open_boundaries):
                if line.startswith(boundary, 2):
                    closes = line.startswith(b"--", 2 + len(boundary))
                    del open_boundaries[depth if closes else depth + 1 :]
                    break
        elif b"=" in line and (found := _BOUNDARY.search(line)):
            open_boundaries.append(found[1])
            if len(open_boundaries) > _DEEPEST:
                raise InputError(f"its parts lie more than {_DEEPEST} deep in one another")


def _thread(mail: EmailMessage, key: str) -> tuple[str, str]:
    """Return the key of a thread, and its subject."""
    ids = _ids(mail, "references") or _ids(mail, "in-reply-to") or [key]
    gmail_thread = _header(mail, "x-gm-thrid").strip()
    subject = " ".join(_header(mail, "subject").split())
    return gmail_thread or ids[0], _REPLY.sub("", subject, count=1) or "(no subject)"


def _turn(mail: EmailMessage, keys: MessageKeys, options: ParseOptions) -> Turn | None:
    """Return the turn that a message makes; None where it is empty."""
    name, address = parseaddr(_header(mail, "from"))
    files = _file_names(mail)
    subject = " ".join(_header(mail, "subject").split())
    kind, text = text_with_files(_own_text(mail) or ("" if files else subject), files)
    if kind is Kind.TEXT and not text:
        return None
    sent_at = _sent_at(mail)
    reply_to = _ids(mail, "in-reply-to") or _ids(mail, "references")
    own_id = _ids(mail, "message-id")
    return Turn(
        key=own_id[0] if own_id else keys.next_key(sent_at, address, text),
        role=sender_role(options, name, address),
        text=text,
        speaker=name or address or None,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=reply_to[-1] if reply_to else None,
    )


def _file_names(mail: EmailMessage) -> list[str]:
    """Return the names of the files of a message, which may be nothing but a file."""
    files = [part.get_filename() or "" for part in mail.iter_attachments()]
    if not mail.is_multipart() and mail.get_content_maintype() != "text":
        return [mail.get_filename() or ""]
    if not files and mail.get_body(("plain", "html")) is None:
        # Such as an invitation to a meeting, which is an alternative to no text.
        others = (part for part in mail.walk() if not part.is_multipart())
        files = [part.get_filename() or part_label(part.get_content_type()) for part in others]
    return files


def _own_text(mail: EmailMessage) -> str:
    """Return the text that the sender wrote."""
    body = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    content: Any = body.get_content()  # bytes if the body only claims to be text
    text = content if isinstance(content, str) else bytes(content).decode("utf-8", "replace")
    text = html_to_text(text, has_targets=True) if body.get_content_type() == "text/html" else text
    return strip_quotes(text.replace("\r\n", "\n"))


def strip_quotes(text: str) -> str:
    """Return a text without the quotes at its end; the whole text, if it is nothing but quotes."""
    lines = _ORIGINAL.sub("", text).split("\n")
    has_quote = False
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith(">")):
        has_quote = bool(lines.pop().strip()) or has_quote
    for count in range(1, _ATTRIBUTION_LINES + 1) if has_quote else ():
        if _ATTRIBUTION.fullmatch(" ".join(lines[-count:])):
            del lines[-count:]
            break
    else:
        start = max((at for at, line in enumerate(lines) if not line.strip()), default=-1) + 1
        above = lines[start:] if has_quote else []
        is_attribution = 0 < len(above) <= _ATTRIBUTION_LINES
        if is_attribution and _ANY_ATTRIBUTION.fullmatch(" ".join(above)):
            del lines[start:]
    return "\n".join(lines).strip() or text.strip()


def _header(mail: EmailMessage, name: str) -> str:
    return str(mail.get(name, ""))


def _ids(mail: EmailMessage, name: str) -> list[str]:
    return _ID.findall(_header(mail, name))


def _sent_at(mail: EmailMessage) -> datetime | None:
    """Return the time in the date header, in UTC where it has no zone; None where it has none."""
    try:
        moment = parsedate_to_datetime(_header(mail, "date"))
    except _MAIL_ERRORS:  # the header of a date without bounds cannot even be read
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if is_plausible_time(moment) else None


FORMAT = Format(name="email", recognises=_recognises, parse=_parse)
