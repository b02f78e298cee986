"""How inspections of uploads name chunks and moments."""

from datetime import datetime

from django.utils.timezone import localtime

from uploads.models import Chunk


def name_of(chunk: Chunk) -> str:
    """As the logs name it."""
    return f"{chunk.pk}-{chunk.fence}"


def span_of(chunk: Chunk) -> str:
    """Its first and its last row, or its only one."""
    first, last = f"{chunk.first_row:,}", f"{chunk.last_row:,}"
    return first if chunk.row_count == 1 else f"{first}–{last}"


def rows_in_words(chunk: Chunk) -> str:
    """Such as `rows 1–2,000`."""
    return f"{'row' if chunk.row_count == 1 else 'rows'} {span_of(chunk)}"


def clock_time(moment: datetime, now: datetime | None) -> str:
    """The day is left out when it is today."""
    local = localtime(moment)
    is_today = now is not None and local.date() == localtime(now).date()
    return local.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S %Z")


def span_in_words(seconds: float) -> str:
    """In two units at most."""
    whole = int(seconds)
    for size, unit, part, part_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {part_unit}"
    return f"{whole} s"


def moment_in_words(moment: datetime | None, now: datetime) -> str:
    """The time, and how far it is from now; empty when there is none."""
    if moment is None:
        return ""
    left = (moment - now).total_seconds()
    return f"{clock_time(moment, now)}, " + (f"in {span_in_words(left)}" if left > 0 else f"{span_in_words(-left)} ago")
