"""Reddit's data request: private messages in `messages.csv`, chats in `chat_history.csv`.

The owner's name is in `statistics.csv` beside them.

Source: the columns of exports of 2021 to 2026 as open programs read them.
"""

from collections.abc import Iterator, Mapping

from memcli.domain import Skipped
from memcli.errors import InputError
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.written_times import parse_written_time

_MESSAGE = {"id", "permalink", "thread_id", "date", "from", "to", "body"}
_CHAT = {"message_id", "created_at", "username", "message", "channel_url"}
_OWNER_ROWS = frozenset({"account name", "username", "account_name"})


def _recognises(sample: Sample) -> bool:
    columns = set(csv_columns(sample))
    return columns >= _MESSAGE or columns >= _CHAT


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("reddit", chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    owner, titles = _read_owner(document), dict[str, str]()
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
        elif "channel_url" in row:
            yield _chat_message(row, owner, titles)
        else:
            yield _private_message(row, owner)


def _private_message(row: Mapping[str, str], owner: str) -> ChatMessage:
    sender, receiver = row["from"].strip(), row["to"].strip()
    other = receiver if owner and sender == owner else sender
    subject, body = row.get("subject", "").strip(), row["body"]
    is_answer = subject.casefold().startswith("re:")
    return ChatMessage(
        chat=row["thread_id"].strip() or row["id"].strip(),
        title=other or subject or "Reddit",
        speaker=sender,
        text=f"{subject}\n{body}" if subject and not is_answer else body,
        time=parse_written_time(row["date"]),
        key=row["id"].strip(),
        is_owner=bool(owner) and sender == owner,
    )


def _chat_message(row: Mapping[str, str], owner: str, titles: dict[str, str]) -> ChatMessage:
    """Return a message of a chat; `titles` has the names of chats that have none of their own."""
    sender = row["username"].strip()
    names = (row.get("channel_name", ""), row.get("subreddit", ""))
    title = next(filter(None, (name.strip() for name in names)), "")
    title = title or titles.setdefault(row["channel_url"], sender if sender != owner else "")
    edited = parse_written_time(row.get("updated_at", ""))
    time = parse_written_time(row["created_at"])
    if edited and not (time and time.tzinfo and edited.tzinfo and edited > time):
        edited = None
    return ChatMessage(
        chat=row["channel_url"].strip() or title or "Reddit",
        title=title or "Reddit chat",
        speaker=sender,
        text=row["message"],
        time=time,
        key=row["message_id"].strip(),
        is_owner=bool(owner) and sender == owner,
        parent=row.get("thread_parent_message_id", "").strip() or None,
        edited_at=edited,
    )


def _read_owner(document: Document) -> str:
    """Return the name of the account's owner, "" if the export does not hold it."""
    statistics = document.find_file("statistics.csv")
    try:
        for _, row in read_csv(statistics) if statistics else ():
            if isinstance(row, BrokenValue):
                continue
            if row.get("statistic", "").strip().casefold() in _OWNER_ROWS:
                return row.get("value", "").strip()
    except InputError:
        pass  # it is reported where it is imported
    return ""


FORMAT = Format(name="reddit", recognises=_recognises, parse=_parse)
