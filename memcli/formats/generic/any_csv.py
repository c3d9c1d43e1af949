"""Tables of messages: any CSV with a column for the speaker, one for the text and one for the time.

The columns are known by their names. A table whose speakers are a user and an assistant holds
conversations with an assistant; any other holds chats among people. A column for the conversation
divides the rows; without one they are one conversation.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePath

from memcli.domain import Doubt, Skipped
from memcli.errors import InputError
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.collected_chats import collect_conversations
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import chat_key_and_title, chat_name
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.generic.any_json import ROLES
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.written_times import DateReader
from memcli.lazy_dataclasses import dataclass

_SPEAKER = (
    "role speaker sender_name sendername author_name from_name display_name user_name sender author"
    " from user username name who nick nickname participant"
    " absender remitente mittente expéditeur remetente nadawca отправитель 发送人 发送者 发件人"
    " 昵称 傳送者 送信者 発言者 보낸사람 보낸_사람 이름"
).split()
_TEXT = (
    "text message content body msg message_text messagetext utterance value prompt"
    " nachricht mensaje messaggio mensagem wiadomość сообщение texto testo texte 内容 消息 消息内容"
    " 訊息 メッセージ 메시지 내용"
).split()
_TIME = (
    "timestamp datetime date_time sent_at created_at createdat time date sent created send_date"
    " message_date sent_date create_time ts"
    " zeitstempel datum fecha data дата horodatage 时间 时间戳 日期 時間 日時 日付 날짜 시간"
).split()
# Columns of the day and of the time of the day, in tables that have both.
_DAY = "date datum fecha data дата 日期 日付 날짜".split()
_CLOCK = "time uhrzeit zeit hora ora heure время 时间 時間 時刻 시간".split()
_CHAT = (
    "conversation_id conversationid conversation chat_id chatid chat thread_id threadid thread"
    " session_id sessionid session channel_id channel room talker group"
).split()
_TITLE = "title conversation_title chat_title chat_name talkername channel_name subject".split()
_KEY = "id message_id messageid msg_id uuid".split()
_FILES = (
    "attachment attachments file files file_name filename media attachment_name"
    " anhang adjunto allegato anexo załącznik вложение 附件 添付ファイル 첨부파일"
).split()
# Names of files that say nothing about the chat: it is named after the folder.
_GENERAL_NAMES = (
    "messages message chat chats chat_history conversation conversations history export data log"
).split()
_SAMPLE_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table, "" where there is none."""

    speaker: str
    text: str
    time: str
    clock: str  # time of the day, where the time column has the day alone
    chat: str
    title: str
    key: str
    files: str

    def file_names(self, row: Mapping[str, str]) -> list[str]:
        """Return the names of the files of a row, without folders and queries."""
        paths = row.get(self.files, "").replace("\\", "/").replace("\n", ",").split(",")
        names = (path.strip().partition("?")[0].rpartition("/")[2] for path in paths)
        return [name for name in names if name]

    def time_text(self, row: Mapping[str, str]) -> str:
        """Return the time of a row as it is written."""
        return " ".join(filter(None, (row.get(self.time, ""), row.get(self.clock, ""))))


def _find_columns(names: list[str]) -> _Columns | None:
    """Return the columns of a table by their names; None if a needed one is missing."""
    by_name = {name.replace(" ", "_").replace("-", "_"): name for name in reversed(names)}

    def find(wanted: list[str]) -> str:
        return next((by_name.pop(name) for name in wanted if name in by_name), "")

    is_split = not by_name.keys().isdisjoint(_DAY) and not by_name.keys().isdisjoint(_CLOCK)
    text, key = find(_TEXT), find(_KEY)
    chat, title, speaker = find(_CHAT), find(_TITLE), find(_SPEAKER)
    clock, files = find(_CLOCK) if is_split else "", find(_FILES)
    time = find(_DAY) if is_split else find(_TIME)
    if not speaker or not text or not time:
        return None
    return _Columns(speaker, text, time, clock, chat, title, key, files)


def _recognises(sample: Sample) -> bool:
    """Return whether a table has the columns, and most of its first rows have all three values."""
    if _find_columns(csv_columns(sample)) is None or sample.document is None:
        return False
    survey = _survey_rows(sample.document)
    return survey is not None and survey.good > 0 and survey.good >= survey.rows / 2


@dataclass(slots=True)
class _Survey:
    """The findings in the first rows."""

    columns: _Columns
    dates: DateReader
    rows: int = 0
    good: int = 0  # rows with a speaker, a text and a time
    roles: int = 0  # rows whose speaker is a role


def _survey_rows(document: Document) -> _Survey | None:
    """Return the findings in the first rows; None if the table is not one of messages."""
    rows: list[Mapping[str, str]] = []
    try:
        for _, found in islice(read_csv(document), _SAMPLE_ROWS):
            if not isinstance(found, BrokenValue):
                rows.append(found)
    except InputError:
        pass  # the parser reports it
    columns = _find_columns(list(rows[0])) if rows else None
    if columns is None:
        return None
    survey = _Survey(columns, DateReader(map(columns.time_text, rows)))
    for row in rows:
        speaker, text = row[columns.speaker].strip(), row[columns.text].strip()
        has_time = survey.dates.parse(columns.time_text(row)) is not None
        survey.rows += bool(text)
        survey.good += bool(text and speaker and has_time)
        survey.roles += bool(text) and speaker.casefold() in ROLES
    return survey


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    survey = _survey_rows(document)
    if survey is None:
        raise InputError(f"{document.name} has no columns for a speaker, a text and a time")
    if survey.dates.is_ambiguous:
        reason = f"day and month cannot be told apart, read as {survey.dates.order}"
        yield Doubt("dates", reason)
    turns = chat_turns(_messages(document, survey), document, options)
    if survey.roles > survey.rows / 2:
        yield from collect_conversations("generic", turns, document.name)
    else:
        yield from split_chats("generic", turns)


def _messages(document: Document, survey: _Survey) -> Iterator[ChatMessage | Skipped]:
    columns, name = survey.columns, PurePath(chat_name(document, *_GENERAL_NAMES)).name
    has_roles = survey.roles > survey.rows / 2
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
            continue
        speaker = row[columns.speaker].strip()
        role = ROLES.get(speaker.casefold()) if has_roles else None
        chat = row.get(columns.chat, "").strip() or row.get(columns.title, "").strip()
        title = row.get(columns.title, "").strip() or chat or ("" if has_roles else name)
        yield ChatMessage(
            chat=chat or ("" if has_roles else chat_key_and_title(name)[0]),
            title=title,
            speaker="" if role else speaker,
            text=row[columns.text],
            time=survey.dates.parse(columns.time_text(row)),
            key=row.get(columns.key, "").strip(),
            files=columns.file_names(row),
            role=role,
        )


FORMAT = Format(name="generic_csv", recognises=_recognises, parse=_parse)
