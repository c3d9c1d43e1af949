"""Times in the HTML of My Activity, which are written in the person's language.

Jul 3, 2026, 9:15:00 AM CEST     03.07.2026, 09:15:00 MESZ     2026年7月3日 09:15:00 CST
"""

import re
from datetime import datetime, timedelta, timezone

from memcli.domain import Clock
from memcli.formats.format import ParseOptions
from memcli.formats.parsing.values import is_plausible_time, localize, parse_timestamp
from memcli.formats.parsing.written_times import parse_written_time

_ENGLISH = re.compile(
    r"([A-Z][a-z]{2})[a-z]* (\d{1,2}), (\d{4}), (\d{1,2}:\d{2}:\d{2})(?: ([AP]M))?(?: (\S+))?"
)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_SECONDS = re.compile(r"(?<!\d)\d{1,2}[:.]\d{2}[:.]\d{2}(?!\d)")
_LONGEST = 70  # characters of a time
_MOST_WORDS = 9
_LAST_WORD = re.compile(r"(.*\S)\s+\(?([A-Z]{2,5}|(?:GMT|UTC)[+-]\d{1,2}(?::\d{2})?)\)?")
_ZONES = (
    "UTC+0 GMT+0 WET+0 BST+1 WEST+1 CET+1 CEST+2 MEZ+1 MESZ+2 EET+2 EEST+3 MSK+3 SGT+8 JST+9 KST+9"
    " AEST+10 AEDT+11 NZST+12 NZDT+13 EST-5 EDT-4 CST-6 CDT-5 MST-7 MDT-6 PST-8 PDT-7 AKST-9"
    " AKDT-8 HST-10"
)
_ZONE_HOURS = {zone: int(hours) for zone, hours in re.findall(r"([A-Z]+)([+-]\d+)", _ZONES)}
_ZONE_OFFSET = re.compile(r"(?:GMT|UTC)([+-]\d{1,2})(?::(\d{2}))?")
_CHINESE = ("年", "+8")  # in Chinese, CST is China's time

Time = tuple[datetime | None, Clock]


def parse_row_time(line: str, options: ParseOptions) -> Time | None:
    """Return the time that a line is, and how exactly it is known; None if it is no time.

    A time in an unknown form is (None, NONE).
    """
    line = line.replace("\u202f", " ").replace("\u00a0", " ").strip()
    if match := _ENGLISH.fullmatch(line):
        return _parse_english(match, options)
    if len(line) > _LONGEST or len(line.split()) > _MOST_WORDS:
        return None
    if not (_YEAR.search(line) and _SECONDS.search(line)):
        return None
    match = _LAST_WORD.fullmatch(line)
    text, zone = (match[1], match[2]) if match and match[2] not in ("AM", "PM") else (line, "")
    moment = parse_written_time(text)
    if moment is None:
        return None, Clock.NONE
    if moment.tzinfo is not None:
        return moment, Clock.EXACT
    mark, offset = _CHINESE
    return _with_zone(moment, f"GMT{offset}" if zone == "CST" and mark in line else zone, options)


def _parse_english(match: re.Match[str], options: ParseOptions) -> Time:
    month, day, year, clock, half, zone = match.groups()
    form = "%b %d %Y %I:%M:%S %p" if half else "%b %d %Y %H:%M:%S"
    try:
        naive = datetime.strptime(f"{month} {day} {year} {clock} {half or ''}".strip(), form)
    except ValueError:
        return None, Clock.NONE
    return _with_zone(naive, zone or "", options)


def _with_zone(naive: datetime, zone: str, options: ParseOptions) -> Time:
    if not is_plausible_time(naive):
        return None, Clock.NONE
    if (offset := _ZONE_OFFSET.fullmatch(zone)) is not None:
        minutes = int(offset[2] or 0) * (-1 if offset[1].startswith("-") else 1)
        shift = timedelta(hours=int(offset[1]), minutes=minutes)
    elif zone in _ZONE_HOURS:
        shift = timedelta(hours=_ZONE_HOURS[zone])
    else:
        return localize(naive, options.timezone), Clock.LOCAL
    if abs(shift) >= timedelta(days=1):
        return None, Clock.NONE
    return parse_timestamp(naive.replace(tzinfo=timezone(shift)).isoformat()), Clock.EXACT
