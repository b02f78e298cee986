"""What is asked of the database to find rows: statements that both databases carry out in the way that is meant.

All of one question see one state of the database, and together they have `settings.ROW_QUERY_SECONDS`. Numbers that
we have from the database itself stand in the text of a statement; whatever a caller sent is a parameter.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db import connection

from uploads.models import PENDING_CHUNK_STATES, ChunkState, IndexKind, RowStatus
from uploads.rows.bulk.index import database
from uploads.rows.filters import Filters, Lead, in_outcode

#: The first and the last id of a run of rows.
Span = tuple[int, int]
#: An upload, and the number of the first row of a segment of it.
Segment = tuple[int, int]

_COLUMNS = (
    "r.id, r.latitude, r.longitude, r.status, r.reason, r.postcode, r.distance_m, a.country, a.region,"
    " a.admin_district, a.admin_ward, r.line, r.raw"
)
_ROWS = "uploads_row r LEFT JOIN uploads_area a ON a.id = r.area_id"
# In this order, whatever the database thinks of it: a look at the key for each segment.
_BLOCKS = """
FROM (VALUES {segments}) s CROSS JOIN uploads_indexblock b
WHERE b.upload_id = s.column1 AND b.kind = {lead.kind} AND b.segment = s.column2 AND b.last_key >= {lead.first_key}
    AND b.first_key <= {lead.last_key}
