"""What the value of a cell says, as text."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from uploads.reading.workbook.texts import unescaped

#: The day from which dates count.
EPOCH = datetime(1899, 12, 30)
EPOCH_OF_1904 = datetime(1904, 1, 1)
_DAY_MS = 86_400_000
#: Spreadsheets show 15 digits. A number with more has this many characters, at least.
_LONG = 17


def number_of(text: str) -> int | float:
    return float(text) if "." in text or "E" in text or "e" in text else int(text)


def number_text(number: float) -> str:
    """All its digits; but 0.1 + 0.2 is 0.3, as spreadsheets show it."""
    text = repr(number)
    if len(text) >= _LONG and isinstance(number, float):
        shown = f"{number:.15g}"
        if len(shown) < len(text) - 2:  # the last of the 15 digits are zeros
            return shown
    return text


def duration_text(days: float) -> str:
    """Hours, minutes and seconds, as many hours as it has: 26:30:00. To milliseconds."""
    try:
        milliseconds = round(timedelta(days=days) / timedelta(milliseconds=1))
    except (OverflowError, ValueError):
        return "#VALUE!"
    seconds, milliseconds = divmod(abs(milliseconds), 1_000)
    text = f"{seconds // 3_600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return ("-" if days < 0 else "") + text + (f".{milliseconds:03}" if milliseconds else "")


def date_text(days: float, epoch: datetime) -> str:
    """A day and a time in ISO 8601, or a time alone below one day. To milliseconds."""
    try:
        day, fraction = divmod(days, 1)
        clock = timedelta(milliseconds=round(fraction * _DAY_MS))
        if 0 <= days < 1 and not clock.days:
            return (datetime.min + clock).time().isoformat()
        if 0 < days < 60 and epoch == EPOCH:  # there, 1900 has a 29th of February
            day += 1
        return (epoch + timedelta(days=day) + clock).isoformat()
    except (OverflowError, ValueError):
        return "#VALUE!"


def _truth(text: str) -> str:
    return "TRUE" if int(text) else "FALSE"


_ISO_DATE = re.compile(
    r"((?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2}))?T?"
    r"((?P<hour>\d{2}):(?P<minute>\d{2})(:(?P<second>\d{2})(?P<fraction>\.\d{1,3})?)?)?Z?",
    re.ASCII,
)
_ISO_DURATION = re.compile(r"PT((?P<hours>\d+)H)?((?P<minutes>\d+)M)?((?P<seconds>\d+(\.\d{1,3})?)S)?", re.ASCII)


def _iso_date(text: str) -> str:
    """A date, a time, both or a duration, as ISO 8601 writes them, the way that other dates are written here."""
    match = _ISO_DATE.match(text)
    if match and any(match.groups()):
        found = match.groupdict()
        hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
        clock = time_of_day(hour, minute, second, int(float(found["fraction"] or 0) * 1_000_000))
        if found["year"] is None:
            return clock.isoformat()
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        return day.isoformat() if found["hour"] is None else datetime.combine(day, clock).isoformat()
    match = _ISO_DURATION.match(text)
    if match and any(match.groups()):
        return duration_text(timedelta(**{name: float(value) for name, value in match.groupdict().items() if value})
                             / timedelta(days=1))  # fmt: skip
    raise ValueError(text)


#: By the type of a cell; others hold their text as it is. Numbers and shared texts are not among them.
TEXT_OF: dict[str, Callable[[str], str]] = {"b": _truth, "d": _iso_date, "str": unescaped}
