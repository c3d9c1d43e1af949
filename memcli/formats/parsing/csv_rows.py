"""CSV tables read row by row, in bounded memory for any content.

The delimiter is a comma, semicolon, tab or vertical bar, whichever the first line has most often.
A quoted field may hold line breaks. A quote without an end would swallow the rest of the file, so
the rows after it are recognised by their number of fields: the damaged row alone is broken.
"""

import csv
import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines

LONGEST_RECORD = 1 << 20  # characters of one row

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'((?:[^"]++|"")*+)("?)')
_OPENING_QUOTE = re.compile(r' *"')
# A line that is a row: the standard library, which is faster, parses most of them.
_WHOLE_ROW = r'(?:"(?:[^"]++|"")*+"(?=D|\Z)|[^"D]*+)'
_HEADER_BYTES = 1 << 13
_SHORT_LINE = 100_000  # characters, within the limit of the standard library
_EXCEL_HINT = re.compile(r"sep=(.)\r?", re.IGNORECASE)  # the first line of some tables


def read_csv(document: Document) -> Iterator[tuple[int, dict[str, str] | BrokenValue]]:
    """Yield (number of the line, fields by column) of each row after the header.

    Columns are in lower case and without space around them. Fields beyond the last column are
    joined to it, and missing ones are "". A row that is damaged is BrokenValue.
    """
    columns: list[str] | None = None
    for number, record in read_records(document):
        if isinstance(record, BrokenValue):
            yield number, record
        elif columns is None:
            columns = normalize_columns(record)
        else:
            extra = len(record) - len(columns)
            if extra > 0:
                record[len(columns) - 1 :] = [",".join(record[len(columns) - 1 :])]
            elif extra:
                record += [""] * -extra
            row = defaultdict(str, zip(columns, record, strict=True))
            if len(row) < len(columns):  # the first of two columns with one name counts
                row.update(zip(reversed(columns), reversed(record), strict=True))
            yield number, row


def read_records(document: Document) -> Iterator[tuple[int, list[str] | BrokenValue]]:
    """Yield (number of the line, fields) of each row, the header as well; blank rows are left out.

    A row that is damaged is BrokenValue.
    """
    return _RecordReader(document).records()


def csv_columns(sample: Sample) -> list[str]:
    """Return the columns that the header of a table would have, as `read_csv` names them.

    The list is empty for a text whose first line has no delimiter.
    """
    head = sample_lines(Sample(sample.name, sample.head[:_HEADER_BYTES]), 2)
    line = head[1] if len(head) > 1 and _EXCEL_HINT.fullmatch(head[0]) else head[0]
    record = _Record(_delimiter(line))
    record.add(line)
    return normalize_columns(record.fields) if len(record.fields) > 1 else []


def normalize_columns(names: Sequence[str]) -> list[str]:
    """Return names of columns in lower case and without space around them."""
    return [" ".join(name.replace("\ufeff", "").split()).casefold() for name in names]


def _delimiter(line: str) -> str:
    """Return the delimiter that a line has most often outside of quotes."""
    plain = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=plain.count)


class _Record:
    """A row as its lines are added."""

    def __init__(self, delimiter: str) -> None:
        self.fields: list[str] = []
        self._delimiter = delimiter
        self._quoted: list[str] | None = None  # the parts of a quoted field without its end

    @property
    def is_open(self) -> bool:
        """True if a quoted field has no end yet."""
        return self._quoted is not None

    def add(self, line: str) -> None:
        """Add a line without its end."""
        at = 0
        if self._quoted is not None:
            self._quoted.append("\n")
            at = self._take_quoted(line, 0)
        while 0 <= at <= len(line):
            if quote := _OPENING_QUOTE.match(line, at):
                self._quoted = []
                at = self._take_quoted(line, quote.end())
            else:
                at = self._take_plain(line, at, "")

    def close(self) -> list[str]:
        """Return the fields, of which the last may be a quoted one without its end."""
        if self._quoted is not None:
            self.fields.append("".join(self._quoted))
            self._quoted = None
        return self.fields

    def _take_quoted(self, line: str, at: int) -> int:
        """Take a quoted field; return the position after its delimiter, or -1 without an end."""
        match = _QUOTED.match(line, at)
        assert match is not None, "the pattern also matches an empty text"
        assert self._quoted is not None, "it is set where a quote begins"
        self._quoted.append(match[1].replace('""', '"'))
        if not match[2]:
            return -1
        text = "".join(self._quoted)
        self._quoted = None
        return self._take_plain(line, match.end(), text)

    def _take_plain(self, line: str, at: int, before: str) -> int:
        """Take the text up to the next delimiter; return the position after it."""
        end = line.find(self._delimiter, at)
        end = len(line) if end < 0 else end
        self.fields.append(before + line[at:end])
        return end + 1


class _RecordReader:
    """A reader of the rows of one document."""

    def __init__(self, document: Document) -> None:
        self._lines = enumerate(read_lines(document), start=1)
        self._waiting: deque[tuple[int, str | None]] = deque()  # lines to be read again
        self._delimiter = ""
        self._whole_row = re.compile("")
        self._width = 0  # number of fields of the first row

    def records(self) -> Iterator[tuple[int, list[str] | BrokenValue]]:
        """Yield the rows."""
        while (numbered := self._next_line()) is not None:
            number, line = numbered
            if line is None:
                yield number, BrokenValue(f"has more than {LONGEST_LINE:,} characters")
                continue
            if not self._delimiter:
                hint = _EXCEL_HINT.fullmatch(line)
                self._delimiter = hint[1] if hint else _delimiter(line)
                pattern = rf"{_WHOLE_ROW}(?:D{_WHOLE_ROW})*+"
                self._whole_row = re.compile(pattern.replace("D", re.escape(self._delimiter)))
                if hint:
                    continue
            fields = self._read_record(line)
            if fields is None:
                yield number, BrokenValue("has a quoted field without an end")
            elif any(field.strip() for field in fields):
                self._width = self._width or len(fields)
                yield number, fields

    def _next_line(self) -> tuple[int, str | None] | None:
        if self._waiting:
            return self._waiting.popleft()
        number, line = next(self._lines, (0, None))
        return (number, line and line.rstrip("\r")) if number else None

    def _read_record(self, line: str) -> list[str] | None:
        """Return the fields of the row that begins with a line; None if the line is damaged."""
        if '"' not in line:
            return line.split(self._delimiter)
        if len(line) < _SHORT_LINE and self._whole_row.fullmatch(line):
            return next(csv.reader((line,), delimiter=self._delimiter))
        record = _Record(self._delimiter)
        record.add(line)
        size = len(line)
        following: list[tuple[int, str | None]] = []
        while record.is_open:
            numbered = self._next_line() if size <= LONGEST_RECORD else None
            if numbered is None or numbered[1] is None:
                following += [numbered] if numbered else []
                if any(map(self._is_row, following)):
                    self._waiting.extendleft(reversed(following))
                    return None
                break
            following.append(numbered)
            record.add(numbered[1])
            size += len(numbered[1]) + 1
        return record.close()

    def _is_row(self, numbered: tuple[int, str | None]) -> bool:
        """Return whether a line alone is a row of this table."""
        record = _Record(self._delimiter)
        record.add(numbered[1] or "")
        return not record.is_open and self._width > 1 and len(record.fields) == self._width
