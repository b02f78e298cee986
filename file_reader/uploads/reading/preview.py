"""What a file would be read as: its first records, how many of the next ones can be read, and what looks wrong."""

from collections import Counter
from itertools import islice
from typing import Any, BinaryIO, cast

from uploads.reading.containers import SheetCsv
from uploads.reading.coordinates import Notation
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import UnreadableError
from uploads.reading.records import read_both

#: Records that are shown, and those that are counted.
SHOWN_ROWS = 20
COUNTED_ROWS = 1_000
#: No more of a file is read for that, whatever it is filled up with: somebody waits for the answer.
MAX_BYTES = 2 << 20


class _EnoughReadError(Exception):
    """There may be more rows, but nobody waits for them."""


class _Beginning:
    """The first MAX_BYTES of a stream; behind them it does not look like one that has ended."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = MAX_BYTES

    def read(self, size: int) -> bytes:
        if self._left <= 0:
            raise _EnoughReadError
        data = self._stream.read(size)
        self._left -= len(data)
        return data


def _beginning(stream: BinaryIO) -> BinaryIO:
    # A workbook says by its type what it is, and has limits of its own.
    return stream if isinstance(stream, SheetCsv) else cast(BinaryIO, _Beginning(stream))


def preview(stream: BinaryIO, dialect: Dialect) -> dict[str, Any]:
    """The first rows as they would be read, and how the first COUNTED_ROWS of them come out.

    `sure` is the share of these that have coordinates, 0…1; null when the file has no rows.
    """
    error: dict[str, Any] | None = None
    rows = []
    reasons: Counter[str] = Counter()
    west = 0
    columns: list[str] = []
    records, read = read_both(_beginning(stream), dialect)
    try:
        for _ in islice(records, dialect.preamble):
            pass
        if dialect.has_header and (header := next(records, None)):
            columns = header.fields
        for number, row in enumerate(islice(read, COUNTED_ROWS), 1):
            reasons[row.reason or "read"] += 1
            west += row.longitude is not None and row.longitude < 0
            if number <= SHOWN_ROWS:
                rows.append(
                    {
                        "row": number,
                        "line": row.line,
                        "latitude": row.latitude,
                        "longitude": row.longitude,
                        "status": "rejected" if row.reason else "pending",
                        "reason": row.reason,
                        "fields": next(records).fields,
                    }
                )
            else:
                records.close()  # nothing is kept for it any more
    except UnreadableError as caught:
        error = {"detail": caught.detail, "line": caught.line}
    except _EnoughReadError:
        pass
    counted = reasons.total()
    located = reasons.pop("read", 0)
    return {
        "columns": columns,
        "sure": round(located / counted, 4) if counted else None,
        "looked_at": {"rows": counted, "read": located, "rejected": dict(reasons)},
        "warnings": warnings_of(
            dialect, rows=counted, rejected=counted - located, swapped=reasons["coordinates_swapped"], west=west
        ),
        "error": error,
        "rows": rows,
    }


def warnings_of(dialect: Dialect, *, rows: int, rejected: int, swapped: int, west: int | None) -> list[dict[str, str]]:
    """What is probably not meant, in the sender's words; codes are stable, sentences are not.

    Of so many rows, `rejected` have no coordinates, `swapped` of them seem to have them the other way round, and `west`
    have a longitude below 0; None while there may be more.
    """
    warnings = []
    if rows and rejected == rows:
        warnings.append(
            {
                "code": "nothing_read",
                "detail": "No row could be read. Each of them has the reason; look whether"
                f" {dialect.latitude} and {dialect.longitude} are the columns that you mean.",
            }
        )
    elif rejected * 2 > rows and swapped * 2 <= rows:
        warnings.append(
            {
                "code": "most_rejected",
                "detail": f"{rejected:,} of {rows:,} rows could not be read. Each of them has the reason.",
            }
        )
    if west == 0 and rows > rejected:
        warnings.append(
            {
                "code": "all_east",
                "detail": "No longitude is below 0, so every row is read as east of Greenwich. If the file lost its"
                " minus signs, these are other places: send it again with the signs.",
            }
        )
    if dialect.sheets_left:
        warnings.append(
            {
                "code": "further_sheets",
                "detail": "One sheet of the workbook is read. These are not: "
                f"{', '.join(dialect.sheets_left)}. For those, send it again with sheet=.",
            }
        )
    if dialect.others:
        warnings.append(
            {
                "code": "further_locations",
                "detail": f"{dialect.latitude} and {dialect.longitude} are read. The file has further locations, which"
                f" are not: {', '.join(dialect.others)}. For those, send it again with latitude= and longitude=.",
            }
        )
    if swapped * 2 > rows:
        warnings.append(
            {
                "code": "coordinates_swapped",
                "detail": f"In most rows the latitude ({dialect.latitude}) and the longitude ({dialect.longitude}) seem"
                " to be swapped. If they are, send the file again and say which column is which.",
            }
        )
    if dialect.preamble:
        warnings.append(
            {
                "code": "lines_above",
                "detail": f"What stands above the {'header' if dialect.has_header else 'first row'} is taken for titles"
                f" or comments and not read: {dialect.preamble} line(s).",
            }
        )
    if dialect.coordinates == Notation.OSGB36:
        warnings.append(
            {
                "code": "national_grid",
                "detail": f"{dialect.longitude} and {dialect.latitude} are read as eastings and northings of the"
                " British National Grid and converted to degrees.",
            }
        )
    return warnings
