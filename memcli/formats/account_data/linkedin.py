"""LinkedIn's `messages.csv`, from "Get a copy of your data".

The newest messages come first. The owner's name is in `Profile.csv` beside the table.

Source: the columns of exports of 2018 to 2026 as open programs read them.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from memcli.domain import Skipped
from memcli.errors import InputError
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_text import html_to_text
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.written_times import parse_written_time

_NEEDED = {"from", "to", "date", "subject", "content"}
_OWN_FOLDERS = frozenset({"sent", "outgoing"})


def _recognises(sample: Sample) -> bool:
    columns = set(csv_columns(sample))
    return columns >= _NEEDED and bool(columns & {"conversation id", "direction", "folder"})


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("linkedin", chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    owner = _read_owner(document)
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
        elif row.get("is message draft", "").strip().casefold() in ("yes", "true"):
            yield Skipped(f"line {number:,}", "is a draft that was not sent", lost=False)
        else:
            yield _message(row, owner)


def _message(row: Mapping[str, str], owner: str) -> ChatMessage:
    sender = row["from"].strip()
    direction = row.get("direction", "") or row.get("folder", "")
    people = [name.strip() for name in (sender, *row["to"].split(",")) if name.strip()]
    others = [name for name in dict.fromkeys(people) if name != owner]
    title = row.get("conversation title", "").strip() or ", ".join(sorted(others)) or sender
    links = row.get("attachments", "").split()
    subject, content = row["subject"].strip(), row["content"]
    if "<" in content or "&" in content:
        content = html_to_text(content.replace("\n", "<br>"), has_targets=True)
    is_first = bool(subject) and subject.casefold() not in content[: len(subject) + 1].casefold()
    return ChatMessage(
        chat=row.get("conversation id", "").strip() or title.casefold() or "LinkedIn",
        title=title or "LinkedIn",
        speaker=sender,
        text=f"{subject}\n{content}" if is_first else content,
        time=parse_written_time(row["date"], day_first=False),
        files=[link.partition("?")[0].rpartition("/")[2] for link in links],
        is_owner=bool(owner and sender == owner) or direction.casefold() in _OWN_FOLDERS,
        other_names=(row.get("sender profile url", "").rstrip("/").rpartition("/")[2],),
    )


def _read_owner(document: Document) -> str:
    """Return the name of the account's owner, "" if the export does not hold it."""
    profile = document.find_file("Profile.csv")
    try:
        for _, row in islice(read_csv(profile) if profile else (), 1):
            if not isinstance(row, BrokenValue):
                return f"{row.get('first name', '')} {row.get('last name', '')}".strip()
    except InputError:
        pass  # it is reported where it is imported
    return ""


FORMAT = Format(name="linkedin", recognises=_recognises, parse=_parse)
