"""How many uploads came when, with how many rows of each status: a time series, from the counts of their chunks."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from uploads.errors import ParameterError
from uploads.progress import Counts
from uploads.rows.bulk.questions import question

INTERVALS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
#: How many there are by default, up to now.
_USUALLY = {"hour": 24, "day": 30}
_MOST_INTERVALS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeSpan(NamedTuple):
    """Whole intervals, in UTC: from the beginning of the first one to the end of the last one."""

    interval: str
    first: datetime
    end: datetime


def parse_span(parameters: dict[str, str]) -> TimeSpan:
    """What `interval`, `from` and `to` mean. Raises ParameterError."""
    interval = parameters.get("interval", "day")
    if interval not in INTERVALS:
        raise ParameterError("interval", f"Accepted: {', '.join(INTERVALS)}.")
    length = INTERVALS[interval]
    end = _moment("to", parameters["to"]) if "to" in parameters else datetime.now(UTC)
    try:
        end = _EPOCH - (_EPOCH - end) // length * length  # up to a whole one
        first = _moment("from", parameters["from"]) if "from" in parameters else end - _USUALLY[interval] * length
        first = _EPOCH + (first - _EPOCH) // length * length
    except OverflowError:
        raise ParameterError("to", "There are no intervals before the year 1 or after the year 9999.") from None
    if not 1 <= (end - first) // length <= _MOST_INTERVALS:
        raise ParameterError("from", f"It must be before `to`, by at most {_MOST_INTERVALS:,} intervals.")
    return TimeSpan(interval, first, end)


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ParameterError(name, "Accepted: a day or a time such as 2026-11-27 or 2026-11-27T09:00Z; UTC.") from None


def stats_of(owner_id: int | None, span: TimeSpan) -> dict[str, Any]:
    """For each interval the uploads that this user (None: everybody) has sent in it, unless they are deleted, and their
    rows as they are now. Raises RowQueryTimeoutError."""
    length = INTERVALS[span.interval]
    with question() as ask:
        found = ask.counts_by_interval(owner_id, span.first, span.end, int(length.total_seconds()))
    results = []
    for number in range((span.first - _EPOCH) // length, (span.end - _EPOCH) // length):
        uploads, *rows = found.get(number, [0] * 6)
        results.append({"from": _EPOCH + number * length, "uploads": uploads, "rows": Counts(*rows).as_json()})
    return {"interval": span.interval, "from": span.first, "to": span.end, "results": results}
