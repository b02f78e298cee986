"""Invariant I: accepted rows = matched + no match + failed + rejected + pending, each row there exactly once."""

from collections import Counter
from typing import Any

import numpy as np
from tests.api import Api
from tests.fake_postcode_consumer import postcode_at

from uploads.models import (
    ENDED_STATES,
    PENDING_CHUNK_STATES,
    Chunk,
    ChunkState,
    IndexBlock,
    IndexKind,
    Row,
    RowStatus,
    Upload,
    UploadState,
)
from uploads.row_ids import row_number, row_range
from uploads.rows.blocks import keys_of
from uploads.rows.bulk.index import database

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
        assert_index(upload)


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
    ):
        assert sorted(entries[kind]) == [row_number(id_) for id_ in having.values_list("id", flat=True)], kind


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
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in (Upload, Chunk, Row, IndexBlock)}
