"""What a file would be read as: its first records, how many of the next ones can be read, and what looks wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Any, BinaryIO, cast

from uploads.reading.containers import SheetCsv, beginning_of
from uploads.reading.detecting.detect import SAMPLE_BYTES
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import UnreadableError
from uploads.reading.land import is_at_sea
from uploads.reading.notations import KINDS, Notation
from uploads.reading.records import ReadRow, read_both
from uploads.reading.second_look import seen_at_beginning
from uploads.reading.warnings import Read, warnings_of

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


def _but_last(rows: Iterable[ReadRow]) -> Iterator[ReadRow]:
    return (row for row, _ in pairwise(rows))


def preview(stream: BinaryIO, dialect: Dialect, *, partial: bool = False) -> dict[str, Any]:
    """The first rows as they would be read, and how the first COUNTED_ROWS of them come out.

    `notation` is how the coordinates are written, and `precision_m` how large the places of the first rows are, in
    metres, null where they are points. `sure` is the share of these that have coordinates, 0…1; null when the file has
    no rows. `locations` are theirs, in degrees. Of a file that is here in part, the last record is cut: it is left out,
    and so is what is wrong with it. Raises DoubtfulError as `check_beginning` does.
    """
    seen = seen_at_beginning(beginning_of(stream, SAMPLE_BYTES), dialect)
    if seen.error is not None:
        raise seen.error
    error: dict[str, Any] | None = None
    rows = []
    reasons: Counter[str] = Counter()
    west = at_sea = 0
    columns: list[str] = []
    locations: list[tuple[float, float]] = []
    records, read = read_both(_beginning(stream), dialect)
    try:
        for _ in islice(records, dialect.preamble):
            pass
        if dialect.has_header and (header := next(records, None)):
            columns = header.fields
        for number, row in enumerate(islice(_but_last(read) if partial else read, COUNTED_ROWS), 1):
            reasons[row.reason or "read"] += 1
            if row.latitude is not None and row.longitude is not None:
                locations.append((row.latitude, row.longitude))
                west += row.longitude < 0
                at_sea += is_at_sea(row.latitude, row.longitude)
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
        error = None if partial else {"detail": caught.detail, "line": caught.line}
    except _EnoughReadError:
        pass
    counted = reasons.total()
    located = reasons.pop("read", 0)
    return {
        "columns": columns,
        "notation": KINDS[Notation(dialect.coordinates)].words,
        "precision_m": dialect.precision_m,
        "sure": round(located / counted, 4) if counted else None,
        "looked_at": {"rows": counted, "read": located, "rejected": dict(reasons)},
        "warnings": warnings_of(
            Read(
                dialect,
                rows=counted,
                rejected=counted - located,
                swapped=reasons["coordinates_swapped"],
                west=west,
                at_sea=at_sea,
                doubt=seen.code,
            )
        ),
        "error": error,
        "locations": locations,
        "rows": rows,
    }
