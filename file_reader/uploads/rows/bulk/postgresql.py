"""Bulk writes for PostgreSQL: COPY in its binary form, out of arrays; answers through a temporary table.

The binary form is that of the COPY command's documentation: a header, records of (number of fields, and for each its
size and value), and a trailer.
"""

import io
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
import numpy.typing as npt
from django.db import connection

from service_kit.pg_arrays import pg_array

if TYPE_CHECKING:
    from uploads.rows.bulk import Floats, Ids, Matches, Unmatched

#: Of the columns of `stored_answers`: of numbers without a fraction, only their column says that they are floats.
_DECODERS: dict[str, msgspec.json.Decoder[list[Any]]] = {
    "status": msgspec.json.Decoder(list[int]),
    "reason": msgspec.json.Decoder(list[str | None]),
    "postcode": msgspec.json.Decoder(list[str | None]),
    "distance_m": msgspec.json.Decoder(list[float | None]),
    "area_id": msgspec.json.Decoder(list[int | None]),
    "latitude": msgspec.json.Decoder(list[float | None]),
    "longitude": msgspec.json.Decoder(list[float | None]),
}


#: What stands before and behind the records of the binary form.
HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
#: NULL, in place of a field's type and values.
_NULL = ("", None)
#: A record of `pending_columns`.
_PENDING = np.dtype(
    [("count", ">i2"), ("0", ">i4"), ("id", ">i8"), ("1", ">i4"), ("y", ">f8"), ("2", ">i4"), ("x", ">f8")]
)


def insert_pending(upload_id: int, ids: "Ids", latitudes: "Floats", longitudes: "Floats") -> None:
    fields = (">i8", ids), (">i8", upload_id), (">f8", latitudes), (">f8", longitudes), (">i2", 0)
    copy_in("uploads_row (id, upload_id, latitude, longitude, status)", [_records(len(ids), *fields)])


def insert_rejected(rows: Sequence[tuple[Any, ...]]) -> None:
    lines = ["\t".join(map(_copy_field, row)) + "\n" for row in rows]
    _copy("uploads_row (id, upload_id, reason, line, raw, status)", io.StringIO("".join(lines)))


def insert_areas(areas: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO uploads_area (id, country, region, admin_district, admin_ward)"
            " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])"
            " ON CONFLICT DO NOTHING",
            [pg_array(column) for column in zip(*areas, strict=True)],
        )


def pending_columns(first_id: int, last_id: int) -> "tuple[Ids, Floats, Floats]":
    rows = copy_out(
        "SELECT id, latitude, longitude FROM uploads_row WHERE status = 0"  # noqa: S608 - integers
        f" AND id BETWEEN {int(first_id)} AND {int(last_id)} ORDER BY id",
        _PENDING,
    )
    return rows["id"].astype(np.int64), rows["y"].astype(float), rows["x"].astype(float)


def update_results(matches: "Matches", others: "Sequence[Unmatched]") -> int:
    """The number of rows that it wrote to."""
    ids = [*matches.ids[:1].tolist(), *matches.ids[-1:].tolist(), *(row.id for row in others)]
    with connection.cursor() as cursor:
        # Of the session, and emptied at the end of the transaction: behind a pooler, any session may have it already.
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS row_answers (id bigint, status smallint, reason varchar(40),"
            " postcode varchar(8), distance_m float8, area_id bigint) ON COMMIT DELETE ROWS;"
            " TRUNCATE pg_temp.row_answers"  # of what this transaction wrote before
        )
        copy_in("pg_temp.row_answers", [*_records_of_matches(matches), *_records_of_others(others)])
        # The range lets the planner read the rows in one pass of the primary key, whatever it thinks of the table.
        cursor.execute(
            "UPDATE uploads_row SET status = new.status, reason = new.reason, postcode = new.postcode,"
            " distance_m = new.distance_m, area_id = new.area_id FROM pg_temp.row_answers new"
            " WHERE uploads_row.id = new.id AND uploads_row.id BETWEEN %s AND %s",
            [min(ids), max(ids)],
        )
        return cast(int, cursor.rowcount)


def _records_of_matches(matches: "Matches") -> Iterable[bytes]:
    """Those with postcodes of one length together: then their records are of one length."""
    lengths = np.char.str_len(matches.postcodes)
    for length in np.unique(lengths).tolist():
        ids, postcodes, distances, area_ids = (column[lengths == length] for column in matches)
        text = f"S{length}", postcodes
        yield _records(len(ids), (">i8", ids), (">i2", 1), _NULL, text, (">f8", distances), (">i8", area_ids))


def _records_of_others(others: "Sequence[Unmatched]") -> Iterable[bytes]:
    def outcome(row: "Unmatched") -> tuple[int, str]:
        return row.status, row.reason or ""

    for (status, reason), rows in groupby(sorted(others, key=outcome), outcome):
        ids = np.array([row.id for row in rows])
        text = (f"S{len(reason.encode())}", reason.encode()) if reason else _NULL
        yield _records(len(ids), (">i8", ids), (">i2", status), text, _NULL, _NULL, _NULL)


def _records(count: int, *fields: tuple[str, Any]) -> bytes:
    """Records of the binary form, all of one length: the type and the values of each field."""
    layout: list[tuple[str, str]] = [("count", ">i2")]
    for number, (kind, _) in enumerate(fields):
        layout += [(f"size{number}", ">i4"), (f"value{number}", kind)] if kind else [(f"size{number}", ">i4")]
    records = np.empty(count, np.dtype(layout))
    records["count"] = len(fields)
    for number, (kind, values) in enumerate(fields):
        records[f"size{number}"] = np.dtype(kind).itemsize if kind else -1
        if kind:
            records[f"value{number}"] = values
    return records.tobytes()


def copy_in(into: str, parts: Iterable[bytes]) -> None:
    """Inserts records of the binary form."""
    _copy(into, io.BytesIO(b"".join((HEADER, *parts, TRAILER))), "BINARY")


def copy_out(query: str, record: np.dtype[Any]) -> npt.NDArray[Any]:
    """The records of a query, which are all of one length."""
    content = io.BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT BINARY", content)
    return np.frombuffer(content.getbuffer()[len(HEADER) : -len(TRAILER)], record)


def _copy(into: str, content: io.IOBase, form: str = "") -> None:
    # Django passes COPY on as it is: without this, its errors would be psycopg2's own, which nobody expects.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {into} FROM STDIN {form}", content)


def _copy_field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return repr(value)


def stored_answers(first_id: int, last_id: int, *, located: bool) -> tuple[list[Any], ...]:
    names = [*_DECODERS][: None if located else -2]
    # As JSON: the driver takes several times as long to make the same values.
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(f'json_agg({name})::text' for name in names)}"  # noqa: S608 - names from above
            f" FROM (SELECT {', '.join(names)} FROM uploads_row WHERE id BETWEEN %s AND %s ORDER BY id) AS answers",
            [first_id, last_id],
        )
        columns = cursor.fetchone()
    return tuple(_DECODERS[name].decode(column or "[]") for name, column in zip(names, columns, strict=True))