"""
#: When an upload was accepted, in seconds since 1970.
_SECONDS = {
    # Whole seconds: with their parts, the last one of a day would be rounded up to the next day.
    "sqlite": "CAST(strftime('%%s', substr(u.created_at, 1, 19)) AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM u.created_at)) AS bigint)",
}
_COUNTS = ("row_count", "matched", "no_match", "failed", "rejected")
_COUNT_OF = {
    RowStatus.MATCH: "matched",
    RowStatus.NO_MATCH: "no_match",
    RowStatus.FAILED: "failed",
    RowStatus.REJECTED: "rejected",
}


class Statements(Protocol):
    """What a database carries out for one question."""

    def records(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    def blocks(self, statement: str) -> list[tuple[int, int, Any, Any]]: ...


class KnownUpload(NamedTuple):
    """An upload as a question sees it."""

    id: int
    #: A UUID, or its text on SQLite.
    public_id: Any
    rows_loaded: int
    is_indexed: bool


@contextmanager
def question() -> Iterator["Questions"]:
    """Asks about one state of the database. Raises RowQueryTimeoutError when the time is over."""
    with database().question(settings.ROW_QUERY_SECONDS) as statements:
        yield Questions(statements)


class Questions:
    """The statements of one question."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def uploads(
        self, owner_id: int | None, reach: tuple[int, int], limit: int, *, backwards: bool
    ) -> list[KnownUpload]:
        """Those with rows, and with ids within reach, that this user may see (None: everybody's eyes)."""
        of_owner = "" if owner_id is None else f"owner_id = {owner_id} AND"
        found = self._statements.records(
            f"SELECT id, public_id, rows_loaded, indexed_at IS NOT NULL FROM uploads_upload WHERE {of_owner}"  # noqa: S608 - numbers
            f" id BETWEEN {reach[0]} AND {reach[1]} AND deleted_at IS NULL AND rows_loaded > 0"
            f" ORDER BY id{_direction(backwards)} LIMIT {limit}"
        )
        return [KnownUpload(*upload) for upload in found]

    def counts_by_interval(
        self, owner_id: int | None, first: datetime, end: datetime, seconds: int
    ) -> dict[int, list[int]]:
        """By the number of the interval of so many seconds, since 1970, in which uploads were accepted: how many, and
        the numbers of their rows as `Counts` has them."""
        of_owner = "" if owner_id is None else f"owner_id = {owner_id} AND"
        sums = [f"coalesce(sum(c.{column}), 0)" for column in _COUNTS]
        found = self._statements.records(
            f"SELECT number, count(*), {', '.join(f'sum({column})' for column in _COUNTS)} FROM ("  # noqa: S608 - no input
            f"SELECT {_SECONDS[connection.vendor]} / {seconds} AS number,"
            f" {', '.join(f'{total} AS {column}' for total, column in zip(sums, _COUNTS, strict=True))}"
            " FROM uploads_upload u LEFT JOIN uploads_chunk c ON c.upload_id = u.id AND c.state <> 'split'"
            f" WHERE {of_owner} u.created_at >= %s AND u.created_at < %s AND u.deleted_at IS NULL GROUP BY u.id"
            ") AS of_upload GROUP BY number",
            [connection.ops.adapt_datetimefield_value(moment) for moment in (first, end)],
        )
        return {int(number): [int(count) for count in counts] for number, *counts in found}

    # --- the row index ---------------------------------------------------------------------------------------------
    def touched(self, leads: Sequence[Lead], segments: Iterable[Segment]) -> list[tuple[int, int, int, int]]:
        """How many blocks may have entries: number of the lead, upload, segment, blocks; where there are some."""
        pairs = _pairs(segments)
        counts = [
            f"SELECT {number}, b.upload_id, b.segment, count(*)"
            f" {_BLOCKS.format(segments=pairs, lead=lead)} GROUP BY b.upload_id, b.segment"
            for number, lead in enumerate(leads)
        ]
        return self._statements.records(" UNION ALL ".join(counts))

    def blocks(self, lead: Lead, segments: Iterable[Segment]) -> list[tuple[int, int, Any, Any]]:
        """The blocks that may have entries: upload, first key, rows, keys; of a block all of whose keys are sought, the
        last is None, unless they are cells."""
        keys, touching = "b.keys", _BLOCKS.format(segments=_pairs(segments), lead=lead)
        if lead.kind != IndexKind.CELL:
            keys = f"CASE WHEN b.first_key < {lead.first_key} OR b.last_key > {lead.last_key} THEN b.keys END"
        return self._statements.blocks(f"SELECT b.upload_id, b.first_key, b.rows, {keys} {touching}")

    # --- the map ---------------------------------------------------------------------------------------------------
    def rows_loaded(self, upload_id: int) -> int:
        """How many rows an upload has so far."""
        found = self._statements.records(f"SELECT rows_loaded FROM uploads_upload WHERE id = {upload_id}")  # noqa: S608 - numbers
        return int(found[0][0]) if found else 0

    def map_statuses(self, upload_id: int) -> Iterator[tuple[int, Any]]:
        """What became of rows, the oldest first: the number of the first one, and a byte for each."""
        parts = self._statements.blocks(
            f"SELECT id, first_row, statuses, NULL FROM uploads_mappart WHERE upload_id = {upload_id}"  # noqa: S608 - numbers
            " AND statuses IS NOT NULL ORDER BY id"
        )
        return ((first_row, statuses) for _, first_row, statuses, _ in parts)

    def map_cells(self, upload_id: int, first_row: int, last_row: int) -> Iterator[tuple[int, Any]]:
        """Where rows lie, of the parts that begin within these: the number of the first one, and 4 bytes for each."""
        parts = self._statements.blocks(
            f"SELECT id, first_row, cells, NULL FROM uploads_mappart WHERE upload_id = {upload_id}"  # noqa: S608 - numbers
            f" AND first_row BETWEEN {first_row} AND {last_row} AND cells IS NOT NULL"
        )
        return ((first, cells) for _, first, cells, _ in parts)

    # --- rows ------------------------------------------------------------------------------------------------------
    def rows_of(self, filters: Filters, ids: Sequence[int], limit: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """Of these rows the first ones that are asked for; any of the directions of `ids` will do."""
        condition, values = _condition(filters)
        return self._statements.records(
            f"SELECT {_COLUMNS} FROM {_ROWS} WHERE r.id IN ({','.join(map(str, ids))}){condition}"  # noqa: S608 - no words of others
            f" ORDER BY r.id{_direction(backwards)} LIMIT {limit}",
            values,
        )

    def rows_in(self, filters: Filters, spans: Sequence[Span], limit: int, *, backwards: bool) -> list[tuple[Any, ...]]:
        """The first rows that are asked for in these runs, which are in the direction of reading.

        What lies behind the last of them is not looked at: each run is walked through only when it is its turn.
        """
        condition, values = _condition(filters)
        walks = [
            f"SELECT {_COLUMNS} FROM {_ROWS} WHERE r.id BETWEEN {first} AND {last}{condition}"  # noqa: S608 - no words of others
            f" ORDER BY r.id{_direction(backwards)} LIMIT {limit}"
            for first, last in spans
        ]
        if len(walks) > 1:
            walks = [f"SELECT * FROM ({walk}) AS run" for walk in walks]  # noqa: S608 - no words of others
            walks[-1] += f" LIMIT {limit}"
        return self._statements.records(" UNION ALL ".join(walks), values * len(walks))

    def count_in(self, filters: Filters, spans: Sequence[Span]) -> int:
        """How many rows that are asked for these runs have."""
        condition, values = _condition(filters)
        counts = [
            f"SELECT count(*) FROM {_ROWS} WHERE r.id BETWEEN {first} AND {last}{condition}"  # noqa: S608 - no words of others
            for first, last in spans
        ]
        return sum(count for (count,) in self._statements.records(" UNION ALL ".join(counts), values * len(counts)))

    def promising_chunks(self, filters: Filters, uploads: Iterable[int]) -> list[tuple[int, int, int]]:
        """The chunks that may have rows that are asked for, in order: upload, first row, rows."""
        conditions = [f"state <> '{ChunkState.SPLIT}'"]
        if filters.status == RowStatus.PENDING:
            conditions.append(f"state IN ({', '.join(repr(str(state)) for state in PENDING_CHUNK_STATES)})")
        elif filters.status is not None:
            conditions.append(f"{_COUNT_OF[RowStatus(filters.status)]} > 0")
        elif filters.reason is not None:
            conditions.append("no_match + failed + rejected > 0")
        if filters.wants_postcode:
            conditions.append("matched > 0")
        conditions.append(f"upload_id IN ({','.join(map(str, uploads))})")
        return self._statements.records(
            f"SELECT upload_id, first_row, row_count FROM uploads_chunk WHERE {' AND '.join(conditions)}"  # noqa: S608 - no words of others
            " ORDER BY upload_id, first_row"
        )


def _direction(backwards: bool) -> str:
    return " DESC" if backwards else ""


def _pairs(segments: Iterable[Segment]) -> str:
    return ",".join([f"({upload},{segment})" for upload, segment in segments])


def _condition(filters: Filters) -> tuple[str, list[Any]]:
    """What the filters let through, as text that goes on with AND, and its parameters."""
    conditions: list[tuple[str, Sequence[Any]]] = []
    if filters.status is not None:
        conditions.append(("r.status = %s", [filters.status]))
    if filters.reason is not None:
        conditions.append(("r.reason = %s", [filters.reason]))
    if filters.postcode is not None:
        conditions.append(("r.postcode = %s", [filters.postcode]))
    if filters.outcode is not None:
        conditions.append(("r.postcode > %s AND r.postcode < %s", in_outcode(filters.outcode)))
    if filters.areas:
        # The names decide; with the numbers, only few areas are looked up.
        conditions.append(("r.area_id BETWEEN %s AND %s", filters.areas))
        conditions += [(f"a.{name} = %s", [value]) for name, value in filters.names.items()]
    if filters.box:
        south, north, west, east = filters.box
        place = "r.latitude BETWEEN %s AND %s AND r.longitude BETWEEN %s AND %s"
        conditions.append((place, [south, north, west, east]))
    if filters.circle:
        conditions.append(_in_circle(*filters.circle))
    text = "".join([f" AND {condition}" for condition, _ in conditions])
    return text, [value for _, values in conditions for value in values]


def _in_circle(latitude: float, longitude: float, radius: float) -> tuple[str, list[float]]:
    """By the haversine formula on a sphere: within 0.5 % of the ellipsoid."""
    # In degrees from the south pole and from the antimeridian: PostgreSQL refuses to square what is next to nothing.
    return (
        "POWER(SIN(RADIANS((r.latitude + 90.0) - %s) / 2.0), 2)"
        " + %s * SIN(RADIANS(r.latitude + 90.0)) * POWER(SIN(RADIANS((r.longitude + 180.0) - %s) / 2.0), 2) <= %s",
        [latitude + 90.0, math.cos(math.radians(latitude)), longitude + 180.0, math.sin(radius / 2.0) ** 2],
    )
