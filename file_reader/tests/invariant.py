"""Invariant I: accepted rows = matched + no match + failed + rejected + pending, each row there exactly once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from tests.api import Api
from tests.fake_postcode_consumer import postcode_at

from uploads.models import (
    ENDED_STATES,
    PENDING_CHUNK_STATES,
    STATUS_WORDS,
    Chunk,
    ChunkState,
    IndexBlock,
    IndexKind,
    MapPart,
    Row,
    RowStatus,
    TotalBlock,
    Upload,
    UploadState,
    outcode_of,
)
from uploads.row_ids import row_number, row_range
from uploads.rows.blocks import keys_of
from uploads.rows.bulk.index import database
from uploads.rows.cells import NOWHERE, UNCHANGED
from uploads.rows.totals import DISTANCES, KINDS, TotalPages

Json = dict[str, Any]
#: 200 rows, each at a location of its own that has a postcode.
ROWS = 200
LOCATIONS = [(50 + number / 1_000, -0.1) for number in range(ROWS)]
FILE = "lat,lon\n" + "".join(f"{latitude},{longitude}\n" for latitude, longitude in LOCATIONS)


def state_of(api: Api, upload: Json) -> str:
    return str(api.show(upload)["state"])


def is_indexed(api: Api, upload: Json) -> bool:
    """It has ended, and nobody writes anything for it any more."""
    return api.show(upload)["indexed_at"] is not None


def assert_invariant() -> None:
    """Holds at every moment, for every upload, whoever died just now."""
    with database().question(600) as statements:
        statements.records("SELECT 1")  # from here on, what others write meanwhile is not seen
        _assert_invariant()


def _assert_invariant() -> None:
    for upload in Upload.objects.all():
        statuses = dict(Row.objects.filter(**row_range(upload.pk, 1, 1 << 31)).values_list("id", "status"))
        numbers = sorted(row_number(id_) for id_ in statuses)
        assert numbers == list(range(1, upload.rows_loaded + 1))
        next_row = 1
        for chunk in Chunk.objects.filter(upload=upload).exclude(state=ChunkState.SPLIT).order_by("first_row"):
            assert chunk.first_row == next_row
            next_row += chunk.row_count
            of_chunk = row_range(upload.pk, chunk.first_row, chunk.row_count)["id__range"]
            count = Counter(status for id_, status in statuses.items() if of_chunk[0] <= id_ <= of_chunk[1])
            written = [count[status] for status in (RowStatus.MATCH, RowStatus.NO_MATCH, RowStatus.FAILED)]
            assert [chunk.matched, chunk.no_match, chunk.failed] == written
            assert chunk.rejected == count[RowStatus.REJECTED]
            # An answered chunk has nothing pending: else those rows would be pending for ever.
            assert chunk.state in PENDING_CHUNK_STATES or not count[RowStatus.PENDING]
        assert next_row == upload.rows_loaded + 1
        assert upload.state != UploadState.DONE or RowStatus.PENDING not in statuses.values()
        assert_map(upload, {row_number(id_): status for id_, status in statuses.items()})
        assert_index(upload)


def assert_map(upload: Upload, statuses: dict[int, int]) -> None:
    """It has every row, and says of each what became of it; uploads that tests write by themselves have none."""
    parts = list(MapPart.objects.filter(upload=upload).order_by("id"))
    if not any(part.cells for part in parts):
        return
    said: dict[int, int] = {}
    for part in parts:
        cells = np.frombuffer(part.cells or b"", "<u4").tolist()
        starts = [RowStatus.REJECTED if cell == NOWHERE else RowStatus.PENDING for cell in cells]
        said |= dict(enumerate(starts, part.first_row))
    for part in parts:
        statuses_said = enumerate(bytes(part.statuses or b""), part.first_row)
        said |= {row: status for row, status in statuses_said if status != UNCHANGED}
    assert said == statuses


def assert_index(upload: Upload) -> None:
    """Its rows are each in one entry of every kind that they have something of, if it has its index."""
    blocks = list(IndexBlock.objects.filter(upload=upload))
    entries: dict[int, list[int]] = {kind: [] for kind in IndexKind}
    for block in blocks:
        numbers = np.frombuffer(block.rows, "<u4").tolist()
        keys = keys_of(block.first_key, block.rows, block.keys).tolist()
        assert (keys[0], keys[-1], numbers[0]) == (block.first_key, block.last_key, block.first_row)
        assert keys == sorted(keys)
        assert block.segment <= min(numbers)
        assert max(numbers) <= upload.rows_loaded
        entries[block.kind] += numbers
    if upload.indexed_at is None:
        return  # nobody looks at what is there
    assert upload.state in ENDED_STATES
    assert upload.lease_until is None
    assert upload.rows_indexed == upload.rows_loaded
    rows = Row.objects.filter(**row_range(upload.pk, 1, 1 << 31)).order_by("id")
    for kind, having in (
        (IndexKind.STATUS, rows.exclude(status=RowStatus.MATCH)),
        (IndexKind.AREA, rows.exclude(area=None)),
        (IndexKind.POSTCODE, rows.exclude(postcode=None)),
        (IndexKind.CELL, rows.exclude(latitude=None)),
        (IndexKind.REASON, rows.exclude(reason=None)),
    ):
        assert sorted(entries[kind]) == [row_number(id_) for id_ in having.values_list("id", flat=True)], kind
    assert_totals(upload)


def assert_totals(upload: Upload) -> None:
    """Those of an upload that has its index are what plain Python counts in its rows, the largest first."""
    rows = list(Row.objects.filter(**row_range(upload.pk, 1, 1 << 31)).select_related("area"))
    of_row: dict[str, Callable[[Row], Any]] = {
        # As much of it as the index has.
        "postcode": lambda row: row.postcode and row.postcode.encode()[:8].decode(),
        "outcode": lambda row: row.postcode and outcode_of(row.postcode),
        "admin_district": lambda row: row.area and row.area.admin_district,
        "region": lambda row: row.area and row.area.region,
        "country": lambda row: row.area and row.area.country,
        "status": lambda row: STATUS_WORDS[row.status],
        "reason": lambda row: row.reason,
        "distance": lambda row: (
            None if row.distance_m is None else min(end for end in DISTANCES if row.distance_m <= end)
        ),
    }
    assert of_row.keys() == KINDS.keys()
    for by, value_of in of_row.items():
        found = [total for some in TotalPages(upload, by).all() for total in some]
        assert len({value for value, _ in found}) == len(found), by
        assert dict(found) == Counter(map(value_of, rows)), by
        assert [total for _, total in found] == sorted([total for _, total in found], reverse=True), by
    counts = Counter((STATUS_WORDS[row.status], row.reason) for row in rows if row.reason)
    said = {(status, reason): number for status, of in (upload.reasons or {}).items() for reason, number in of.items()}
    assert said == counts


def assert_every_row_has_its_answer(api: Api, upload: Json) -> None:
    """FILE is done, and every row has the postcode of its own location."""
    assert_invariant()
    shown = api.show(upload)
    assert (shown["state"], shown["rows"]["read"], shown["rows"]["matched"]) == ("done", ROWS, ROWS)
    rows = api.rows(upload)
    assert [row["row"] for row in rows] == list(range(1, ROWS + 1))
    assert [row["postcode"] for row in rows] == [postcode_at(*location) for location in LOCATIONS]


def everything() -> dict[str, list[Json]]:
    """All that the work writes, to compare before with after."""
    models: tuple[Any, ...] = (Upload, Chunk, Row, IndexBlock, TotalBlock, MapPart)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
